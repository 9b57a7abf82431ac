// recordings.h - what the encoder is trained on: recordings by speaker, read as the runtime reads a
// reference (mean of the channels, 16 kHz by the same short sinc, at most 30 s; speaker.md 2), and
// crops of them that follow from numbers alone.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "kani/train/speaker/speaker_config.h"

namespace kani::train {

/// One thread at a time: decoded sound is kept until the cache is full.
class Recordings {
 public:
  /// Each place is a manifest (JSON lines with a sound under "file", "audio", "path" … and
  /// "speaker"; other fields are passed over) or a folder with a folder of sounds for each speaker.
  /// Speakers of one name are one.  Nothing is decoded yet.  Throws Error(kNotFound, kBadInput).
  Recordings(const std::vector<std::string>& places, int64_t cache_mb);

  size_t speakers() const { return names_.size(); }
  const std::string& name(size_t speaker) const { return names_[speaker]; }
  size_t count() const;
  size_t count(size_t speaker) const { return files_[speaker].size(); }
  /// Of names, paths below their place, and sizes of files.
  std::string hash() const;
  /// Takes `share` of the speakers out, at least 2, chosen by a hash of their names.  Throws
  /// Error(kBadInput) if fewer than 2 would stay.
  Recordings split_off(double share);

  /// Mono samples at 16 kHz of a speaker's recording; null for one that cannot be decoded or is
  /// silent, of which a warning tells once.  Valid until the next call.  Throws Error(kNotFound)
  /// for one that is not there any more.
  const std::vector<float>* samples(size_t speaker, size_t index);
  /// Those of the recording, or of the next of the same speaker that has any.  Throws
  /// Error(kBadInput) if none of them has.
  const std::vector<float>& samples_from(size_t speaker, size_t index);

 private:
  struct File {
    std::filesystem::path path;
    std::string label;  // below its place
    uint64_t bytes = 0;
  };
  explicit Recordings(int64_t cache_bytes) : cache_bytes_(cache_bytes) {}
  void add(const std::string& speaker, File file);
  void read_manifest(const std::filesystem::path& path);
  void read_folder(const std::filesystem::path& path);
  void sort();

  std::vector<std::string> names_;
  std::vector<std::vector<File>> files_;  // by speaker, sorted
  std::map<std::string, size_t> index_;
  int64_t cache_bytes_ = 0, cached_bytes_ = 0;
  std::map<std::pair<size_t, size_t>, std::vector<float>> cache_;
  std::set<std::pair<size_t, size_t>> unusable_;
  std::vector<float> uncached_;
};

/// A sound file as the runtime takes it for a reference: mono, 16 kHz, at most 30 s.  Throws
/// Error(kNotFound, kBadInput), for digital silence too.
std::vector<float> read_reference_sound(const std::filesystem::path& path);

/// (x - mean) / (deviation + 1e-10), divisor n - 1, sums in double: what the runtime gives its
/// network.
void normalize_signal(std::vector<float>& samples);

/// What an update hears.
struct CropBatch {
  std::vector<float> samples;  // [count, length], each normalized
  std::vector<int64_t> speakers;
  int64_t length = 0;
};

/// The crops of update `step`: a pure function of the configuration's seed, `step` and the
/// recordings.  A crop is a stretch of one recording, or of several of one speaker behind each
/// other where they are shorter; each has its own gain, and some crops have noise.
CropBatch make_crops(Recordings& recordings, const SpeakerTrainConfig& config, int64_t step);

struct TestClip {
  std::vector<float> samples;  // normalized
  size_t speaker = 0;
};

/// Whole recordings of each speaker joined to clips of eval_seconds or more, at most eval_clips a
/// speaker.  What is too short for one clip is left out.
std::vector<TestClip> make_test_clips(Recordings& recordings, const SpeakerTrainConfig& config);

}  // namespace kani::train
