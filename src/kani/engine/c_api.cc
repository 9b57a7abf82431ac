// c_api.cc - the C door: catches everything, one lock per engine, one message per thread and
// engine.
#include <cmath>
#include <cstring>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "kani/c.h"
#include "kani/kani.h"

struct kani_engine {
  kani_engine(const kani::EngineOptions& options, const kani::VoiceEncoderOptions& voices)
      : engine(options), voice_options(voices) {}
  kani::Engine engine;
  std::mutex mutex;  // one call makes sound at a time
  kani::VoiceEncoderOptions voice_options;
  std::optional<kani::VoiceEncoder> voice_encoder;  // made for the first recording
  std::mutex voice_mutex;                           // one call makes a voice at a time
  mutable std::mutex error_mutex;
  mutable std::map<std::thread::id, std::string> errors;
};

struct kani_voice {
  kani::Voice voice;
};

struct kani_stream {
  kani_stream(kani_engine& owner, const kani::SpeechRequest& request)
      : engine(owner), stream(owner.engine.stream(request)) {}
  kani_engine& engine;
  kani::SpeechStream stream;
  std::vector<float> samples;
  bool flushed = false;
};

namespace {

thread_local std::string open_error;

kani_status status_of(kani::ErrorCode code) {
  switch (code) {
    case kani::ErrorCode::kInternal:
      return KANI_ERR_INTERNAL;
    case kani::ErrorCode::kOutOfMemory:
      return KANI_ERR_OUT_OF_MEMORY;
    case kani::ErrorCode::kInvalidArgument:
      return KANI_ERR_INVALID_ARGUMENT;
    case kani::ErrorCode::kBadInput:
      return KANI_ERR_BAD_INPUT;
    case kani::ErrorCode::kUnsupported:
      return KANI_ERR_UNSUPPORTED;
    case kani::ErrorCode::kNotFound:
      return KANI_ERR_NOT_FOUND;
    case kani::ErrorCode::kCannotWrite:
      return KANI_ERR_CANNOT_WRITE;
    case kani::ErrorCode::kBusy:
      return KANI_ERR_BUSY;
    case kani::ErrorCode::kCancelled:
      return KANI_ERR_CANCELLED;
  }
  return KANI_ERR_INTERNAL;
}

void keep_error(const kani_engine* engine, std::string message) noexcept {
  try {
    if (engine == nullptr) {
      open_error = std::move(message);
      return;
    }
    const std::lock_guard lock(engine->error_mutex);
    engine->errors[std::this_thread::get_id()] = std::move(message);
  } catch (...) {  // no memory for the message: the status must do
  }
}

// Runs `call`, which returns a status, and turns whatever it throws into one.
template <typename Call>
kani_status guarded(const kani_engine* engine, Call call) noexcept {
  try {
    return call();
  } catch (const kani::Error& error) {
    keep_error(engine, error.hint().empty()
                           ? error.what()
                           : std::string(error.what()) + " (" + error.hint() + ")");
    return status_of(error.code());
  } catch (const std::bad_alloc&) {
    keep_error(engine, "out of memory");
    return KANI_ERR_OUT_OF_MEMORY;
  } catch (const std::exception& error) {
    keep_error(engine, error.what());
    return KANI_ERR_INTERNAL;
  } catch (...) {
    keep_error(engine, "unknown failure");
    return KANI_ERR_INTERNAL;
  }
}

// A struct from a caller that was compiled against an older header is shorter: its missing fields
// keep the defaults.
template <typename Params>
Params complete(const Params* given, void (*defaults)(Params*)) {
  kani::require(given != nullptr, "no parameters were given");
  kani::require(given->size >= sizeof(uint32_t) && given->size <= sizeof(Params),
                "size of a parameter struct is ", given->size, ", expected at most ",
                sizeof(Params), "; call its *_default() function first");
  Params out;
  defaults(&out);
  std::memcpy(&out, given, given->size);
  return out;
}

// With engine.voice_mutex held.
kani::VoiceEncoder& voice_encoder_of(kani_engine& engine) {
  if (!engine.voice_encoder) {
    kani::VoiceEncoderOptions options = engine.voice_options;
    options.voice_length = static_cast<size_t>(engine.engine.info().speaker_emb_dim);
    engine.voice_encoder.emplace(options);
  }
  return *engine.voice_encoder;
}

std::string text_or_empty(const char* text) { return text == nullptr ? "" : text; }

kani::SpeechRequest request_of(const kani_request& r) {
  kani::SpeechRequest request;
  request.text = text_or_empty(r.text);
  request.language = text_or_empty(r.language);
  if (r.voice != nullptr) request.voice = r.voice->voice;
  const auto number = [](double value) {
    return std::isnan(value) ? std::nullopt : std::optional(value);
  };
  const auto integer = [](int32_t value) {
    return value < 0 ? std::nullopt : std::optional<int>(value);
  };
  request.sampling = {
      number(r.temperature),        number(r.top_p),           integer(r.top_k), number(r.min_p),
      number(r.repetition_penalty), integer(r.max_new_tokens), std::nullopt};
  kani::require(r.seed >= -1, "seed is ", r.seed, ", must be -1 (random) or more");
  if (r.seed >= 0) request.sampling.seed = static_cast<uint64_t>(r.seed);
  request.speed = r.speed;
  request.volume = r.volume;
  request.sentence_silence_s = r.sentence_silence_s;
  request.batch = r.batch;
  request.normalize_text = r.normalize_text != 0;
  return request;
}

}  // namespace

extern "C" {

const char* kani_version(void) {
  static const std::string text = kani::version();
  return text.c_str();
}

const char* kani_status_string(kani_status status) {
  switch (status) {
    case KANI_OK:
      return "ok";
    case KANI_DONE:
      return "done";
    case KANI_ERR_INTERNAL:
      return "internal error";
    case KANI_ERR_INVALID_ARGUMENT:
      return "invalid argument";
    case KANI_ERR_BAD_INPUT:
      return "bad input";
    case KANI_ERR_NOT_FOUND:
      return "not found";
    case KANI_ERR_CANNOT_WRITE:
      return "cannot write";
    case KANI_ERR_UNSUPPORTED:
      return "unsupported";
    case KANI_ERR_BUSY:
      return "busy";
    case KANI_ERR_CANCELLED:
      return "cancelled";
    case KANI_ERR_OUT_OF_MEMORY:
      return "out of memory";
  }
  return "unknown status";
}

const char* kani_last_error(const kani_engine* engine) {
  if (engine == nullptr) return open_error.c_str();
  const std::lock_guard lock(engine->error_mutex);
  const auto found = engine->errors.find(std::this_thread::get_id());
  return found == engine->errors.end() ? "" : found->second.c_str();
}

void kani_engine_params_default(kani_engine_params* params) {
  if (params == nullptr) return;
  *params = {};
  params->size = sizeof *params;
}

kani_status kani_engine_open(const kani_engine_params* params, kani_engine** engine) {
  if (engine != nullptr) *engine = nullptr;
  return guarded(nullptr, [&] {
    kani::require(engine != nullptr, "no place for the engine was given");
    const kani_engine_params p = complete(params, kani_engine_params_default);
    kani::EngineOptions options;
    options.model = text_or_empty(p.model);
    options.codec = text_or_empty(p.codec);
    options.threads = p.threads;
    if (p.device != nullptr) options.device = p.device;
    options.check_tensors = p.check_tensors != 0;
    kani::VoiceEncoderOptions voices;
    voices.encoder = text_or_empty(p.speaker_encoder);
    voices.model = options.model;
    voices.threads = p.threads;
    voices.device = options.device;
    *engine = new kani_engine(options, voices);  // handed to C: kani_engine_close deletes it
    return KANI_OK;
  });
}

void kani_engine_close(kani_engine* engine) { delete engine; }

int kani_sample_rate(const kani_engine* engine) {
  return engine == nullptr ? 0 : engine->engine.sample_rate_hz();
}

kani_status kani_voice_load(kani_engine* engine, const char* path, kani_voice** voice) {
  if (voice != nullptr) *voice = nullptr;
  return guarded(engine, [&] {
    kani::require(engine != nullptr && path != nullptr && voice != nullptr, "an argument is NULL");
    *voice = new kani_voice{engine->engine.voice(path)};
    return KANI_OK;
  });
}

kani_status kani_voice_from_audio(kani_engine* engine, const float* samples, size_t n, int rate,
                                  kani_voice** voice) {
  if (voice != nullptr) *voice = nullptr;
  return guarded(engine, [&] {
    kani::require(engine != nullptr && samples != nullptr && voice != nullptr,
                  "an argument is NULL");
    const std::lock_guard lock(engine->voice_mutex);
    *voice = new kani_voice{voice_encoder_of(*engine).clone(std::span(samples, n), rate).voice};
    return KANI_OK;
  });
}

kani_status kani_voice_from_files(kani_engine* engine, const char* const* paths, size_t count,
                                  kani_voice** voice) {
  if (voice != nullptr) *voice = nullptr;
  return guarded(engine, [&] {
    kani::require(engine != nullptr && paths != nullptr && voice != nullptr, "an argument is NULL");
    kani::require(count >= 1 && count <= 100, count, " recordings, must be 1 to 100");
    std::vector<std::filesystem::path> files;
    for (size_t i = 0; i < count; ++i) {
      kani::require(paths[i] != nullptr, "path ", i, " is NULL");
      files.emplace_back(paths[i]);
    }
    const std::lock_guard lock(engine->voice_mutex);
    *voice = new kani_voice{voice_encoder_of(*engine).clone(files).voice};
    return KANI_OK;
  });
}

kani_status kani_voice_save(const kani_voice* voice, const char* path) {
  return guarded(nullptr, [&] {
    kani::require(voice != nullptr && path != nullptr, "an argument is NULL");
    kani::save_voice(voice->voice, path);
    return KANI_OK;
  });
}

void kani_voice_free(kani_voice* voice) { delete voice; }

void kani_request_default(kani_request* request) {
  if (request == nullptr) return;
  *request = {};
  request->size = sizeof *request;
  request->normalize_text = 1;
  request->temperature = request->top_p = request->min_p = request->repetition_penalty = NAN;
  request->top_k = request->max_new_tokens = -1;
  request->seed = -1;
  request->speed = request->volume = 1.0;
  request->sentence_silence_s = 0.2;
  request->batch = 1;
}

kani_status kani_say(kani_engine* engine, const kani_request* request, kani_audio_callback callback,
                     void* user) {
  return guarded(engine, [&] {
    kani::require(engine != nullptr && callback != nullptr, "an argument is NULL");
    const kani::SpeechRequest wanted = request_of(complete(request, kani_request_default));
    const std::lock_guard lock(engine->mutex);
    const int rate = engine->engine.sample_rate_hz();
    const kani::SpeechResult result =
        engine->engine.speak(wanted, [&](std::span<const float> samples) {
          return callback(samples.data(), samples.size(), rate, 0, user) == 0;
        });
    if (result.stopped) throw kani::Error(kani::ErrorCode::kCancelled, "the callback said stop");
    callback(nullptr, 0, rate, 1, user);
    return KANI_OK;
  });
}

kani_status kani_stream_open(kani_engine* engine, const kani_request* request,
                             kani_stream** stream) {
  if (stream != nullptr) *stream = nullptr;
  return guarded(engine, [&] {
    kani::require(engine != nullptr && stream != nullptr, "an argument is NULL");
    const kani::SpeechRequest wanted = request_of(complete(request, kani_request_default));
    const std::lock_guard lock(engine->mutex);
    *stream = new kani_stream(*engine, wanted);
    return KANI_OK;
  });
}

kani_status kani_stream_push_text(kani_stream* stream, const char* text) {
  if (stream == nullptr) return KANI_ERR_INVALID_ARGUMENT;
  return guarded(&stream->engine, [&] {
    kani::require(text != nullptr, "text is NULL");
    stream->stream.push_text(text);
    stream->flushed = false;
    return KANI_OK;
  });
}

kani_status kani_stream_flush(kani_stream* stream) {
  if (stream == nullptr) return KANI_ERR_INVALID_ARGUMENT;
  return guarded(&stream->engine, [&] {
    stream->stream.flush();
    stream->flushed = true;
    return KANI_OK;
  });
}

kani_status kani_stream_cancel(kani_stream* stream) {
  if (stream == nullptr) return KANI_ERR_INVALID_ARGUMENT;
  stream->stream.cancel();
  return KANI_OK;
}

kani_status kani_stream_next(kani_stream* stream, const float** samples, size_t* n) {
  if (stream == nullptr) return KANI_ERR_INVALID_ARGUMENT;
  return guarded(&stream->engine, [&] {
    kani::require(samples != nullptr && n != nullptr, "an argument is NULL");
    const std::lock_guard lock(stream->engine.mutex);
    const bool more = stream->stream.next(stream->samples);
    *samples = stream->samples.data();
    *n = stream->samples.size();
    return more || !stream->flushed ? KANI_OK : KANI_DONE;
  });
}

void kani_stream_close(kani_stream* stream) { delete stream; }

}  // extern "C"
