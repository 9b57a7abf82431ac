// clip_maker.cc - see clip_maker.h.
#include "kani/dataset/clip_maker.h"

#include <cmath>

#include "kani/backend/registry.h"
#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/base/sha256.h"
#include "kani/codec/streaming_encoder.h"
#include "kani/formats/nemo.h"
#include "kani/speaker/speaker_encoder.h"
#include "kani/spec/speaker.h"
#include "kani/tokens/layout.h"

namespace kani {
namespace {

namespace fs = std::filesystem;

constexpr double kMostVoiceSeconds = 30;  // as in `kani voice add`
constexpr uint64_t kMostSpeakerConfig = 1 << 20;

NemoArchive open_codec(const fs::path& path) {
  return open_nemo(path,
                   [](std::string_view name) { return nanocodec_wants(name, /*encoder=*/true); });
}

NanoCodecConfig read_codec_config(const fs::path& path) {
  const NanoCodecConfig config =
      parse_nanocodec_config(open_codec(path).config_yaml, path.string());
  if (!config.encoder.present)
    throw Error(ErrorCode::kBadInput, path, ": the codec has no encoder, so it makes no codes");
  return config;
}

Lfm2Config read_config(const fs::path& folder) {
  const fs::path path = folder / "config.json";
  return parse_lfm2_config(read_file(path, kMaxConfigBytes), path.string());
}

// Codes that the manifest brings must be the codec's, and as long as the stretch that they are of.
std::optional<Reject> check_codes(const SourceRecord& record, const NanoCodecConfig& codec,
                                  double seconds) {
  const auto reject = [](auto... parts) {
    return Reject{RejectReason::kManifest, {}, concat("codes: ", parts...)};
  };
  if (record.codebooks != codec.codebooks)
    return reject(record.codebooks, " codebooks, the codec has ", codec.codebooks);
  for (const int32_t code : record.codes) {
    if (code >= codec.codebook_size())
      return reject(code, " is outside 0 to ", codec.codebook_size() - 1);
  }
  const auto frames = static_cast<double>(record.codes.size()) / record.codebooks;
  const double expected = seconds * codec.sample_rate_hz / codec.samples_per_frame;
  if (frames < expected - 1 || frames > expected + 2)
    return reject(frames, " frames for ", seconds, " s, expected ", std::ceil(expected));
  return std::nullopt;
}

}  // namespace

ClipRules::ClipRules(ModelParts parts, ClipOptions options)
    : parts_(std::move(parts)),
      options_(std::move(options)),
      config_(read_config(parts_.language_model)),
      tokenizer_(Tokenizer::load(parts_.language_model)),
      codec_(read_codec_config(parts_.codec)) {
  check_tokenizer(tokenizer_, config_, parts_.language_model.string());
  const TokenLayout layout = TokenLayout::of(config_);
  if (codec_.codebooks != layout.codebooks || codec_.codebook_size() != layout.codebook_size) {
    throw Error(ErrorCode::kBadInput, parts_.codec, ": ", codec_.codebooks, " codebooks of ",
                codec_.codebook_size(), " codes, the model has ", layout.codebooks, " of ",
                layout.codebook_size)
        .with_hint("the codec belongs to another model");
  }
  tokenizer_hash_ = sha256_hex(parts_.language_model / "tokenizer.json");
  codec_hash_ = sha256_hex(parts_.codec);
  if (parts_.speaker_encoder.empty()) return;
  const fs::path path = parts_.speaker_encoder / "config.json";
  speaker_config_hash_ = sha256_hex(path);
  voice_dim_ =
      parse_speaker_config(read_file(path, kMostSpeakerConfig), path.string()).embedding_size;
  if (config_.speaker_emb_dim != 0 && voice_dim_ != config_.speaker_emb_dim) {
    throw Error(ErrorCode::kBadInput, path, ": the speaker encoder makes ", voice_dim_,
                " numbers, the model takes ", config_.speaker_emb_dim)
        .with_hint("it belongs to another model");
  }
  speaker_hash_ = sha256_hex(parts_.speaker_encoder / "model.safetensors");
}

ShardInfo ClipRules::shard_info() const {
  return {.codebooks = codec_.codebooks,
          .codebook_size = codec_.codebook_size(),
          .voice_dim = voice_dim_,
          .tokenizer = tokenizer_hash_,
          .text_rules = text_rules(options_.text)};
}

Json ClipRules::fingerprint() const {
  const SoundOptions& sound = options_.sound;
  const ClipLimits& limits = sound.limits;
  Json all = {
      {"tokenizer", tokenizer_hash_},
      {"codec", codec_hash_},
      {"speaker_encoder", speaker_hash_},
      {"speaker_config", speaker_config_hash_},
      {"text_rules", text_rules(options_.text)},
      {"language_tags", options_.language_tags},
      {"loudness",
       sound.loudness == LoudnessMode::kAsIs ? Json("none") : Json(sound.target.loudness_lufs)},
      {"true_peak_db", sound.target.true_peak_db},
      {"trim_below_db", sound.trim.below_loudest_db},
      {"trim_pad_s", sound.trim.pad_s},
      {"seconds", {limits.min_seconds, limits.max_seconds}},
      {"clipped_share", limits.max_clipped_share},
      {"silent_share", limits.max_silent_share},
      {"speech_share", limits.min_speech_share},
      {"noise_distance_db", limits.min_noise_distance_db},
      {"characters", limits.max_characters},
      {"characters_per_second",
       {limits.min_characters_per_second, limits.max_characters_per_second}},
      {"script_share", limits.min_script_share}};
  // What tagged_text() looks at.
  if (options_.language_tags)
    all["language_settings"] = {{"tags", config_.language_tags},
                                {"tokens", config_.language_tokens}};
  return all;
}

struct ClipMaker::Encoders {
  std::unique_ptr<Backend> backend;
  NemoArchive archive;
  std::unique_ptr<NanoCodecEncoder> codec;
  std::unique_ptr<StreamingEncoder> stream;
  std::unique_ptr<SpeakerEncoder> speaker;
};

ClipMaker::ClipMaker(const ClipRules& rules)
    : rules_(rules), encoders_(std::make_unique<Encoders>()) {
  Encoders& e = *encoders_;
  e.backend = make_backend({.device = "cpu", .threads = 1, .isa = rules.options().isa});
  e.archive = open_codec(rules.parts().codec);
  e.codec =
      std::make_unique<NanoCodecEncoder>(rules.codec(), *e.archive.weights, e.backend->signal());
  e.stream = std::make_unique<StreamingEncoder>(*e.codec);
  if (!rules.parts().speaker_encoder.empty())
    e.speaker = std::make_unique<SpeakerEncoder>(rules.parts().speaker_encoder, *e.backend);
}

ClipMaker::~ClipMaker() = default;

void ClipMaker::make_codes(const PreparedSound& sound, TrainingClip& clip) {
  EncodedFrames frames;
  encoders_->stream->reset();
  encoders_->stream->push(sound.codec, frames);
  encoders_->stream->finish(frames);
  clip.codes = std::move(frames.codes);
}

std::optional<Reject> ClipMaker::make_voice(const PreparedSound& sound, const CancelToken* cancel,
                                            TrainingClip& clip) {
  if (!encoders_->speaker) return std::nullopt;
  SpeakerEncoder& speaker = *encoders_->speaker;
  std::span<const float> samples = sound.speaker;
  samples = samples.first(
      std::min(samples.size(), static_cast<size_t>(kMostVoiceSeconds * kSpeakerRateHz)));
  if (samples.size() < speaker.min_samples())
    return Reject{RejectReason::kVoice, static_cast<double>(samples.size()), "too few samples"};
  clip.voice = speaker.embed(samples, cancel);
  if (!is_usable_voice(clip.voice))
    return Reject{RejectReason::kVoice, {}, "the vector is not finite or not of unit length"};
  return std::nullopt;
}

ClipResult ClipMaker::make(const SourceRecord& record, const fs::path& audio,
                           const CancelToken* cancel, std::span<const std::byte> bytes) {
  ClipResult result;
  const auto rejected = [&](std::optional<Reject> reason) {
    if (reason) result.reject = std::move(reason);
    return result.reject.has_value();
  };
  const ClipOptions& options = rules_.options();
  const ClipLimits& limits = options.sound.limits;
  if (rejected(record.problem)) return result;
  // The text first: it costs nothing.
  ClipText text;
  if (rejected(prepare_text(record.text, record.language, options.text, limits, text)))
    return result;
  DecodedSound decoded;
  if (rejected(stretches_.decode(record, audio, limits, decoded, bytes))) return result;
  result.sound = sound_hash(decoded);
  TrainingClip& clip = result.clip;
  clip.record = record_hash(decoded, record.text);
  const bool has_codes = !record.codes.empty();
  if (has_codes && rejected(check_codes(record, rules_.codec(), decoded.seconds()))) return result;
  PreparedSound sound;
  if (rejected(prepare_sound(decoded, rules_.codec().sample_rate_hz, options.sound, sound)))
    return result;
  decoded = {};
  if (rejected(check_speech_rate(text, sound.seconds, limits))) return result;

  clip.language = record.language;
  clip.speaker = record.speaker;
  clip.source = record.source;
  clip.duration_s = sound.seconds;
  result.normalized = text.text;
  const TaggedText tagged = tagged_text(rules_.config(), text.text,
                                        options.language_tags ? record.language : std::string());
  clip.utf8 = tagged.whole();
  clip.text = kani::encode(rules_.tokenizer(), tagged, AddedTokens::kPlainText);
  clip.notes = clip_notes(record, sound.measures, static_cast<double>(text.spoken) / sound.seconds,
                          tagged.token);
  if (has_codes) {
    clip.codes = record.codes;
  } else {
    make_codes(sound, clip);
  }
  const int books = rules_.codec().codebooks;
  clip.encoded_len = static_cast<int64_t>(clip.codes.size()) / books;
  if (has_codes)
    clip.duration_s = static_cast<double>(clip.encoded_len) * rules_.codec().samples_per_frame /
                      rules_.codec().sample_rate_hz;
  rejected(make_voice(sound, cancel, clip));
  return result;
}

double rounded(double value, int digits) {
  const double scale = std::pow(10, digits);
  return std::round(value * scale) / scale;
}

std::string json_line(const Json& value) { return dump_json(value, -1, InvalidUtf8::kReplace); }

std::string clip_notes(const SourceRecord& record, const SoundMeasures& m,
                       double characters_per_second, const std::string& tag_token) {
  Json notes = {{"text_raw", record.text},
                {"audio", record.audio},
                {"quality",
                 {{"rate_hz", m.rate_hz},
                  {"channels", m.channels},
                  {"loudness_lufs", rounded(m.loudness_lufs, 2)},
                  {"true_peak_db", rounded(m.true_peak_db, 2)},
                  {"gain_db", rounded(m.gain_db, 2)},
                  {"clipped_share", rounded(m.clipped_share, 6)},
                  {"silent_share", rounded(m.silent_share, 4)},
                  {"speech_share", rounded(m.speech_share, 4)},
                  {"noise_distance_db", rounded(m.noise_distance_db, 2)},
                  {"dc", rounded(m.dc, 6)},
                  {"bandwidth_hz", rounded(m.bandwidth_hz, 0)},
                  {"trimmed_s", rounded(m.trimmed_s, 4)},
                  {"characters_per_second", rounded(characters_per_second, 2)}}}};
  if (!record.licence.empty()) notes["licence"] = record.licence;
  if (!tag_token.empty()) notes["tag_token"] = tag_token;
  if (record.start_s != 0 || record.end_s != 0) {
    notes["start"] = record.start_s;
    notes["end"] = record.end_s;
  }
  return json_line(notes);
}

}  // namespace kani
