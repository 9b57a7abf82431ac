// recording.cc - see recording.h.
#include "kani/dataset/recording.h"

#include <algorithm>
#include <cmath>

#include "kani/audio/recording_quality.h"
#include "kani/audio/resampler.h"
#include "kani/audio/sinc_resampler.h"
#include "kani/base/error.h"
#include "kani/base/sha256.h"
#include "kani/dataset/bandwidth.h"
#include "kani/dataset/without_path.h"
#include "kani/speaker/speaker_encoder.h"

namespace kani {
namespace {

constexpr size_t kBlock = 1 << 16;  // samples

std::optional<Reject> check(const SoundMeasures& m, double seconds, bool steady,
                            const ClipLimits& limits) {
  const auto reject = [](RejectReason reason, double value, std::string detail) {
    return Reject{reason, value, std::move(detail)};
  };
  if (m.silent_share > limits.max_silent_share)
    return reject(RejectReason::kSilent, m.silent_share,
                  concat("at most ", limits.max_silent_share, " may be silent"));
  if (seconds < limits.min_seconds)
    return reject(RejectReason::kTooShort, seconds, concat("at least ", limits.min_seconds, " s"));
  if (seconds > limits.max_seconds)
    return reject(RejectReason::kTooLong, seconds, concat("at most ", limits.max_seconds, " s"));
  if (m.clipped_share > limits.max_clipped_share)
    return reject(RejectReason::kClipped, m.clipped_share,
                  concat("at most ", limits.max_clipped_share, " may be at full scale"));
  if (steady || m.speech_share < limits.min_speech_share)
    return reject(RejectReason::kNoSpeech, m.speech_share,
                  steady ? "a tone, a hum or held music" : "hardly anything in it is a voice");
  if (m.noise_distance_db < limits.min_noise_distance_db)
    return reject(RejectReason::kNoisy, m.noise_distance_db,
                  concat("the noise must be ", limits.min_noise_distance_db, " dB below"));
  return std::nullopt;
}

/// The same stretch of time at another rate, where the range's sound has `whole` samples; its end
/// is the other's end, however that is rounded.
std::vector<float> same_stretch(std::vector<float> sound, int rate_hz, const SoundRange& range,
                                int range_rate_hz, size_t whole) {
  const auto place = [&](size_t at) {
    if (at == whole) return static_cast<std::ptrdiff_t>(sound.size());
    const auto moved = static_cast<size_t>(
        std::llround(static_cast<double>(at) * rate_hz / static_cast<double>(range_rate_hz)));
    return static_cast<std::ptrdiff_t>(std::min(sound.size(), moved));
  };
  return {sound.begin() + place(range.begin), sound.begin() + place(range.end)};
}

}  // namespace

std::optional<Reject> decode_record(const SourceRecord& record, const std::filesystem::path& path,
                                    const ClipLimits& limits, DecodedSound& sound,
                                    std::span<const std::byte> bytes) {
  return StretchReader().decode(record, path, limits, sound, bytes);
}

/// Goes on where it is, or begins anew.
void StretchReader::open(const SourceRecord& record, const std::filesystem::path& path,
                         std::span<const std::byte> bytes) {
  Source source{path, record.row, bytes.data(), bytes.size(), {}};
  if (record.row < 0) {
    std::error_code none;
    source.size = std::filesystem::file_size(path, none);
    source.time = std::filesystem::last_write_time(path, none);
  }
  if (reader_ && source == source_ && record.start_s > 0 &&
      record.start_s * reader_->rate_hz() > static_cast<double>(at_) + 1)
    return;
  reader_.reset();
  const SoundLimits limits = {.max_seconds = kMostSecondsOfFile};
  if (record.row < 0) {
    reader_.emplace(source.path, limits);
  } else {
    reader_.emplace(bytes, record.audio, limits);
  }
  source_ = std::move(source);
  block_.resize(kBlock);
  channels_.resize(kBlock * static_cast<size_t>(reader_->channels()));
  at_ = 0;
  have_ = reader_->read(block_, channels_);
}

/// The samples [first, last), `first` not before at_, or as far as there are some.
void StretchReader::read(uint64_t first, uint64_t last, std::vector<float>& out) {
  for (;;) {
    const uint64_t end = at_ + have_;
    const auto from = static_cast<std::ptrdiff_t>(std::clamp(first, at_, end) - at_);
    const auto to = static_cast<std::ptrdiff_t>(std::clamp(last, at_, end) - at_);
    out.insert(out.end(), block_.begin() + from, block_.begin() + to);
    const size_t channels = clipping_.size();
    for (size_t i = static_cast<size_t>(from) * channels; i < static_cast<size_t>(to) * channels;
         ++i)
      clipping_[i % channels].push(channels_[i]);
    if (last <= end || have_ < kBlock) return;
    at_ = end;
    have_ = reader_->read(block_, channels_);
  }
}

std::optional<Reject> StretchReader::decode(const SourceRecord& record,
                                            const std::filesystem::path& path,
                                            const ClipLimits& limits, DecodedSound& sound,
                                            std::span<const std::byte> bytes) {
  const auto bad_cut = [&](double value, const auto&... parts) {
    return Reject{RejectReason::kCut, value, concat(parts...)};
  };
  if (record.start_s < 0) return bad_cut(record.start_s, "start is before the recording");
  if (record.end_s != 0 && record.end_s <= record.start_s)
    return bad_cut(record.end_s, "end is not after the start, ", record.start_s, " s");
  const double most = 3 * limits.max_seconds;
  if (record.end_s - record.start_s > most)
    return Reject{RejectReason::kTooLong, record.end_s - record.start_s, "before trimming"};
  try {
    open(record, path, bytes);
    sound.rate_hz = reader_->rate_hz();
    sound.channels = reader_->channels();
    const auto samples = [&](double seconds) {
      return static_cast<uint64_t>(
          std::llround(std::min(seconds, kMostSecondsOfFile) * sound.rate_hz));
    };
    const uint64_t first = samples(record.start_s);
    const uint64_t last =
        record.end_s > 0 ? samples(record.end_s) : samples(record.start_s + most) + 1;
    sound.samples.clear();
    clipping_.assign(static_cast<size_t>(sound.channels), ClippingMeter());
    read(first, last, sound.samples);
    const double seconds = static_cast<double>(sound.samples.size()) / sound.rate_hz;
    // A tenth of a second: ends are often rounded, and MP3 files have a padded end.
    if (record.end_s > 0 && seconds + 0.1 < record.end_s - record.start_s)
      return bad_cut(record.end_s, "the recording ends before");
    if (sound.samples.empty()) {
      if (first > 0) return bad_cut(record.start_s, "the recording ends before");
      return Reject{RejectReason::kAudio, 0, "no samples in it"};
    }
    if (record.end_s == 0 && sound.samples.size() > samples(most))
      return Reject{RejectReason::kTooLong, seconds, "before trimming, and more"};
    sound.clipped_share = 0;
    for (const ClippingMeter& channel : clipping_)
      sound.clipped_share = std::max(sound.clipped_share, channel.share());
  } catch (const Error& error) {
    reader_.reset();
    if (error.code() == ErrorCode::kNotFound)
      return Reject{RejectReason::kAudioMissing, {}, "no such file"};
    if (error.code() != ErrorCode::kBadInput && error.code() != ErrorCode::kUnsupported) throw;
    return Reject{RejectReason::kAudio, {}, without_path(error.what(), path, record.audio)};
  }
  return std::nullopt;
}

std::array<std::byte, 32> sound_hash(const DecodedSound& sound) {
  Sha256 hash;
  hash.update(std::as_bytes(std::span(sound.samples)));
  return hash.finish();
}

std::array<std::byte, 32> record_hash(const DecodedSound& sound, const std::string& text) {
  Sha256 hash;
  hash.update(std::as_bytes(std::span(sound.samples)));
  hash.update(std::as_bytes(std::span(text)));
  return hash.finish();
}

std::optional<Reject> prepare_sound(const DecodedSound& decoded, int codec_rate_hz,
                                    const SoundOptions& options, PreparedSound& prepared) {
  SoundMeasures& m = prepared.measures;
  m.rate_hz = decoded.rate_hz;
  m.channels = decoded.channels;
  const RecordingQuality quality = measure_recording(decoded.samples, decoded.rate_hz);
  m.clipped_share = decoded.clipped_share;
  m.speech_share = quality.speech_share;
  m.noise_distance_db = quality.noise_distance_db();
  m.bandwidth_hz = bandwidth_hz(decoded.samples, decoded.rate_hz);
  double sum = 0;
  for (const float sample : decoded.samples) sum += double{sample};
  m.dc = sum / static_cast<double>(std::max<size_t>(1, decoded.samples.size()));

  prepared.codec =
      resample(decoded.samples, decoded.rate_hz, codec_rate_hz, ResamplerQuality::kHigh);
  const SoundRange range = find_sound(prepared.codec, codec_rate_hz, options.trim);
  m.silent_share = range.silent_share;
  m.trimmed_s =
      static_cast<double>(prepared.codec.size() - (range.end - range.begin)) / codec_rate_hz;
  prepared.seconds = static_cast<double>(range.end - range.begin) / codec_rate_hz;
  if (auto reject = check(m, prepared.seconds, quality.steady, options.limits)) return reject;

  const size_t whole = prepared.codec.size();
  prepared.codec = {prepared.codec.begin() + static_cast<std::ptrdiff_t>(range.begin),
                    prepared.codec.begin() + static_cast<std::ptrdiff_t>(range.end)};
  m.loudness_lufs = integrated_loudness(prepared.codec, codec_rate_hz);
  m.true_peak_db = true_peak_db(prepared.codec, codec_rate_hz);
  if (options.loudness == LoudnessMode::kNormalize) {
    m.gain_db = loudness_gain_db(m.loudness_lufs, m.true_peak_db, options.target);
    const auto gain = static_cast<float>(std::pow(10, m.gain_db / 20));
    for (float& sample : prepared.codec) sample *= gain;
  }
  // The speaker encoder's own resampler: its vectors must be those that `kani voice add` makes.
  prepared.speaker =
      same_stretch(SincResampler(decoded.rate_hz, kSpeakerRateHz).resample(decoded.samples),
                   kSpeakerRateHz, range, codec_rate_hz, whole);
  return std::nullopt;
}

}  // namespace kani
