// codec_round_trip.cc - sound to codes and back, see kani/codec.h.
#include "kani/audio/resampler.h"
#include "kani/backend/registry.h"
#include "kani/base/error.h"
#include "kani/codec.h"
#include "kani/codec/streaming_decoder.h"
#include "kani/codec/streaming_encoder.h"
#include "kani/engine/codec_type.h"
#include "kani/engine/model_files.h"
#include "kani/formats/nemo.h"
#include "kani/spec/nanocodec.h"

namespace kani {

class CodecRoundTrip::Impl {
 public:
  explicit Impl(const EngineOptions& options)
      : backend_(make_backend({options.device, options.threads, options.isa})) {
    path_ = find_model_files(options.model, options.codec).codec;
    const NemoArchive archive = open_nemo(
        path_, [](std::string_view name) { return nanocodec_wants(name, /*encoder=*/true); });
    config_ = parse_nanocodec_config(archive.config_yaml, path_.string());
    encoder_ = std::make_unique<NanoCodecEncoder>(config_, *archive.weights, backend_->signal());
    decoder_ = std::make_unique<NanoCodecDecoder>(config_, *archive.weights, backend_->signal(),
                                                  signal_type(options.codec_type));
  }

  int rate_hz() const { return config_.sample_rate_hz; }
  const std::filesystem::path& path() const { return path_; }

  std::vector<float> pass(std::span<const float> mono, int rate_hz) {
    require(rate_hz >= 8000 && rate_hz <= 192000, "sample rate is ", rate_hz,
            " Hz, must be 8000 to 192000");
    const std::vector<float> samples =
        resample(mono, rate_hz, config_.sample_rate_hz, ResamplerQuality::kHigh);
    const EncodedFrames frames = encode_recording(*encoder_, samples);
    std::vector<float> sound = StreamingDecoder(*decoder_).push(frames.codes);
    sound.resize(samples.size());
    return sound;
  }

 private:
  std::unique_ptr<Backend> backend_;
  std::filesystem::path path_;
  NanoCodecConfig config_;
  std::unique_ptr<NanoCodecEncoder> encoder_;
  std::unique_ptr<NanoCodecDecoder> decoder_;
};

CodecRoundTrip::CodecRoundTrip(const EngineOptions& options)
    : impl_(std::make_unique<Impl>(options)) {}
CodecRoundTrip::CodecRoundTrip(CodecRoundTrip&&) noexcept = default;
CodecRoundTrip& CodecRoundTrip::operator=(CodecRoundTrip&&) noexcept = default;
CodecRoundTrip::~CodecRoundTrip() = default;

std::vector<float> CodecRoundTrip::pass(std::span<const float> mono, int rate_hz) {
  return impl_->pass(mono, rate_hz);
}

int CodecRoundTrip::sample_rate_hz() const { return impl_->rate_hz(); }

const std::filesystem::path& CodecRoundTrip::path() const { return impl_->path(); }

}  // namespace kani
