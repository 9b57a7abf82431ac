// convert.cc - see convert.h.
#include "kani/dataset/convert.h"

#include <cstdio>

namespace kani {

ShardFolderWriter::ShardFolderWriter(std::filesystem::path folder, ShardInfo info, Limits limits,
                                     std::string split)
    : folder_(std::move(folder)),
      info_(std::move(info)),
      limits_(limits),
      split_(std::move(split)) {}

ShardFolderWriter::~ShardFolderWriter() = default;

void ShardFolderWriter::add(const TrainingClip& clip) {
  if (!shard_) shard_ = std::make_unique<ShardWriter>(info_);
  shard_->add(clip);
  bytes_ += clip.text.size() * sizeof(int32_t) + clip.codes.size() * 2 + clip.utf8.size() +
            clip.notes.size() + clip.voice.size() * sizeof(float);
  if (shard_->clips() >= limits_.clips || bytes_ >= limits_.bytes) close_shard();
}

void ShardFolderWriter::close_shard() {
  char number[40];
  std::snprintf(number, sizeof number, "-%05zu", files_.size());
  files_.push_back(folder_ / concat(split_.empty() ? "clips" : split_, number, ".kshard"));
  shard_->write(files_.back());
  shard_.reset();
  bytes_ = 0;
}

void ShardFolderWriter::finish() {
  if (shard_) close_shard();
  if (split_.empty()) return;
  for (std::filesystem::path& file : files_) {
    char count[40];
    std::snprintf(count, sizeof count, "-of-%05zu", files_.size());
    const std::filesystem::path name =
        folder_ / concat(file.stem(), std::string_view(count), ".kshard");
    std::filesystem::rename(file, name);
    file = name;
  }
}

ShardClips::ShardClips(const std::filesystem::path& path) : shard_(path) { shard_.verify(); }

NextClip ShardClips::next(TrainingClip& clip) {
  if (at_ == shard_.clips()) return NextClip::kEnd;
  clip = shard_.clip(at_++);
  return NextClip::kClip;
}

}  // namespace kani
