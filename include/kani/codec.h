// codec.h - a model's codec alone: what it does to a sound, whoever made it.
//
//   kani::CodecRoundTrip codec({.model = "models/kani-mini"});
//   std::vector<float> same_but_coded = codec.pass(samples, 22050);
//
// What comes back is the best that a language model of this codec can ever sound like.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "kani/kani.h"

namespace kani {

/// Encoder and decoder, loaded without the language model.  One thread at a time.
class CodecRoundTrip {
 public:
  /// Of `options` model, codec, threads, device, isa and codec_type count.  Throws
  /// Error(kNotFound), Error(kBadInput) also for a codec without an encoder, Error(kOutOfMemory).
  explicit CodecRoundTrip(const EngineOptions& options);
  CodecRoundTrip(CodecRoundTrip&&) noexcept;
  CodecRoundTrip& operator=(CodecRoundTrip&&) noexcept;
  ~CodecRoundTrip();

  /// Mono samples at 8,000 to 192,000 Hz to codes and back, at sample_rate_hz() and as long as they
  /// were (the padding to whole frames is cut off).  Throws Error(kBadInput) for no samples and for
  /// such that are not finite, Error(kInvalidArgument) for other rates.
  std::vector<float> pass(std::span<const float> mono, int rate_hz);
  int sample_rate_hz() const;
  /// The codec's file.
  const std::filesystem::path& path() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace kani
