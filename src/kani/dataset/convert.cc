// convert.cc - see convert.h.
#include "kani/dataset/convert.h"

#include <cstdio>

namespace kani {

ShardFolderWriter::ShardFolderWriter(std::filesystem::path folder, ShardInfo info, Limits limits)
    : folder_(std::move(folder)), info_(std::move(info)), limits_(limits) {}

ShardFolderWriter::~ShardFolderWriter() = default;

void ShardFolderWriter::add(const TrainingClip& clip) {
  if (!shard_) shard_ = std::make_unique<ShardWriter>(info_);
  shard_->add(clip);
  bytes_ += clip.text.size() * sizeof(int32_t) + clip.codes.size() * 2 + clip.utf8.size() +
            clip.notes.size() + clip.voice.size() * sizeof(float);
  if (shard_->clips() >= limits_.clips || bytes_ >= limits_.bytes) close_shard();
}

void ShardFolderWriter::close_shard() {
  char name[40];
  std::snprintf(name, sizeof(name), "clips-%05zu.kshard", files_.size());
  files_.push_back(folder_ / name);
  shard_->write(files_.back());
  shard_.reset();
  bytes_ = 0;
}

void ShardFolderWriter::finish() {
  if (shard_) close_shard();
}

ShardClips::ShardClips(const std::filesystem::path& path) : shard_(path) { shard_.verify(); }

NextClip ShardClips::next(TrainingClip& clip) {
  if (at_ == shard_.clips()) return NextClip::kEnd;
  clip = shard_.clip(at_++);
  return NextClip::kClip;
}

}  // namespace kani
