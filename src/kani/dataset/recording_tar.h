// recording_tar.h - recordings inside of tar archives, as WebDataset keeps them: members of one
// stem, KEY.flac beside KEY.txt or KEY.json.  Archives are never unpacked and no name out of one is
// ever opened: a member is read where it lies, when its turn comes.
// Source: training.md 15.1; hostile archives: tar.h (formats).
// Not here: archives that are compressed, in which nothing can be found without reading all.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <vector>

#include "kani/base/file.h"
#include "kani/dataset/manifest.h"

namespace kani {

/// Archives *.tar below a folder in the order of their paths; of files that are named after splits
/// those of "train" (split_files.h).  Throws Error(kBadInput, kNotFound if none of them is).
std::vector<std::filesystem::path> find_tars(const std::filesystem::path& folder);

/// A record for each sound, in the order of the archive.  Members' names are told apart as those of
/// files in a folder (manifest.h); where KEY.json lies beside KEY.txt (.normalized.txt, .lab), it
/// says the rest.  A record's audio is "FILE: MEMBER", FILE relative to `folder`; with
/// `speaker_folders` the first folder of a member is its speaker, as far as nothing else says it.
/// Only headers and texts are read.  Throws Error(kNotFound), Error(kBadInput) for an archive that
/// is damaged, cut off or made to do harm, as a whole.
std::vector<SourceRecord> read_recording_tar(const std::filesystem::path& file,
                                             const std::filesystem::path& folder,
                                             bool speaker_folders);

/// The sounds in archives.  One thread at a time; one archive is open and one sound in memory.
class TarSounds {
 public:
  /// `bytes` from byte `at` of an archive on, until the next call.  Throws Error(kNotFound) if
  /// there is no such file or nothing of the member, Error(kBadInput) if it ends before.
  std::span<const std::byte> sound(const std::filesystem::path& file, uint64_t at, uint64_t bytes);

 private:
  std::filesystem::path path_;
  std::optional<InputFile> file_;
  uint64_t at_ = 0;
  std::vector<std::byte> sound_;
};

}  // namespace kani
