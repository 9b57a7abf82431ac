// mp3_encoder.cc - MPEG layer III, mono, constant 64 kbit/s (LAME).
// LAME directly, not through libsndfile: that one starts with a placeholder frame, which in a
// stream is 70 ms of silence and a wrong length.  Variable bit rate is not offered: readers guess
// the length of a stream from its first frame.
#include <lame/lame.h>

#include <algorithm>
#include <array>
#include <cstdarg>

#include "kani/audio/encoder.h"
#include "kani/audio/tags.h"
#include "kani/base/error.h"

namespace kani {
namespace {

constexpr int kBitRateKbps = 64;
constexpr int kQuality = 3;      // 0 slow and best ... 9
constexpr size_t kBlock = 1152;  // samples a call: bounds the output buffer

struct LameClose {
  void operator()(lame_global_struct* lame) const noexcept { lame_close(lame); }
};

// The library prints nothing; what LAME would say is in its return values.
void say_nothing(const char* /*format*/, va_list /*arguments*/) {}

class Mp3Encoder : public SoundEncoder {
 public:
  Mp3Encoder(const EncoderSettings& settings, ByteTarget& target);

  void encode(std::span<const float> samples) override;
  void finish() override;

 private:
  void start();
  void append(int bytes);

  EncoderSettings settings_;
  ByteTarget& target_;
  std::unique_ptr<lame_global_struct, LameClose> lame_;
  std::array<float, kBlock> block_{};
  std::array<unsigned char, kBlock * 5 / 4 + 7200> bytes_{};  // the size that lame.h asks for
  uint64_t first_frame_ = 0;                                  // where it lies in the file
  bool started_ = false;
};

Mp3Encoder::Mp3Encoder(const EncoderSettings& settings, ByteTarget& target)
    : settings_(settings), target_(target), lame_(lame_init()) {
  if (!lame_) throw Error(ErrorCode::kOutOfMemory, "no memory for the MP3 encoder");
  lame_global_struct* lame = lame_.get();
  lame_set_errorf(lame, say_nothing);
  lame_set_debugf(lame, say_nothing);
  lame_set_msgf(lame, say_nothing);
  lame_set_num_channels(lame, 1);
  lame_set_mode(lame, MONO);
  lame_set_in_samplerate(lame, settings.rate_hz);
  lame_set_out_samplerate(lame, settings.rate_hz);
  lame_set_VBR(lame, vbr_off);
  lame_set_brate(lame, kBitRateKbps);
  lame_set_quality(lame, kQuality);
  lame_set_write_id3tag_automatic(lame, 0);
  // The "Info" frame tells players how much of the codec's lead and padding to leave out.  It is
  // filled in at the end, so a stream has none.
  lame_set_bWriteVbrTag(lame, target.can_rewrite() ? 1 : 0);
  if (const int error = lame_init_params(lame); error < 0) {
    throw Error(ErrorCode::kInternal, "MP3 encoder: settings refused with code ", error);
  }
}

void Mp3Encoder::start() {
  if (started_) return;
  started_ = true;
  if (!settings_.tags || !target_.can_rewrite()) return;
  const Bytes tag = id3_tag(make_tags(settings_.title));
  target_.append(tag);
  first_frame_ = tag.size();
}

void Mp3Encoder::append(int bytes) {
  if (bytes < 0) throw Error(ErrorCode::kInternal, "MP3 encoder: failed with code ", bytes);
  target_.append(std::as_bytes(std::span(bytes_).first(static_cast<size_t>(bytes))));
}

void Mp3Encoder::encode(std::span<const float> samples) {
  start();
  while (!samples.empty()) {
    const size_t count = std::min(samples.size(), kBlock);
    for (size_t i = 0; i < count; ++i) block_[i] = clean_sample(samples[i]);
    append(lame_encode_buffer_ieee_float(lame_.get(), block_.data(), block_.data(),
                                         static_cast<int>(count), bytes_.data(),
                                         static_cast<int>(bytes_.size())));
    samples = samples.subspan(count);
  }
}

void Mp3Encoder::finish() {
  start();
  append(lame_encode_flush(lame_.get(), bytes_.data(), static_cast<int>(bytes_.size())));
  if (!target_.can_rewrite()) return;
  const size_t size = lame_get_lametag_frame(lame_.get(), bytes_.data(), bytes_.size());
  if (size > bytes_.size()) throw Error(ErrorCode::kInternal, "MP3 encoder: Info frame too long");
  target_.rewrite(first_frame_, std::as_bytes(std::span(bytes_).first(size)));
}

}  // namespace

std::unique_ptr<SoundEncoder> make_mp3_encoder(const EncoderSettings& settings,
                                               ByteTarget& target) {
  return std::make_unique<Mp3Encoder>(settings, target);
}

}  // namespace kani
