// set_files.h - a finished set as files: MANIFEST has the SHA-256 of every other one and is written
// last, so that a folder without it is no set.  Its lines are those of sha256sum, which can check
// them (`sha256sum -c MANIFEST`).
// Not here: what is in the files (assembly.h).
#pragma once

#include <filesystem>
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

/// Moves everything below `stage` to `out` (the same file system), in place of a set that is there:
/// that one's MANIFEST goes first, the new one comes last.  Other files of `out` stay.
/// Throws Error(kCannotWrite).
void publish_set(const std::filesystem::path& stage, const std::filesystem::path& out);

/// Writes files of a finished set again and corrects their lines in MANIFEST.
void replace_in_set(const std::filesystem::path& folder,
                    const std::map<std::string, std::string>& contents);

}  // namespace kani
