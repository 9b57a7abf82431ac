// kani.h - the C++ door to the engine: text in, speech out.
//
//   kani::Engine engine({.model = "models/kani-mini"});
//   auto file = kani::open_sound_file("hello.wav", {});
//   engine.speak({.text = "Hello."}, [&](auto samples) { return file->write(samples), true; });
//   file->finish();
//
// Samples are mono float32 in [-1, 1] at Engine::sample_rate_hz().  Every failure is a kani::Error
// (kani/base/error.h). The library prints nothing; see kani/base/log.h for its log lines.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kani/audio/sound_writer.h"
#include "kani/base/cancel.h"
#include "kani/base/error.h"
#include "kani/base/log.h"
#include "kani/voice.h"

namespace kani {

/// "0.1.0".
std::string version();

/// How the language model's matrices are kept in memory.  kAuto: bfloat16 if the file holds
/// bfloat16, else float32; a converted model as it is stored.  kQ8, kQ4: 8 and 4 bits, made at
/// load.
enum class WeightType { kAuto, kF32, kBF16, kQ8, kQ4 };

/// What the codec's convolutions compute in, where the processor has instructions for it; float32
/// elsewhere.  kAuto is kBF16: its noise lies 54 dB below kani-mini's speech.  kI8 is faster still,
/// with noise at 39 dB.
enum class CodecType { kAuto, kF32, kBF16, kI8 };

enum class LoadMode { kMap, kLock, kRead };  // mmap; mmap and mlock; no map

struct EngineOptions {
  /// A folder with config.json, or a set: a folder with lm/, codec.nemo, speaker/ and voices/.
  /// Empty = default_model_path().
  std::filesystem::path model{};
  std::filesystem::path codec{};  // .nemo; empty = the one in or beside the model's folder
  int threads = 0;                // 0 = physical cores of one socket, at most 16
  std::string device = "auto";
  std::string isa{};  // limit of the CPU's instruction set, for tests: "scalar", "avx2", …
  WeightType weights = WeightType::kAuto;
  CodecType codec_type = CodecType::kAuto;
  LoadMode load_mode = LoadMode::kMap;
  bool check_tensors = false;                          // refuse NaN and infinity in weights
  std::vector<std::filesystem::path> voice_folders{};  // searched for voices before all others
  // Overrides of config.json (language-model.md 2.1).
  std::optional<double> audio_step{}, alpha_min{}, alpha_max{};
  std::optional<bool> use_learnable_rope{};
  bool rope_precision_bf16 = false;
};

/// Absent values come from the model's generation_config.json, else from the defaults in brackets.
struct SamplingOptions {
  std::optional<double> temperature{};         // [0.6]; 0 = greedy
  std::optional<double> top_p{};               // [0.95]
  std::optional<int> top_k{};                  // [50]; 0 = off
  std::optional<double> min_p{};               // [0] = off
  std::optional<double> repetition_penalty{};  // [1.1]
  std::optional<int> max_new_tokens{};         // [3000], per chunk of text; whole frames of four
  std::optional<uint64_t> seed{};              // absent = random; the one used is reported
};

struct SpeechRequest {
  std::string text{};  // valid UTF-8
  std::string
      language{};  // tag of multilingual models; empty: the voice's, else the model's own choice
  std::optional<Voice> voice{};  // absent = the model's default voice if it has one
  bool random_voice = false;     // no voice slot at all, even if the model has a default voice
  SamplingOptions sampling{};
  double speed = 1.0;               // 0.25 … 4, same pitch
  double volume = 1.0;              // factor on the samples, 0 … 4
  double sentence_silence_s = 0.2;  // between chunks
  int batch = 1;               // chunks of the text written at once, 1 … 64: same sound, sooner
  bool normalize_text = true;  // numbers, dates, symbols spelled out
  bool strip_markdown = false;
  bool match_added_tokens = false;  // let "<|im_end|>" in the text be a control token (parity only)
};

/// What was spoken when: for subtitles and timestamps.
struct SpeechSegment {
  std::string text{};       // as spoken
  size_t source_begin = 0;  // bytes in SpeechRequest::text
  size_t source_end = 0;
  double start_s = 0;
  double end_s = 0;
  bool truncated = false;  // the token limit was reached
};

struct SpeechProgress {
  size_t segment = 0;    // the one being spoken, from 0
  size_t segments = 0;   // in all; an estimate while a long text is still being cut
  double sound_s = 0;    // seconds of sound so far
  double elapsed_s = 0;  // seconds of work so far
  double fraction = 0;   // share of the text, 0 … 1
};

struct SpeechResult {
  double sound_s = 0;
  double elapsed_s = 0;
  double first_sound_s = 0;  // from the call to the first samples
  uint64_t seed = 0;
  uint64_t tokens = 0;   // audio tokens generated
  bool stopped = false;  // the sink said stop
  std::vector<SpeechSegment> segments{};
  bool truncated() const {
    for (const SpeechSegment& segment : segments) {
      if (segment.truncated) return true;
    }
    return false;
  }
};

/// Receives samples as they are made, a few frames at a time; returns false to stop.
using SampleSink = std::function<bool(std::span<const float>)>;
using ProgressSink = std::function<void(const SpeechProgress&)>;

/// Speech from text that arrives bit by bit (from a chat model, say).  Sentences are spoken as soon
/// as they are complete.  One thread at a time; cancel() may be called from any.  The engine must
/// outlive it and is used by one stream or speak() at a time.
class SpeechStream {
 public:
  SpeechStream(SpeechStream&&) noexcept;
  SpeechStream& operator=(SpeechStream&&) noexcept;
  ~SpeechStream();

  /// More text; may end in the middle of a word or of a UTF-8 sequence.  Throws Error(kBadInput)
  /// for invalid UTF-8.
  void push_text(std::string_view text);
  /// No more text will come for now: what is pending is spoken although its sentence is not
  /// finished.
  void flush();
  /// Replaces `samples` by the next ones.  False: nothing to speak until more text comes (or, after
  /// flush(), the end).
  bool next(std::vector<float>& samples);
  /// Drops all text and stops after the current frame; next() then throws Error(kCancelled).
  void cancel() noexcept;
  const SpeechResult& result() const;

 private:
  friend class Engine;
  class Impl;
  explicit SpeechStream(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// What `kani models show` prints.
struct ModelInfo {
  std::filesystem::path model_path{}, codec_path{};
  std::string architecture{};
  uint64_t parameters = 0, codec_parameters = 0;
  uint64_t file_bytes = 0, codec_file_bytes = 0;
  std::string stored_type{};  // "BF16"
  int layers = 0, hidden_size = 0, vocabulary = 0, codebook_size = 0, speaker_emb_dim = 0;
  int sample_rate_hz = 0;
  double frames_per_second = 0, audio_step = 0;
  bool learnable_rope = false, accepts_voice = false;
  std::vector<std::string> language_tags{};
  std::string licence{};              // of the model, the codec, the encoder, as far as known
  std::vector<std::string> voices{};  // names of voices in the set
  std::string default_voice{};        // empty = none
};

/// Times of the engine's parts in seconds, for `kani bench`.  `batch` sequences are run together.
struct BenchTimes {
  double seconds = 0;
  uint64_t units = 0;  // tokens or frames done
};

/// A loaded model.  Immutable after construction but used by one thread at a time (it owns the
/// compute threads).
class Engine {
 public:
  /// Loads everything.  Throws Error(kNotFound, kBadInput, kUnsupported, kInvalidArgument,
  /// kOutOfMemory).
  explicit Engine(const EngineOptions& options);
  Engine(Engine&&) noexcept;
  Engine& operator=(Engine&&) noexcept;
  ~Engine();

  /// Speaks.  Blank text is Error(kBadInput); invalid UTF-8 is Error(kBadInput) with the offset;
  /// `cancel` set from another thread or a signal handler ends with Error(kCancelled) within one
  /// frame.  What the sink throws passes through.  The same request and seed give the same samples
  /// on the same build and machine kind.
  SpeechResult speak(const SpeechRequest& request, const SampleSink& sink,
                     const ProgressSink& progress = {}, const CancelToken* cancel = nullptr);

  /// Speaks text that is still being written: `request.text` is the first part of it, may be empty.
  SpeechStream stream(const SpeechRequest& request);

  /// A voice by name, by path or as a mix: VoiceLibrary::load() of voices().
  Voice voice(const std::string& name) const;
  const VoiceLibrary& voices() const;

  int sample_rate_hz() const;
  const ModelInfo& info() const;
  std::string backend_name() const;
  /// What the codec really computes in: "f32", "bf16" or "i8".
  std::string codec_type() const;
  /// What SamplingOptions resolve to for this model.
  SamplingOptions effective_sampling(const SamplingOptions& asked) const;

  BenchTimes time_prefill(int tokens);
  BenchTimes time_decode(int prompt_tokens, int tokens, int batch);
  BenchTimes time_codec(double seconds_of_sound, int frames_per_push);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// How far the tokens and the sound of an engine with coarser weights are from those of float32.
struct QualityReport {
  uint64_t tokens = 0;    // compared
  double kl_mean = 0;     // Kullback-Leibler divergence in nats a token, of the distributions after
  double kl_largest = 0;  // penalty and temperature, before top-k and top-p
  double kl_plain = 0;    // mean of the distributions without penalty and at temperature 1
  double same_top = 0;    // share of tokens with the same most probable one, 0 … 1
  // The codec alone: the float32 model's codes through the codec of the options and that of
  // float32.  Signal to noise, infinite if they agree, and log-spectral distance, in decibels.
  double codec_snr_db = 0;
  double codec_spectral_db = 0;
  // All of it: sound of the best tokens at each step, of one model's weights and codec and of the
  // other's.
  double spectral_db = 0;
};
/// Loads the model twice, lets the float32 one speak `texts` (at most `frames` each) and compares
/// the two at each token of that.  Throws as Engine's constructor, Error(kInvalidArgument).
QualityReport compare_quality(const EngineOptions& options, std::span<const std::string> texts,
                              int frames, uint64_t seed);

/// The same against another model, that of which the tested one was converted.
QualityReport compare_quality(const EngineOptions& options,
                              const std::filesystem::path& exact_model,
                              std::span<const std::string> texts, int frames, uint64_t seed);

/// Makes a model whose matrices are stored as they are used: loaded in no time, and shared by the
/// programs that use it.
struct ConvertOptions {
  EngineOptions engine{};          // which model; weights must be kQ8 or kQ4
  std::filesystem::path output{};  // the folder to make: a set if the model is one
  bool overwrite = false;          // replace a model that is there
  /// kQ4: elements of the model's own speech that decide how its matrices are rounded, some minutes
  /// of work for the real model; 0 = each weight by itself, as at load.
  int calibration = 6000;
};
struct ConvertReport {
  std::string stored_type{};  // "q8" or "q4"
  uint64_t bytes = 0;         // of the new weights file
  uint64_t source_bytes = 0;
  double seconds = 0;
};
/// Everything else of the model's folder is copied.  Nothing is left behind if it fails.  Throws as
/// Engine's constructor, Error(kInvalidArgument) for types and places that cannot be,
/// Error(kCannotWrite).
ConvertReport convert_model(const ConvertOptions& options);

/// The model that ships with the program: KANI_MODEL, else share/kani/models/kani-mini beside the
/// executable's folder, else models/kani-mini in a folder above it (a source tree).  Throws
/// Error(kNotFound).
std::filesystem::path default_model_path();

/// Describes a model without loading its weights.  Throws as Engine does.
ModelInfo describe_model(const EngineOptions& options);

/// Verifies a file or folder without running it: model or speaker encoder folder, config.json,
/// tokenizer.json, .safetensors, .nemo, voice.
struct FileReport {
  std::string kind{};                // "language model", "codec", "voice", …
  std::vector<std::string> facts{};  // "155 tensors, 739,954,188 bytes, BF16", …
};
/// Throws Error(kBadInput, kNotFound, kUnsupported) for what a load would refuse.
FileReport check_file(const std::filesystem::path& path, bool check_tensors);

/// Devices of this machine: {"cpu", "AMD EPYC, 2 cores, avx512bf16"}, …
struct Device {
  std::string name{};
  std::string description{};
};
std::vector<Device> devices();

/// Version, commit, compiler and the libraries linked, for --version --json.
struct BuildInfo {
  std::string version{}, commit{}, compiler{}, build_type{};
  std::vector<std::string> backends{};
  std::vector<std::pair<std::string, std::string>> libraries{};
};
BuildInfo build_info();

}  // namespace kani
