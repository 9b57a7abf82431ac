// aac_encoder.cc - AAC-LC in ADTS frames, mono, 64 kbit/s (vo-aacenc).  Built if that library is
// there; else aac_missing.cc stands in.  ADTS has no place for tags.
#include <vo-aacenc/cmnMemory.h>
#include <vo-aacenc/voAAC.h>

#include <algorithm>
#include <array>

#include "kani/audio/encoder.h"
#include "kani/base/error.h"

namespace kani {
namespace {

constexpr int kBitRate = 64000;
constexpr size_t kFrame = 1024;  // samples of one AAC frame
constexpr size_t kDelay =
    1600;  // overlap of two frames, and look-ahead for short blocks (measured)

// Passed in because the library has a default of its own only if it was configured so.
VO_MEM_OPERATOR memory_operator() {
  return {.Alloc = cmnMemAlloc,
          .Free = cmnMemFree,
          .Set = cmnMemSet,
          .Copy = cmnMemCopy,
          .Check = cmnMemCheck,
          .Compare = cmnMemCompare,
          .Move = cmnMemMove};
}

class AacEncoder : public SoundEncoder {
 public:
  AacEncoder(const EncoderSettings& settings, ByteTarget& target);
  AacEncoder(const AacEncoder&) = delete;
  AacEncoder& operator=(const AacEncoder&) = delete;
  ~AacEncoder() override { api_.Uninit(codec_); }

  void encode(std::span<const float> samples) override;
  void finish() override;

 private:
  void encode_frame();

  ByteTarget& target_;
  VO_MEM_OPERATOR memory_ = memory_operator();
  VO_AUDIO_CODECAPI api_{};
  VO_HANDLE codec_ = nullptr;
  std::array<int16_t, kFrame> frame_{};
  size_t filled_ = 0;
  std::array<unsigned char, 8192> bytes_{};  // an ADTS frame's length field has 13 bits
};

void check(VO_U32 result, const char* what) {
  if (result != VO_ERR_NONE) {
    throw Error(ErrorCode::kInternal, "AAC encoder: ", what, " failed with code ", result);
  }
}

AacEncoder::AacEncoder(const EncoderSettings& settings, ByteTarget& target) : target_(target) {
  VO_CODEC_INIT_USERDATA user{};
  user.memflag = VO_IMF_USERMEMOPERATOR;
  user.memData = &memory_;
  check(voGetAACEncAPI(&api_), "start");
  check(api_.Init(&codec_, VO_AUDIO_CodingAAC, &user), "start");
  // The standard's bit reservoir holds 6,144 bits a frame and channel: at 8 kHz less than 64
  // kbit/s.
  AACENC_PARAM parameters{.sampleRate = settings.rate_hz,
                          .bitRate = std::min(kBitRate, 6 * settings.rate_hz),
                          .nChannels = 1,
                          .adtsUsed = 1};
  const VO_U32 result = api_.SetParam(codec_, VO_PID_AAC_ENCPARAM, &parameters);
  if (result != VO_ERR_NONE) api_.Uninit(codec_);
  check(result, "setting the rate");
}

void AacEncoder::encode_frame() {
  VO_CODECBUFFER in{};
  in.Buffer = reinterpret_cast<VO_PBYTE>(frame_.data());
  in.Length = sizeof frame_;
  check(api_.SetInputData(codec_, &in), "input");
  VO_CODECBUFFER out{};
  out.Buffer = bytes_.data();
  out.Length = bytes_.size();
  VO_AUDIO_OUTPUTINFO info{};
  check(api_.GetOutputData(codec_, &out, &info), "output");
  target_.append(std::as_bytes(std::span(bytes_).first(out.Length)));
  filled_ = 0;
}

void AacEncoder::encode(std::span<const float> samples) {
  for (const float sample : samples) {
    frame_[filled_++] = f32_to_s16(sample);
    if (filled_ == kFrame) encode_frame();
  }
}

// A decoder gives the sound kDelay samples late, so as much silence is encoded behind it.
void AacEncoder::finish() {
  for (size_t rest = filled_ + kDelay; rest > 0; rest -= std::min(rest, kFrame)) {
    std::fill(frame_.begin() + static_cast<ptrdiff_t>(filled_), frame_.end(), int16_t{0});
    encode_frame();
  }
}

}  // namespace

bool have_aac_encoder() noexcept { return true; }

std::unique_ptr<SoundEncoder> make_aac_encoder(const EncoderSettings& settings,
                                               ByteTarget& target) {
  return std::make_unique<AacEncoder>(settings, target);
}

}  // namespace kani
