// sound_set.h - recordings in memory and the crops that a run takes from them.
// Not here: what is learnt from a crop (codec_trainer.h).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "kani/base/json.h"
#include "kani/train/torch.h"

namespace kani::train {

/// Where a crop begins.
struct Crop {
  size_t recording = 0;
  int64_t frame = 0;  // whole frames before it
  int64_t shift = 0;  // and samples, less than a frame, for who is not bound to frames
};

/// The sound that an object of a .jsonl list names, as it stands there.  Throws Error(kBadInput,
/// "<where>: …").
std::string path_in_record(const Json& record, const std::string& where);
/// The key that it stands under.
const char* path_key_of_record(const Json& record, const std::string& where);

/// Mono int16 at one sample rate; two bytes a sample.  Immutable.
class SoundSet {
 public:
  /// `places`: sound files; folders, with everything below that has a sound file's ending; .txt
  /// with a path a line, .jsonl with an object a line that names its sound under audio, path, file,
  /// audio_filepath, audio_path or wav.  Paths of lists are relative to the list.  Files are read
  /// in sorted order within a folder.  A recording that cannot be read is left out with a warning.
  /// Throws Error(kNotFound) for a place that is not there, Error(kBadInput) if none is left.
  SoundSet(const std::vector<std::string>& places, int rate_hz, int samples_per_frame);

  size_t size() const { return starts_.size() - 1; }
  uint64_t bytes() const { return samples_.size() * sizeof(int16_t); }
  double seconds() const;
  const std::string& name(size_t recording) const { return names_[recording]; }
  /// Whole frames of a recording, the last one filled up with zeros.
  int64_t frames(size_t recording) const;
  /// SHA-256 over all samples and where recordings end.
  const std::string& hash() const { return hash_; }

  /// Item `item` of update `update`: each place where `frames` fit is as likely as any other (a
  /// recording that is shorter has one), then a share of `starts` goes to its recording's first
  /// sample.  Nothing but the arguments decides.
  Crop crop(uint64_t seed, uint64_t update, uint64_t item, int64_t frames, double starts = 0) const;
  /// Samples begin … begin + count - 1 as floats in [-1, 1), zeros beyond both ends: [count].
  at::Tensor samples(size_t recording, int64_t begin, int64_t count) const;

 private:
  int rate_hz_;
  int64_t hop_;
  int64_t longest_ = 1;  // frames
  std::vector<std::string> names_;
  std::vector<int16_t> samples_;
  std::vector<uint64_t> starts_{0};  // of recordings, and the end of the last
  std::string hash_;
};

}  // namespace kani::train
