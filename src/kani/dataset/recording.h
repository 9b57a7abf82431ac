// recording.h - a record's sound: decoded to mono, brought to the codec's rate, made as loud as all
// others, trimmed, measured and judged.  Pure functions of one record.
// Source: training.md 15.2 to 15.4, 15.6.  Not here: its text (clip_text.h), codes (clip_maker.h).
#pragma once

#include <array>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kani/audio/recording_quality.h"
#include "kani/audio/sound_reader.h"
#include "kani/dataset/clip_limits.h"
#include "kani/dataset/loudness.h"
#include "kani/dataset/manifest.h"
#include "kani/dataset/trim.h"

namespace kani {

/// A recording may be so long, whatever is made of it.
inline constexpr double kMostSecondsOfFile = 24 * 3600;

enum class LoudnessMode { kNormalize, kAsIs };

struct SoundOptions {
  LoudnessMode loudness = LoudnessMode::kNormalize;
  LoudnessTarget target{};
  TrimOptions trim{};
  ClipLimits limits{};
};

/// What was decoded: the stretch that the record names, mean of the channels.
struct DecodedSound {
  std::vector<float> samples;
  int rate_hz = 0;
  int channels = 0;
  double clipped_share = 0;  // of the channel of which most is clipped: the mean hides it

  double seconds() const { return static_cast<double>(samples.size()) / rate_hz; }
};

/// Fills `sound`, or says why not: kAudioMissing, kAudio, kCut, kTooLong (three times the limit and
/// more is not even read).  Reads up to 24 hours to get to a stretch.  Of a record that is a row of
/// a data set or a member of an archive `bytes` are the sound, and `path` is not opened.
std::optional<Reject> decode_record(const SourceRecord& record, const std::filesystem::path& path,
                                    const ClipLimits& limits, DecodedSound& sound,
                                    std::span<const std::byte> bytes = {});

/// The same of records one after the other: stretches of one recording that ascend are read in one
/// go, which a recording of hours in a thousand pieces needs.  One thread at a time.
class StretchReader {
 public:
  std::optional<Reject> decode(const SourceRecord& record, const std::filesystem::path& path,
                               const ClipLimits& limits, DecodedSound& sound,
                               std::span<const std::byte> bytes = {});

 private:
  /// What is open, and by what it is seen to be the same; the bytes are not looked at after the
  /// call unless they are given again.
  struct Source {
    std::filesystem::path path{};
    int64_t row = -1;
    const std::byte* bytes = nullptr;
    uintmax_t size = 0;  // of bytes, or of the file
    std::filesystem::file_time_type time{};
    bool operator==(const Source&) const = default;
  };
  void open(const SourceRecord& record, const std::filesystem::path& path,
            std::span<const std::byte> bytes);
  void read(uint64_t first, uint64_t last, std::vector<float>& out);

  Source source_{};
  std::optional<SoundReader> reader_;
  std::vector<float> block_;
  std::vector<float> channels_;          // the block's, beside each other
  std::vector<ClippingMeter> clipping_;  // of each channel, of the stretch
  uint64_t at_ = 0;                      // of the block's first sample
  size_t have_ = 0;                      // samples of the block
};

/// SHA-256 of the samples; with `text` the identity of the record.
std::array<std::byte, 32> sound_hash(const DecodedSound& sound);
std::array<std::byte, 32> record_hash(const DecodedSound& sound, const std::string& text);

/// For the report and for the notes of the clip.
struct SoundMeasures {
  int rate_hz = 0;  // of the file, as are channels
  int channels = 0;
  double loudness_lufs = 0;  // before the gain
  double true_peak_db = 0;   // likewise
  double gain_db = 0;
  double clipped_share = 0;
  double silent_share = 0;
  double speech_share = 0;
  double noise_distance_db = 0;
  double dc = 0;  // mean of the samples
  double bandwidth_hz = 0;
  double trimmed_s = 0;  // taken off both ends together
};

/// A clip's sound as codec and speaker encoder take it.
struct PreparedSound {
  std::vector<float> codec;    // at codec_rate_hz, with the gain
  std::vector<float> speaker;  // at 16 kHz, the same stretch; the encoder does not mind levels
  double seconds = 0;
  SoundMeasures measures{};
};

/// Each rate comes directly from the original; what is clipped is what `decoded` says.  kTooShort,
/// kTooLong, kClipped, kSilent, kNoSpeech, kNoisy are possible.
std::optional<Reject> prepare_sound(const DecodedSound& decoded, int codec_rate_hz,
                                    const SoundOptions& options, PreparedSound& prepared);

}  // namespace kani
