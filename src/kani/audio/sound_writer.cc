// sound_writer.cc - the way of a sample: cleaned, resampled if the format asks for another rate,
// encoded, handed to a target.
#include "kani/audio/sound_writer.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "kani/audio/byte_target.h"
#include "kani/audio/encoder.h"
#include "kani/audio/player.h"
#include "kani/audio/resampler.h"
#include "kani/base/error.h"

namespace kani {
namespace {

constexpr int kLeastRate = 8000;
constexpr int kMostRate = 192000;

struct NamedFormat {
  std::string_view name;
  SoundFormat format;
};
constexpr std::array<NamedFormat, 8> kFormats{{{"wav", SoundFormat::kWav},
                                               {"flac", SoundFormat::kFlac},
                                               {"mp3", SoundFormat::kMp3},
                                               {"opus", SoundFormat::kOpus},
                                               {"ogg", SoundFormat::kOgg},
                                               {"aac", SoundFormat::kAac},
                                               {"pcm", SoundFormat::kRaw},
                                               {"raw", SoundFormat::kRaw}}};

std::string_view format_name(SoundFormat format) {
  return std::ranges::find(kFormats, format, &NamedFormat::format)->name;
}

// The rate to encode at.  A rate that was asked for and does not fit is refused, never replaced.
int output_rate(const SoundWriterOptions& options) {
  if (!sound_format_supported(options.format)) {
    throw Error(ErrorCode::kUnsupported, "this build cannot write ", format_name(options.format))
        .with_hint("choose mp3 or opus, or build it with vo-aacenc");
  }
  require(options.input_rate_hz >= kLeastRate && options.input_rate_hz <= kMostRate,
          "sample rate is ", options.input_rate_hz, " Hz, must be ", kLeastRate, " to ", kMostRate);
  int rate = options.output_rate_hz;
  if (rate == 0) rate = options.format == SoundFormat::kOpus ? 24000 : options.input_rate_hz;
  const std::span<const int> rates = encoder_rates(options.format);
  if (rates.empty()) {
    require(rate >= kLeastRate && rate <= kMostRate, "output sample rate is ", rate,
            " Hz, must be ", kLeastRate, " to ", kMostRate);
    return rate;
  }
  if (std::ranges::find(rates, rate) == rates.end()) {
    std::string list;
    for (const int possible : rates) list += (list.empty() ? "" : ", ") + std::to_string(possible);
    throw Error(ErrorCode::kInvalidArgument, format_name(options.format),
                " cannot have a sample rate of ", rate, " Hz, only one of ", list);
  }
  return rate;
}

class EncodingWriter : public SoundWriter {
 public:
  EncodingWriter(const SoundWriterOptions& options, std::unique_ptr<ByteTarget> target)
      : target_(std::move(target)),
        resampler_(options.input_rate_hz, output_rate(options),
                   target_->can_rewrite() ? ResamplerQuality::kHigh : ResamplerQuality::kMedium),
        encoder_(make_encoder({.format = options.format,
                               .rate_hz = output_rate(options),
                               .tags = options.tags,
                               .title = options.title},
                              *target_)) {}

  void write(std::span<const float> samples) override {
    begin_step();
    clean_.clear();
    std::ranges::transform(samples, std::back_inserter(clean_), clean_sample);
    resampled_.clear();
    resampler_.push(clean_, resampled_);
    encoder_->encode(resampled_);
    samples_ += samples.size();
    state_ = State::kOpen;
  }

  void finish() override {
    begin_step();
    resampled_.clear();
    resampler_.finish(resampled_);
    encoder_->encode(resampled_);
    encoder_->finish();
    target_->finish();
    state_ = State::kFinished;
  }

  uint64_t samples() const override { return samples_; }

 private:
  enum class State { kOpen, kFailed, kFinished };

  // A step that throws leaves half of its bytes behind; nothing may follow them.
  void begin_step() {
    require(state_ != State::kFinished, "the sound is already finished");
    if (state_ == State::kFailed) {
      throw Error(ErrorCode::kCannotWrite, "an earlier write of this sound failed");
    }
    state_ = State::kFailed;
  }

  std::unique_ptr<ByteTarget> target_;  // outlives the encoder
  Resampler resampler_;
  std::unique_ptr<SoundEncoder> encoder_;
  std::vector<float> clean_;
  std::vector<float> resampled_;
  uint64_t samples_ = 0;
  State state_ = State::kOpen;
};

}  // namespace

std::span<const int> encoder_rates(SoundFormat format) {
  static constexpr std::array kMp3{8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000};
  static constexpr std::array kOpus{8000, 12000, 16000, 24000, 48000};
  static constexpr std::array kAac{8000,  11025, 12000, 16000, 22050, 24000,
                                   32000, 44100, 48000, 64000, 88200, 96000};
  if (format == SoundFormat::kMp3) return kMp3;
  if (format == SoundFormat::kOpus) return kOpus;
  if (format == SoundFormat::kAac) return kAac;
  return {};
}

std::unique_ptr<SoundEncoder> make_encoder(const EncoderSettings& settings, ByteTarget& target) {
  switch (settings.format) {
    case SoundFormat::kWav:
      return make_wav_encoder(settings, target);
    case SoundFormat::kMp3:
      return make_mp3_encoder(settings, target);
    case SoundFormat::kAac:
      return make_aac_encoder(settings, target);
    case SoundFormat::kRaw:
      return make_raw_encoder(target);
    case SoundFormat::kFlac:
    case SoundFormat::kOpus:
    case SoundFormat::kOgg:
      return make_sndfile_encoder(settings, target);
  }
  throw Error(ErrorCode::kInternal, "unknown sound format");
}

bool sound_format_supported(SoundFormat format) {
  return format != SoundFormat::kAac || have_aac_encoder();
}

std::optional<SoundFormat> sound_format_from_name(std::string_view name_or_path) {
  const size_t slash = name_or_path.rfind('/');
  std::string_view name = name_or_path.substr(slash == std::string_view::npos ? 0 : slash + 1);
  const size_t dot = name.rfind('.');
  if (dot == std::string_view::npos && slash != std::string_view::npos) return std::nullopt;
  if (dot != std::string_view::npos) name.remove_prefix(dot + 1);
  const auto same = [name](const NamedFormat& format) {
    return std::ranges::equal(name, format.name, [](char a, char b) {
      return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b;
    });
  };
  const auto* const found = std::ranges::find_if(kFormats, same);
  if (found == kFormats.end()) return std::nullopt;
  return found->format;
}

std::unique_ptr<SoundWriter> open_sound_file(const std::filesystem::path& path,
                                             const SoundWriterOptions& options) {
  output_rate(options);  // wrong options must not touch the file
  return std::make_unique<EncodingWriter>(options, open_file_target(path, options.streaming));
}

std::unique_ptr<SoundWriter> open_sound_stream(ByteSink sink, const SoundWriterOptions& options) {
  // Vorbis waits up to 0.7 s between pages, and libsndfile cannot change that.
  if (options.format == SoundFormat::kOgg) {
    throw Error(ErrorCode::kUnsupported, "Vorbis cannot be streamed").with_hint("choose opus");
  }
  return std::make_unique<EncodingWriter>(options, make_stream_target(std::move(sink)));
}

std::unique_ptr<SoundWriter> open_sound_memory(std::vector<std::byte>& bytes,
                                               const SoundWriterOptions& options) {
  return std::make_unique<EncodingWriter>(options, make_memory_target(bytes));
}

std::unique_ptr<SoundWriter> open_player(int rate_hz) {
  std::unique_ptr<ByteTarget> target = open_player_target(rate_hz);
  if (!target) return nullptr;
  return std::make_unique<EncodingWriter>(
      SoundWriterOptions{.format = SoundFormat::kRaw, .input_rate_hz = rate_hz}, std::move(target));
}

}  // namespace kani
