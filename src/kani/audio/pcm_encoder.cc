// pcm_encoder.cc - raw s16le, and WAV with the header that clients count on: 44 bytes, whatever is
// said about the sound stands behind the samples.  Written by hand because libsndfile offers
// neither that nor sizes of 0xFFFFFFFF for streams.
#include <algorithm>

#include "kani/audio/encoder.h"
#include "kani/audio/tags.h"

namespace kani {
namespace {

constexpr uint64_t kUnknown = UINT64_MAX;

class RawEncoder : public SoundEncoder {
 public:
  explicit RawEncoder(ByteTarget& target) : target_(target) {}

  void encode(std::span<const float> samples) override {
    bytes_.clear();
    append_s16le(bytes_, samples);
    target_.append(bytes_);
  }
  void finish() override {}

 private:
  ByteTarget& target_;
  Bytes bytes_;
};

class WavEncoder : public SoundEncoder {
 public:
  WavEncoder(const EncoderSettings& settings, ByteTarget& target)
      : settings_(settings), target_(target), samples_(target) {}

  void encode(std::span<const float> samples) override {
    start();
    samples_.encode(samples);
    data_bytes_ += 2 * samples.size();
  }

  void finish() override {
    start();
    if (!target_.can_rewrite()) return;
    Bytes info;
    // Beyond 4 GiB the header cannot say where the samples end, so nothing may follow them.
    if (settings_.tags && data_bytes_ < 0xFFFF0000U) {
      info = riff_info_chunk(make_tags(settings_.title));
      target_.append(info);
    }
    target_.rewrite(0, wav_header(settings_.rate_hz, data_bytes_, info.size()));
  }

 private:
  void start() {
    if (!started_) target_.append(wav_header(settings_.rate_hz, kUnknown, 0));
    started_ = true;
  }

  EncoderSettings settings_;
  ByteTarget& target_;
  RawEncoder samples_;
  uint64_t data_bytes_ = 0;
  bool started_ = false;
};

}  // namespace

Bytes wav_header(int rate_hz, uint64_t data_bytes, uint64_t bytes_behind_data) {
  constexpr uint64_t kMost = 0xFFFFFFFF;
  const uint64_t data = std::min(data_bytes, kMost);
  const uint64_t riff = data == kMost ? kMost : std::min(36 + data + bytes_behind_data, kMost);
  Bytes header;
  append_text(header, "RIFF");
  append_le(header, riff, 4);
  append_text(header, "WAVEfmt ");
  append_le(header, 16, 4);                                  // bytes of the format chunk
  append_le(header, 1, 2);                                   // PCM
  append_le(header, 1, 2);                                   // channels
  append_le(header, static_cast<uint64_t>(rate_hz), 4);      // samples a second
  append_le(header, static_cast<uint64_t>(rate_hz) * 2, 4);  // bytes a second
  append_le(header, 2, 2);                                   // bytes a sample of all channels
  append_le(header, 16, 2);                                  // bits a sample
  append_text(header, "data");
  append_le(header, data, 4);
  return header;
}

std::unique_ptr<SoundEncoder> make_raw_encoder(ByteTarget& target) {
  return std::make_unique<RawEncoder>(target);
}

std::unique_ptr<SoundEncoder> make_wav_encoder(const EncoderSettings& settings,
                                               ByteTarget& target) {
  return std::make_unique<WavEncoder>(settings, target);
}

}  // namespace kani
