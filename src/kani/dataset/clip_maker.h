// clip_maker.h - one record to one training clip: every stage in its order, with the model's own
// codec, tokenizer and speaker encoder.  A pure function of record and configuration.
// Source: training.md 15.  Not here: which clips are kept (selection.h), files (work_unit.h).
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "kani/base/cancel.h"
#include "kani/base/json.h"
#include "kani/dataset/clip_text.h"
#include "kani/dataset/recording.h"
#include "kani/formats/token_shard.h"
#include "kani/spec/lfm2.h"
#include "kani/spec/nanocodec.h"
#include "kani/tokens/tokenizer.h"

namespace kani {

struct ModelParts {
  std::filesystem::path language_model;   // folder with config.json and tokenizer.json
  std::filesystem::path codec;            // .nemo file with an encoder
  std::filesystem::path speaker_encoder;  // folder; empty = clips get no voice
};

struct ClipOptions {
  SoundOptions sound{};
  TextOptions text{};
  bool language_tags = false;  // "en: text", as config.json's language_settings ask for
  std::string isa{};           // as DeviceOptions
};

/// What all workers share: read once, immutable, thread-safe.
class ClipRules {
 public:
  /// Throws Error(kNotFound, kBadInput) for models that do not fit together or have no encoder.
  ClipRules(ModelParts parts, ClipOptions options);

  const ModelParts& parts() const { return parts_; }
  const ClipOptions& options() const { return options_; }
  const Lfm2Config& config() const { return config_; }
  const NanoCodecConfig& codec() const { return codec_; }
  const Tokenizer& tokenizer() const { return tokenizer_; }
  int voice_dim() const { return voice_dim_; }
  ShardInfo shard_info() const;
  /// Everything that decides what a clip looks like, models by their hashes.
  Json fingerprint() const;

 private:
  ModelParts parts_;
  ClipOptions options_;
  Lfm2Config config_;
  Tokenizer tokenizer_;
  NanoCodecConfig codec_;
  int voice_dim_ = 0;
  std::string tokenizer_hash_, codec_hash_, speaker_hash_, speaker_config_hash_;
};

/// What became of a record: a clip, or the reason why not.
struct ClipResult {
  std::optional<Reject> reject{};
  TrainingClip clip{};                // without reject; the voice is the clip's own
  std::array<std::byte, 32> sound{};  // hash of the samples
  std::string normalized{};           // text before tag and tokens
};

/// One thread at a time: it has the codec's encoder and the speaker encoder on a backend of its
/// own with one thread, so that what a clip is does not depend on how many workers there are.
class ClipMaker {
 public:
  /// `rules` must outlive it.  Throws as the encoders do.
  explicit ClipMaker(const ClipRules& rules);
  ~ClipMaker();

  /// Throws Error(kCancelled) and for faults of the machine; what is wrong with a record is its
  /// reject.
  /// `bytes` as decode_record() takes them.
  ClipResult make(const SourceRecord& record, const std::filesystem::path& audio,
                  const CancelToken* cancel = nullptr, std::span<const std::byte> bytes = {});

 private:
  struct Encoders;
  void make_codes(const PreparedSound& sound, TrainingClip& clip);
  std::optional<Reject> make_voice(const PreparedSound& sound, const CancelToken* cancel,
                                   TrainingClip& clip);

  const ClipRules& rules_;
  std::unique_ptr<Encoders> encoders_;
  StretchReader stretches_;
};

/// The notes of a clip: text_raw, quality, licence, audio and stretch, so that every clip can be
/// traced to its origin, and the token in front of its text if its language has one.
std::string clip_notes(const SourceRecord& record, const SoundMeasures& measures,
                       double characters_per_second, const std::string& tag_token = {});

/// A document as one line; bytes that are no UTF-8 become U+FFFD.
std::string json_line(const Json& value);
/// Rounded, so that files for people hold no noise.
double rounded(double value, int digits);

}  // namespace kani
