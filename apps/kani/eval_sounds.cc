// eval_sounds.cc - see eval_sounds.h.
#include "apps/kani/eval_sounds.h"

#include <algorithm>

#include "apps/kani/signals.h"
#include "kani/audio/sound_reader.h"
#include "kani/audio/sound_writer.h"
#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/base/random.h"
#include "kani/base/sha256.h"

namespace kani::cli {
namespace {

namespace fs = std::filesystem;

/// A model's files by size and time: whoever trains one overwrites it, and must not be shown the
/// speech of yesterday's.
Json identity(const fs::path& path) {
  std::vector<fs::path> files;
  std::error_code error;
  if (fs::is_directory(path, error)) {
    for (const fs::directory_entry& entry : fs::directory_iterator(path, error)) {
      if (entry.is_regular_file(error)) files.push_back(entry.path());
    }
  } else {
    files.push_back(path);
  }
  std::sort(files.begin(), files.end());
  Json list = Json::array();
  for (const fs::path& file : files) {
    list.push_back({file.string(), fs::file_size(file, error),
                    fs::last_write_time(file, error).time_since_epoch().count()});
  }
  return list;
}

Json sampling_json(const SamplingOptions& s) {
  return {{"temperature", *s.temperature},
          {"top_p", *s.top_p},
          {"top_k", *s.top_k},
          {"min_p", *s.min_p},
          {"repetition_penalty", *s.repetition_penalty},
          {"max_new_tokens", *s.max_new_tokens}};
}

/// The same for a sentence whatever stands before it in the list.
uint64_t seed_of(uint64_t seed, const std::string& id) {
  uint64_t mixed = seed;
  for (const char c : id) mixed = splitmix64(mixed ^ static_cast<unsigned char>(c));
  return mixed & 0x7FFFFFFF;
}

void write_sound(const fs::path& path, std::span<const float> samples, int rate_hz) {
  SoundWriterOptions options;
  options.input_rate_hz = rate_hz;
  const std::unique_ptr<SoundWriter> writer = open_sound_file(path, options);
  writer->write(samples);
  writer->finish();
}

/// A voice by what it says of the sound: two of one name are not one.
Json key_of_voice(const Voice& voice) {
  return {{"sha256", sha256_hex(std::as_bytes(std::span(voice.values)))},
          {"language", voice.language}};
}

bool same_bytes(const fs::path& path, const std::string& hash) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored) && sha256_hex(path) == hash;
}

}  // namespace

VoiceEncoderOptions eval_encoder_options(const EvalOptions& options) {
  VoiceEncoderOptions encoder;
  encoder.encoder = options.model.speaker_encoder;
  encoder.model = options.model.model;
  encoder.threads = thread_count(options.model.threads);
  encoder.device = options.model.device;
  encoder.record_origin = false;
  return encoder;
}

fs::path recording_of(const std::string& folder, const EvalSentence& sentence) {
  const fs::path path = fs::path(folder) / (sentence.id + ".wav");
  std::error_code ignored;
  if (fs::exists(path, ignored)) return path;
  throw Error(ErrorCode::kNotFound, "no recording of sentence ", sentence.id, ": ", path);
}

EvalSounds::EvalSounds(const EvalOptions& options, EvalJournal& journal)
    : options_(options), journal_(journal) {
  const BuildInfo build = build_info();
  settings_ = {{"program", concat(build.version, " ", build.commit)}};
  if (options.speaks()) {
    engine_ = std::make_unique<Engine>(options.engine());
    lookup_.emplace(*engine_);
    const ModelInfo& info = engine_->info();
    settings_["model"] = info.model_path.string();
    settings_["codec"] = info.codec_path.string();
    settings_["model_files"] = identity(info.model_path);
    settings_["codec_files"] = identity(info.codec_path);
    settings_["dtype"] = options.model.dtype;
    settings_["codec_type"] = engine_->codec_type();
    settings_["sampling"] = sampling_json(engine_->effective_sampling(options.sampling));
    settings_["seed"] = options.seed();
    settings_["text_normalization"] = !options.no_text_normalization;
    set_default_voice(info);
  } else if (options.codec_only) {
    codec_ = std::make_unique<CodecRoundTrip>(options.engine());
    settings_["codec_only"] = true;
    settings_["codec"] = codec_->path().string();
    settings_["codec_files"] = identity(codec_->path());
    settings_["codec_dtype"] = options.model.codec_dtype;
  }
  made_by_ = settings_;
  if (options.speaks()) {
    settings_["voice"] = options.voice;
    settings_["recordings"] = options.recordings;
  }
  if (!options.sounds.empty()) settings_["sounds"] = options.sounds;
  if (!options.teacher.empty()) settings_["teacher"] = options.teacher;
}

void EvalSounds::set_default_voice(const ModelInfo& info) {
  if (!options_.recordings.empty()) {
    lookup_->set_default(voice_of({options_.recordings.begin(), options_.recordings.end()}));
  } else if (info.accepts_voice && !info.default_voice.empty()) {
    default_voice_ = key_of_voice(engine_->voices().load_named(info.default_voice));
  }
}

EvalSounds::Made EvalSounds::make(const EvalSentence& sentence, const fs::path& sound) {
  try {
    if (options_.speaks()) return speak(sentence, sound);
    take(sentence, sound);
    return {};
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kBadInput && error.code() != ErrorCode::kInvalidArgument) throw;
    throw Error(error.code(), error.what(), " (sentence ", sentence.id, ")")
        .with_hint(error.hint());
  }
}

void EvalSounds::take(const EvalSentence& sentence, const fs::path& sound) {
  const fs::path recording = recording_of(options_.sounds, sentence);
  if (!codec_) {
    std::error_code error;
    if (fs::equivalent(recording, sound, error)) return;
    fs::copy_file(recording, sound, fs::copy_options::overwrite_existing, error);
    if (error) throw_cannot_write(sound, error.value());
    return;
  }
  const std::string key = key_of({{"coded", sha256_hex(recording)}, {"by", made_by_}});
  const std::optional<Json> known = journal_.find(key);
  if (known && same_bytes(sound, known->get<std::string>())) return;
  const Sound original = read_sound(recording);
  write_sound(sound, codec_->pass(original.samples, original.rate_hz), codec_->sample_rate_hz());
  journal_.add(key, sha256_hex(sound));
}

EvalSounds::Made EvalSounds::speak(const EvalSentence& sentence, const fs::path& sound) {
  SpeechRequest request = plain_request(sentence);
  const std::string key = key_of({{"spoken", sentence.text},
                                  {"id", sentence.id},
                                  {"language", sentence.language},
                                  {"voice", voice_key(sentence, request)},
                                  {"by", made_by_}});
  const std::optional<Json> known = journal_.find(key);
  if (known && same_bytes(sound, known->at("sha256").get<std::string>())) {
    return {SpeechTimes{known->at("real_time_factor").get<double>(),
                        known->at("first_sound_s").get<double>(), known->at("seed").get<uint64_t>(),
                        known->at("truncated").get<bool>()},
            /*before=*/true};
  }
  if (clones(sentence)) request.voice = voice_of({sentence.reference});
  std::vector<float> samples;
  const SpeechResult result = engine_->speak(
      request,
      [&](std::span<const float> some) {
        samples.insert(samples.end(), some.begin(), some.end());
        return true;
      },
      {}, &cancel_token());
  write_sound(sound, samples, engine_->sample_rate_hz());
  const SpeechTimes times{result.sound_s > 0 ? result.elapsed_s / result.sound_s : 0,
                          result.first_sound_s, result.seed, result.truncated()};
  journal_.add(key, {{"sha256", sha256_hex(sound)},
                     {"real_time_factor", times.real_time_factor},
                     {"first_sound_s", times.first_sound_s},
                     {"seed", times.seed},
                     {"truncated", times.truncated}});
  return {times, /*before=*/false};
}

bool EvalSounds::clones(const EvalSentence& sentence) const {
  const bool asked = !options_.voice.empty() || !options_.recordings.empty();
  return sentence.voice.empty() && !asked && !sentence.reference.empty() &&
         engine_->info().accepts_voice;
}

Json EvalSounds::voice_key(const EvalSentence& sentence, const SpeechRequest& request) {
  if (request.random_voice) return "random";
  if (clones(sentence)) {
    if (encoder_files_.is_null()) encoder_files_ = identity(encoder().folder());
    return {{"reference", sha256_hex(sentence.reference)}, {"encoder", encoder_files_}};
  }
  return request.voice ? key_of_voice(*request.voice) : default_voice_;
}

SpeechRequest EvalSounds::plain_request(const EvalSentence& sentence) {
  SpeechRequest request;
  request.text = sentence.text;
  request.language = sentence.language;
  request.sampling = options_.sampling;
  request.sampling.seed = seed_of(options_.seed(), sentence.id);
  request.normalize_text = !options_.no_text_normalization;
  if (!clones(sentence))
    lookup_->set(request, sentence.voice.empty() ? options_.voice : sentence.voice);
  return request;
}

VoiceEncoder& EvalSounds::encoder() {
  if (!encoder_) {
    VoiceEncoderOptions encoder = eval_encoder_options(options_);
    encoder.voice_length = static_cast<size_t>(engine_->info().speaker_emb_dim);
    encoder_ = std::make_unique<VoiceEncoder>(encoder);
  }
  return *encoder_;
}

const Voice& EvalSounds::voice_of(const std::vector<fs::path>& recordings) {
  std::string name;
  for (const fs::path& recording : recordings) name += recording.string() + "\n";
  const auto at = cloned_.find(name);
  if (at != cloned_.end()) return at->second;
  return cloned_[name] = encoder().clone(recordings, &cancel_token()).voice;
}

}  // namespace kani::cli
