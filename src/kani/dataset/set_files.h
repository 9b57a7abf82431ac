// set_files.h - a finished set as files: MANIFEST has the SHA-256 of every other one and is written
// last, so that a folder without it is no set.  Its lines are those of sha256sum, which can check
// them (`sha256sum -c MANIFEST`).
// Not here: what is in the files (assembly.h).
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>

#include "kani/dataset/split.h"

namespace kani {

/// "train-00000-of-00002"
std::string shard_name(Split split, size_t number, size_t count);

/// The text of a MANIFEST for all regular files below a folder.
std::string manifest_text(const std::filesystem::path& folder);

/// Name below the folder to SHA-256.  Throws Error(kNotFound, kBadInput).
std::map<std::string, std::string> read_set_manifest(const std::filesystem::path& folder);

/// Compares every file with its hash, and looks for shards that MANIFEST does not name.  Returns
/// how many files there are.  Throws Error(kNotFound, kBadInput) naming the first that is not
/// right.
size_t verify_set(const std::filesystem::path& folder);

/// Where the files of a set are while it is not whole: OUT/.part.
inline constexpr const char* kPartFolder = ".part";

/// Whether a file below the folder of a set may be the set's: of build, prepare or convert.
bool is_set_file(const std::filesystem::path& name);
/// Whether nothing else lies below `folder`, but half-written files.
bool holds_only_set_files(const std::filesystem::path& folder);

/// Moves everything below `stage` (the same file system; it may be OUT/.part itself) to `out`, in
/// place of a set that is there.  That one stays until all files are in OUT/.part; then its
/// MANIFEST goes first, the new one comes last.  Other files of `out` stay.
/// `between` is called between any two changes, for tests that end the process there.
/// Throws Error(kCannotWrite).
void publish_set(const std::filesystem::path& stage, const std::filesystem::path& out,
                 const std::function<void()>& between = {});

/// Writes files of a finished set again and corrects their lines in MANIFEST.
void replace_in_set(const std::filesystem::path& folder,
                    const std::map<std::string, std::string>& contents);

}  // namespace kani
