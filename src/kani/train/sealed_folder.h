// sealed_folder.h - folders of files that are whole or are not there: filled under a temporary
// name, every file hashed, flushed, renamed.  Checkpoints of language models (checkpoint.h) and of
// codecs (codec/codec_checkpoint.h) are such folders, named step-… in a run's output. Source:
// training.md 14.6, reliability.md T1 to T6.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace kani::train {

/// Hashes every file of `part` into its MANIFEST, renames it to `folder`, and makes `latest` beside
/// it name it.  A folder that has the name already goes when the new one is in its place; killed
/// between, it is there under one of both names.  Throws Error(kCannotWrite),
/// std::filesystem::filesystem_error.
void seal_folder(const std::filesystem::path& part, const std::filesystem::path& folder);

/// A folder that `write` fills: under a temporary name in the same place, then sealed.  What was
/// begun is taken away if that fails.  Throws Error(kCannotWrite) and what `write` throws.
void write_sealed(const std::filesystem::path& folder,
                  const std::function<void(const std::filesystem::path& part)>& write);

/// What a MANIFEST says: SHA-256 in hexadecimal by name of file.  `source` names it.  Throws
/// Error(kBadInput) with the line, for a line of another form, for a name twice and for one that is
/// no plain name.
std::map<std::string, std::string> parse_seal(std::string_view text, std::string_view source);

/// Compares every file with the MANIFEST and returns the names.  Throws Error(kBadInput) naming the
/// file, also for a name of `needed` that the MANIFEST lacks.
std::set<std::string> verify_sealed(const std::filesystem::path& folder,
                                    const std::vector<std::string>& needed);

/// The folders step-… in `output`, oldest first; they need not be whole.  One that was moved aside
/// (step-….old) for another that never came is among them.
std::vector<std::filesystem::path> step_folders(const std::filesystem::path& output);

/// Throws Error(kInvalidArgument) if there are such folders: a run from the start would mix its
/// checkpoints with those of another, and delete them.
void require_no_steps(const std::filesystem::path& output);

/// The newest one that `verify` does not throw for; a warning names those it throws for.
std::optional<std::filesystem::path> newest_whole(
    const std::filesystem::path& output,
    const std::function<void(const std::filesystem::path&)>& verify);

/// Which ones stay when there are too many.
struct KeepRules {
  int64_t limit = 10;      // older ones go, but the two newest always stay; 0: all stay
  int64_t keep_every = 0;  // updates whose folders stay for ever; 0: none
  int64_t best = -1;       // update of one that stays
};
/// Deletes the others; names in the file `keep` beside them stay too.  If that file is there and
/// cannot be read nothing is deleted, with a warning.  Never fails.
void rotate_steps(const std::filesystem::path& output, const KeepRules& rules);

}  // namespace kani::train
