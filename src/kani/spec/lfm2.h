// lfm2.h - what the language model is: its configuration and its list of tensors.  No arithmetic.
// Source: language-model.md 2, 4, 6; upstream's config.json in both generations of key names.
//
// Sizes that are accepted (validate() has the whole list): layers 1 to 1,024, hidden size 1 to
// 65,536, heads 1 to 1,024, head size 2 to 1,024 (even), feed forward size 1 to 1,048,576,
// vocabulary 1 to 4,194,304, convolution taps 2 to 64, voice numbers 1 to 4,096, tokens per frame 1
// to 32, and all weights together at most 2^36 numbers.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kani/formats/tensor_file.h"
#include "kani/spec/tensor_list.h"

namespace kani {

enum class LayerKind { kConv, kAttention };

/// How rotary frequencies are rounded once at load (language-model.md 15).
enum class RopePrecision { kF32, kBF16 };

struct Lfm2Config {
  int vocab_size = 0;   // rows of the embedding, V
  int hidden_size = 0;  // H
  int heads = 0;
  int kv_heads = 0;
  int head_dim = 0;           // D
  int intermediate_size = 0;  // inner size I of the feed forward, after the size rule (7.4)
  float norm_eps = 1e-5F;
  double rope_theta = 1e6;
  int conv_kernel = 3;  // taps of the short convolution, L
  bool conv_bias = false;
  std::vector<LayerKind> layers;
  bool tie_embedding = true;

  int audio_tokens_start = 64410;  // A
  int tokens_per_frame = 4;        // F
  int audio_codebook_size = 0;     // C, where ids lie behind the audio ids; 0: none do
  double audio_step = 1.0;
  std::optional<bool>
      use_learnable_rope;  // absent in the file: decided by the tensors (lfm2_resolve)
  double alpha_min = 0.1;
  double alpha_max = 2.0;
  int speaker_emb_dim = 128;
  RopePrecision rope_precision = RopePrecision::kF32;  // option of ours, not in the file

  bool language_tags_available = false;  // language_settings.status
  std::vector<std::string> language_tags;
  /// language_settings.language_tokens, ours: the added token that is a language's tag.
  std::map<std::string, std::string> language_tokens;

  // Set by lfm2_resolve from the file's tensors:
  bool accepts_voice = false;  // speaker_emb_projection is there
  bool separate_head = false;  // lm_head is there and differs from the embedding: it is the head
  std::string stored_type;     // "q8" or "q4": the layers' matrices are stored so; else empty

  /// Codes per codebook, C: (V - A) / F where nothing else is said; validate() makes sure that it
  /// divides.
  int codebook_size() const {
    return audio_codebook_size > 0 ? audio_codebook_size
                                   : (vocab_size - audio_tokens_start) / tokens_per_frame;
  }
};

/// What a language tag must be, for messages.
inline constexpr const char* kLanguageTagRule =
    "tags of 1 to 64 bytes without blanks, control characters and \":\"";
bool is_language_tag(std::string_view text);

/// Sampling defaults of generation_config.json; absent = not in the file.
struct GenerationDefaults {
  std::optional<double> temperature, top_p, min_p, repetition_penalty;
  std::optional<int> top_k, max_new_tokens;
  std::optional<int>
      chunk_characters;  // "kani_chunk_characters", ours: longest piece of text to speak at once
  std::optional<std::string>
      language;  // "kani_language", ours: tag of a text for which none is given
};

/// Values of the user that replace those of config.json before anything is checked.
struct Lfm2Overrides {
  std::optional<int> audio_tokens_start{}, tokens_per_frame{};
  std::optional<double> audio_step{}, alpha_min{}, alpha_max{};
  std::optional<bool> use_learnable_rope{};
};

/// Longest config.json and generation_config.json that is read.
inline constexpr uint64_t kMaxConfigBytes = 1 << 20;

/// Parses and validates config.json text.  Every refusal names field, value and rule:
/// Error(kBadInput).  Logs which of Kani's own keys are absent and what is assumed for them.
Lfm2Config parse_lfm2_config(std::string_view json, std::string_view source,
                             const Lfm2Overrides& overrides = {});

/// Checks all ranges and all rules that tie fields together.  `source` names the config in the
/// message. Throws Error(kBadInput).
void validate(const Lfm2Config& config, std::string_view source);

/// Reads the sampling defaults; whatever else is set there and not applied is logged by name.
/// Throws Error(kBadInput).
GenerationDefaults parse_generation_config(std::string_view json, std::string_view source);

/// All tensors in the order of the file (upstream sorts by name).  The factors of learnable RoPE
/// are in the list unless use_learnable_rope is false, and optional while it is open; their shape
/// is [] and a file may also have [1]. lm_head is optional in a tied model, the speaker projection
/// always.
std::vector<TensorSpec> lfm2_tensors(const Lfm2Config& config);

/// A matrix of the layers as products use it: one tensor of the file or several, one below the
/// other.
struct Lfm2Matrix {
  std::string name;  // without ".weight"; with ".q8" or ".q4" where it is stored so
  std::vector<std::string> tensors;
  uint64_t rows = 0;
  uint64_t cols = 0;
};
/// Those of one layer: the operator's input and output projection, gate and up, down.
std::vector<Lfm2Matrix> lfm2_layer_matrices(const Lfm2Config& config, size_t layer);
/// The part of the head that belongs to a codebook, as it may be stored: END_OF_SPEECH is the last
/// row of slot 0's.  `tensors` is empty: the rows lie in the embedding or in lm_head.
Lfm2Matrix lfm2_head_matrix(const Lfm2Config& config, int slot);

/// Numbers in all tensors that are not optional; 2^64 - 1 if that many do not fit.
uint64_t lfm2_parameters(const Lfm2Config& config);
/// Numbers of the model in a file that passed lfm2_resolve(), stored matrices counted as such.
uint64_t lfm2_parameters(const Lfm2Config& config, const TensorFile& file);

/// Checks a file against the list; missing, misshaped and (as a warning) unexpected tensors are
/// reported in one go. Types must be F32, F16 or BF16.  Also settles what the config leaves open
/// (learnable RoPE when the key is absent, voice, head; afterwards use_learnable_rope has a value)
/// and logs what it assumed and what counts. Throws Error(kBadInput).
void lfm2_resolve(Lfm2Config& config, const TensorFile& file);

}  // namespace kani
