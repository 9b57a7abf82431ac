// voice_encoder.cc - recordings to a voice: each one is read, judged and embedded; the voice is the
// plain mean of the vectors.
// Source: speaker.md 9.  Not here: the network (speaker/), keeping the voice (voice_keep.cc).
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <ctime>

#include "kani/audio/recording_quality.h"
#include "kani/backend/registry.h"
#include "kani/base/file.h"
#include "kani/base/sha256.h"
#include "kani/engine/model_files.h"
#include "kani/engine/voice_files.h"
#include "kani/speaker/reference.h"
#include "kani/speaker/speaker_encoder.h"
#include "kani/spec/speaker.h"
#include "kani/voice.h"

namespace kani {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxRecordings = 100;
// Orange reports an equal error rate of 1.68 % at a cosine of 0.472.
constexpr double kSameSpeaker = 0.47;
constexpr uint64_t kMaxConfig = 1 << 20;

/// 2026-01-31T12:00:00Z
std::string utc_now() {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[40];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

std::string decimals(double value, int digits) {
  char text[40];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

double cosine(std::span<const float> a, std::span<const float> b) {
  double ab = 0, aa = 0, bb = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    ab += double{a[i]} * double{b[i]};
    aa += double{a[i]} * double{a[i]};
    bb += double{b[i]} * double{b[i]};
  }
  return ab / std::sqrt(std::max(aa * bb, 1e-300));
}

/// Never renormalized: the model knows means as they are.
std::vector<float> mean_of(const std::vector<std::vector<float>>& vectors) {
  std::vector<float> mean;
  for (size_t i = 0; i < vectors.front().size(); ++i) {
    double sum = 0;
    for (const std::vector<float>& vector : vectors) sum += double{vector[i]};
    mean.push_back(static_cast<float>(sum / static_cast<double>(vectors.size())));
  }
  return mean;
}

RecordingReport report_of(const Reference& reference, const std::string& file) {
  const RecordingQuality quality = measure_recording(reference.original, reference.rate_hz);
  RecordingReport report;
  report.file = file;
  report.seconds = reference.seconds();
  report.cut = reference.cut;
  report.rate_hz = reference.rate_hz;
  report.channels = reference.channels;
  report.peak_db = quality.peak_db;
  report.clipped_share = quality.clipped_share;
  report.noise_floor_db = quality.noise_floor_db;
  report.noise_distance_db = quality.noise_distance_db();
  report.speech_share = quality.speech_share;
  report.warnings = reference.warnings;
  for (std::string& line : recording_warnings(quality)) report.warnings.push_back(std::move(line));
  return report;
}

std::string joined(const std::vector<RecordingReport>& reports) {
  std::string out;
  for (const RecordingReport& report : reports) out += (out.empty() ? "" : " ") + report.sha256;
  return out;
}

}  // namespace

class VoiceEncoder::Impl {
 public:
  explicit Impl(const VoiceEncoderOptions& options) : options_(options) {
    require(options.max_seconds >= 1 && options.max_seconds <= 600, "recordings are used up to ",
            options.max_seconds, " s, must be 1 to 600");
    const KnownModel model = known_model(options.model, options.voice_length);
    const SpeakerEncoderFiles files =
        find_speaker_encoder(options.encoder, model.language, model.set);
    folder_ = files.folder;
    encoder_name_ = files.name;
    const fs::path config = folder_ / "config.json";
    length_ = static_cast<size_t>(
        parse_speaker_config(read_file(config, kMaxConfig), config.string()).embedding_size);
    if (model.voice_length != 0 && length_ != model.voice_length) {
      throw Error(ErrorCode::kBadInput, config, ": the speaker encoder makes ", length_,
                  " numbers, the model takes ", model.voice_length)
          .with_hint("it belongs to another model");
    }
  }

  const fs::path& folder() const { return folder_; }
  size_t length() const { return length_; }

  ClonedVoice clone(const std::vector<fs::path>& recordings, const CancelToken* cancel) {
    require(!recordings.empty(), "no recording was given");
    require(recordings.size() <= kMaxRecordings, recordings.size(), " recordings, at most ",
            kMaxRecordings);
    ClonedVoice cloned;
    std::vector<std::vector<float>> vectors;
    for (const fs::path& path : recordings) {
      // Before any computing, so that what is hashed is what was read, or nearly so.
      const std::string hash = options_.record_origin ? sha256_hex(path) : std::string();
      add(cloned, vectors, read_reference(path, limits()), path.string(), cancel);
      cloned.recordings.back().sha256 = hash;
    }
    finish(cloned, vectors);
    return cloned;
  }

  ClonedVoice clone(std::span<const float> samples, int rate_hz, const CancelToken* cancel) {
    require(rate_hz >= 8000 && rate_hz <= 192000, "sample rate is ", rate_hz,
            " Hz, must be 8000 to 192000");
    // A second more than counts is enough to see that there is more.
    const auto most = static_cast<size_t>((options_.max_seconds + 1) * rate_hz);
    samples = samples.first(std::min(samples.size(), most));
    ClonedVoice cloned;
    std::vector<std::vector<float>> vectors;
    add(cloned, vectors,
        make_reference({samples.begin(), samples.end()}, rate_hz, "recording", limits()),
        "recording", cancel);
    if (options_.record_origin)
      cloned.recordings.back().sha256 = sha256_hex(std::as_bytes(samples));
    finish(cloned, vectors);
    return cloned;
  }

 private:
  ReferenceLimits limits() {
    ReferenceLimits limits;
    limits.max_seconds = options_.max_seconds;
    limits.min_samples = encoder().min_samples();
    return limits;
  }

  void add(ClonedVoice& cloned, std::vector<std::vector<float>>& vectors,
           const Reference& reference, const std::string& file, const CancelToken* cancel) {
    if (cancel != nullptr && cancel->cancelled())
      throw Error(ErrorCode::kCancelled, "cancelled while listening to recordings");
    cloned.recordings.push_back(report_of(reference, file));
    vectors.push_back(encoder().embed(reference.samples, cancel));
  }

  void finish(ClonedVoice& cloned, const std::vector<std::vector<float>>& vectors) {
    cloned.voice.values = mean_of(vectors);
    compare(cloned, vectors);
    double seconds = 0;
    for (const RecordingReport& report : cloned.recordings) seconds += report.seconds;
    std::map<std::string, std::string>& details = cloned.voice.details;
    details["created"] = utc_now();
    details["source_seconds"] = decimals(seconds, 2);
    details["encoder"] = encoder_name_;
    if (!options_.record_origin) return;
    if (encoder_hash_.empty()) encoder_hash_ = sha256_hex(encoder().path());
    details["encoder_sha256"] = encoder_hash_;
    details["source_sha256"] = joined(cloned.recordings);
  }

  // The two that are least alike may be of two people.
  static void compare(ClonedVoice& cloned, const std::vector<std::vector<float>>& vectors) {
    size_t first = 0, second = 0;
    for (size_t j = 1; j < vectors.size(); ++j) {
      for (size_t i = 0; i < j; ++i) {
        const double alike = cosine(vectors[i], vectors[j]);
        if (cloned.lowest_cosine && alike >= *cloned.lowest_cosine) continue;
        cloned.lowest_cosine = alike;
        first = i;
        second = j;
      }
    }
    if (!cloned.lowest_cosine || *cloned.lowest_cosine >= kSameSpeaker) return;
    cloned.warnings.push_back(concat(
        cloned.recordings[first].file, " and ", cloned.recordings[second].file,
        " may be of two speakers: the cosine of their voices is ",
        decimals(*cloned.lowest_cosine, 2), ", expected ", decimals(kSameSpeaker, 2), " or more"));
  }

  SpeakerEncoder& encoder() {
    if (!encoder_) {
      backend_ = make_backend({options_.device, options_.threads, options_.isa});
      encoder_ = std::make_unique<SpeakerEncoder>(
          folder_, *backend_,
          options_.reduced_precision ? ProductPrecision::kFixed16 : ProductPrecision::kF32);
    }
    return *encoder_;
  }

  VoiceEncoderOptions options_;
  fs::path folder_;
  std::string encoder_name_;
  size_t length_ = 0;
  std::unique_ptr<Backend> backend_;
  std::unique_ptr<SpeakerEncoder> encoder_;
  std::string encoder_hash_;
};

VoiceEncoder::VoiceEncoder(const VoiceEncoderOptions& options)
    : impl_(std::make_unique<Impl>(options)) {}
VoiceEncoder::VoiceEncoder(VoiceEncoder&&) noexcept = default;
VoiceEncoder& VoiceEncoder::operator=(VoiceEncoder&&) noexcept = default;
VoiceEncoder::~VoiceEncoder() = default;

ClonedVoice VoiceEncoder::clone(const std::vector<fs::path>& recordings,
                                const CancelToken* cancel) {
  return impl_->clone(recordings, cancel);
}

ClonedVoice VoiceEncoder::clone(std::span<const float> samples, int rate_hz,
                                const CancelToken* cancel) {
  return impl_->clone(samples, rate_hz, cancel);
}

const fs::path& VoiceEncoder::folder() const { return impl_->folder(); }
size_t VoiceEncoder::voice_length() const { return impl_->length(); }

}  // namespace kani
