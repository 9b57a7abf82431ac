// lfm2.cc - config.json and generation_config.json of an LFM2 speech model, in both generations of
// key names. Source: language-model.md 2.1, 7.4, 9.2, 15.  Not here: the tensors (lfm2_tensors.cc),
// what ids mean (tokens/layout).
#include "kani/spec/lfm2.h"

#include <algorithm>
#include <array>

#include "kani/base/log.h"
#include "kani/spec/json_fields.h"

namespace kani {
namespace {

constexpr int kMaxLayers = 1024;
constexpr int kMaxFeedForward = 1 << 20;
constexpr uint64_t kMaxParameters = uint64_t{1} << 36;
constexpr size_t kMaxLanguageTags = 1000;
constexpr size_t kMaxLanguageTagBytes = 64;

Json parse_document(std::string_view json, std::string_view source) {
  if (json.size() > kMaxConfigBytes) {
    throw Error(ErrorCode::kBadInput, source, " has ", json.size(), " bytes, at most ",
                kMaxConfigBytes, " are read");
  }
  return parse_json(json, source, {.values = 100'000});
}

/// `name`, or `copy` where only that exists.  LFM2's first files wrote some numbers twice; should
/// they disagree, the one that upstream reads counts.
const char* first_of(const JsonFields& fields, const char* name, const char* copy) {
  const Json* value = fields.find(name);
  const Json* other = fields.find(copy);
  if (value && other && *value != *other) {
    log_warning("spec", fields.source(), ": ", copy, " is ", JsonFields::shown(*other),
                ", ignored because ", name, " is ", JsonFields::shown(*value));
  }
  return !value && other ? copy : name;
}

void check_model(const JsonFields& fields) {
  const Json* type = fields.find("model_type");
  if (!type)
    throw Error(ErrorCode::kBadInput, fields.source(), ": model_type is missing, must be \"lfm2\"");
  if (*type != "lfm2") fields.refuse("model_type", *type, "\"lfm2\"");
  const Json* architectures = fields.find_set("architectures");
  if (!architectures) return;
  fields.as_array(*architectures, "architectures");
  constexpr std::array kKnown = {"KaniTTS2ForCausalLM", "FlashCompatibleLfm2ForCausalLM",
                                 "Lfm2ForCausalLM"};
  const bool known = !architectures->empty() &&
                     std::any_of(kKnown.begin(), kKnown.end(),
                                 [&](const char* name) { return (*architectures)[0] == name; });
  if (!known) {
    fields.refuse("architectures", *architectures,
                  "one of KaniTTS2ForCausalLM, FlashCompatibleLfm2ForCausalLM, Lfm2ForCausalLM");
  }
}

/// Refuses every kind of RoPE but the plain one.
void check_rope_kind(const JsonFields& fields, const char* name) {
  const Json* rope = fields.find_set(name);
  if (!rope) return;
  const JsonFields inner(*rope, fields.source(), concat(name, "."));
  for (const char* key : {"rope_type", "type"}) {
    const Json* kind = inner.find_set(key);
    if (kind && *kind != "default") inner.refuse(key, *kind, "\"default\"");
  }
  if (const double share = inner.number("partial_rotary_factor", 1.0); share != 1.0) {
    inner.refuse("partial_rotary_factor", *inner.find("partial_rotary_factor"), "1");
  }
}

double rope_theta(const JsonFields& fields) {
  check_rope_kind(fields, "rope_scaling");
  check_rope_kind(fields, "rope_parameters");
  if (fields.find("theta")) return fields.number("theta", 0);
  if (fields.find("rope_theta")) return fields.number("rope_theta", 0);
  if (const Json* rope = fields.find_set("rope_parameters")) {
    return JsonFields(*rope, fields.source(), "rope_parameters.").number("rope_theta", 1e6);
  }
  return 1e6;
}

/// Inner size of the feed forward (7.4).  Upstream multiplies and divides in double and cuts off;
/// so do we.
int feed_forward_size(const JsonFields& fields) {
  const char* name = fields.find("block_ff_dim") ? "block_ff_dim" : "intermediate_size";
  int size = fields.integer(name, 12288);
  check_range(fields.source(), name, size, 1, kMaxFeedForward);
  if (!fields.boolean("block_auto_adjust_ff_dim", true)) return size;
  size = 2 * size / 3;
  const Json* factor = fields.find("block_ffn_dim_multiplier");
  if (factor && factor->is_null()) return size;  // null: no factor and no rounding either
  const double multiplier = fields.number("block_ffn_dim_multiplier", 1.0);
  check_range(fields.source(), "block_ffn_dim_multiplier", multiplier, 1e-3, 1e3);
  const int multiple = fields.integer("block_multiple_of", 256);
  check_range(fields.source(), "block_multiple_of", multiple, 1, 65536);
  const auto grown = static_cast<int>(multiplier * size);  // at most 1e3 * 2^20 < 2^31
  return static_cast<int>((int64_t{grown} + multiple - 1) / multiple * multiple);
}

std::vector<LayerKind> layer_kinds(const JsonFields& fields) {
  const int count = fields.integer("num_hidden_layers", 32);
  check_range(fields.source(), "num_hidden_layers", count, 1, kMaxLayers);
  const auto layers = static_cast<size_t>(count);
  if (const Json* types = fields.find_set("layer_types")) {
    if (fields.as_array(*types, "layer_types").size() != layers) {
      throw Error(ErrorCode::kBadInput, fields.source(), ": layer_types has ", types->size(),
                  " entries, must have one for each of the ", count,
                  " layers of num_hidden_layers");
    }
    std::vector<LayerKind> kinds;
    for (const Json& type : *types) {
      if (type != "conv" && type != "full_attention") {
        fields.refuse(concat("layer_types[", kinds.size(), "]"), type,
                      "\"conv\" or \"full_attention\"");
      }
      kinds.push_back(type == "conv" ? LayerKind::kConv : LayerKind::kAttention);
    }
    return kinds;
  }
  const Json* indices = fields.find_set("full_attn_idxs");
  if (!indices) return std::vector<LayerKind>(layers, LayerKind::kAttention);
  std::vector<LayerKind> kinds(layers, LayerKind::kConv);
  for (const Json& entry : fields.as_array(*indices, "full_attn_idxs")) {
    const int index = fields.as_integer(entry, "full_attn_idxs");
    check_range(fields.source(), "an entry of full_attn_idxs", index, 0, count - 1);
    kinds[static_cast<size_t>(index)] = LayerKind::kAttention;
  }
  return kinds;
}

void read_network(const JsonFields& fields, Lfm2Config& config) {
  config.vocab_size = fields.integer("vocab_size", 65536);
  config.hidden_size = fields.integer("hidden_size", 2560);
  config.heads = fields.integer(first_of(fields, "num_attention_heads", "num_heads"), 32);
  config.kv_heads = fields.integer("num_key_value_heads", 8);
  if (fields.find_set("head_dim")) {
    config.head_dim = fields.integer("head_dim", 0);
  } else {
    check_range(fields.source(), "num_attention_heads", config.heads, 1, 1024);
    if (config.hidden_size % config.heads != 0) {
      throw Error(ErrorCode::kBadInput, fields.source(), ": hidden_size is ", config.hidden_size,
                  ", must be a multiple of num_attention_heads ", config.heads);
    }
    config.head_dim = config.hidden_size / config.heads;
  }
  config.layers = layer_kinds(fields);
  config.intermediate_size = feed_forward_size(fields);
  config.norm_eps =
      static_cast<float>(fields.number(first_of(fields, "norm_eps", "block_norm_eps"), 1e-5));
  config.rope_theta = rope_theta(fields);
  config.conv_kernel = fields.integer("conv_L_cache", 3);
  config.conv_bias = fields.boolean("conv_bias", false);
  config.tie_embedding =
      fields.boolean(fields.find("tie_embedding") ? "tie_embedding" : "tie_word_embeddings", true);
}

void read_language_tokens(const JsonFields& settings, Lfm2Config& config) {
  const Json* tokens = settings.find_set("language_tokens");
  if (!tokens) return;
  if (!tokens->is_object() || tokens->size() > kMaxLanguageTags)
    settings.refuse("language_tokens", *tokens, "an object of at most 1000 tags and tokens");
  for (const auto& [language, entry] : tokens->items()) {
    const std::string& token = settings.as_string(entry, "language_tokens");
    for (const std::string& tag : {language, token})
      if (!is_language_tag(tag)) settings.refuse("language_tokens", Json(tag), kLanguageTagRule);
    config.language_tokens[language] = token;
  }
}

void read_languages(const JsonFields& fields, Lfm2Config& config) {
  const Json* settings = fields.find_set("language_settings");
  if (!settings) return;
  const JsonFields inner(*settings, fields.source(), "language_settings.");
  const Json* status = inner.find("status");
  const Json missing;
  if (!status) status = &missing;
  if (*status != "available_language_tags" && *status != "no_language_tags") {
    inner.refuse("status", *status, "\"available_language_tags\" or \"no_language_tags\"");
  }
  config.language_tags_available = *status == "available_language_tags";
  read_language_tokens(inner, config);
  const Json* tags = inner.find_set("language_tags_list");
  if (!tags) return;
  inner.as_array(*tags, "language_tags_list");
  if (tags->size() > kMaxLanguageTags) {
    throw Error(ErrorCode::kBadInput, fields.source(),
                ": language_settings.language_tags_list has ", tags->size(), " tags, at most ",
                kMaxLanguageTags, " are read");
  }
  for (const Json& entry : *tags) {
    const std::string& tag = inner.as_string(entry, "language_tags_list");
    if (!is_language_tag(tag)) inner.refuse("language_tags_list", entry, kLanguageTagRule);
    config.language_tags.push_back(tag);
  }
}

/// Kani's own keys.  A key that is absent and not set by the user is named in the log: raw
/// checkpoints of the public training code have none of them, and the defaults of the known
/// programs differ (2.1).
void read_kani(const JsonFields& fields, const Lfm2Overrides& user, Lfm2Config& config) {
  std::string assumed;
  const auto settle = [&](const char* name, const auto& override_value, auto& value, auto read) {
    if (override_value) {
      value = *override_value;
    } else if (fields.find(name)) {
      value = read(name);
    } else {
      assumed += concat(assumed.empty() ? "" : ", ", name, " ", value);
    }
  };
  const auto integer = [&](const char* name) { return fields.integer(name, 0); };
  const auto number = [&](const char* name) { return fields.number(name, 0); };
  settle("audio_tokens_start", user.audio_tokens_start, config.audio_tokens_start, integer);
  settle("tokens_per_frame", user.tokens_per_frame, config.tokens_per_frame, integer);
  settle("audio_step", user.audio_step, config.audio_step, number);
  settle("alpha_min", user.alpha_min, config.alpha_min, number);
  settle("alpha_max", user.alpha_max, config.alpha_max, number);
  settle("speaker_emb_dim", std::optional<int>(), config.speaker_emb_dim, integer);
  if (!assumed.empty())
    log_info("spec", fields.source(), ": keys not in the file, assumed ", assumed);
  config.audio_codebook_size = fields.integer("audio_codebook_size", 0);
  config.use_learnable_rope = user.use_learnable_rope;
  if (!config.use_learnable_rope && fields.find("use_learnable_rope")) {
    config.use_learnable_rope = fields.boolean("use_learnable_rope", false);
  }
}

}  // namespace

bool is_language_tag(std::string_view text) {
  const bool plain = std::all_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) > 0x20 && c != 0x7F && c != ':';
  });
  return !text.empty() && text.size() <= kMaxLanguageTagBytes && plain;
}

Lfm2Config parse_lfm2_config(std::string_view json, std::string_view source,
                             const Lfm2Overrides& overrides) {
  const Json document = parse_document(json, source);
  const JsonFields fields(document, source);
  check_model(fields);
  Lfm2Config config;
  read_network(fields, config);
  read_kani(fields, overrides, config);
  read_languages(fields, config);
  validate(config, source);
  return config;
}

void validate(const Lfm2Config& config, std::string_view source) {
  const auto fail = [&](const auto&... parts) {
    throw Error(ErrorCode::kBadInput, source, ": ", parts...);
  };
  check_range(source, "vocab_size", config.vocab_size, 1, 1 << 22);
  check_range(source, "hidden_size", config.hidden_size, 1, 65536);
  check_range(source, "num_attention_heads", config.heads, 1, 1024);
  check_range(source, "num_key_value_heads", config.kv_heads, 1, config.heads);
  if (config.heads % config.kv_heads != 0) {
    fail("num_attention_heads is ", config.heads, ", must be a multiple of num_key_value_heads ",
         config.kv_heads);
  }
  check_range(source, "head_dim", config.head_dim, 2, 1024);
  if (config.head_dim % 2 != 0) fail("head_dim is ", config.head_dim, ", must be even");
  if (config.use_learnable_rope.value_or(false) &&
      config.head_dim * config.heads != config.hidden_size) {
    // Upstream's learnable RoPE makes its frequencies for hidden_size / heads whatever head_dim
    // says.
    fail("head_dim is ", config.head_dim,
         ", with learnable rope it must be hidden_size / num_attention_heads, ", config.hidden_size,
         " / ", config.heads);
  }
  check_range<size_t>(source, "num_hidden_layers", config.layers.size(), 1, kMaxLayers);
  check_range(source, "inner size of the feed forward", config.intermediate_size, 1,
              kMaxFeedForward);
  check_range(source, "norm_eps", double{config.norm_eps}, 1e-12, 0.1);
  check_range(source, "rope_theta", config.rope_theta, 1.0, 1e12);
  check_range(source, "conv_L_cache", config.conv_kernel, 2, 64);

  check_range(source, "tokens_per_frame", config.tokens_per_frame, 1, 32);
  // 10 control ids lie below the audio ids, and ids 0 to 2 are pad, begin and end of text: 13 keeps
  // them apart.
  check_range(source, "audio_tokens_start", config.audio_tokens_start, 13, config.vocab_size - 1);
  const int behind = config.vocab_size - config.audio_tokens_start;
  check_range(source, "audio_codebook_size", config.audio_codebook_size, 0,
              behind / config.tokens_per_frame);
  if (config.audio_codebook_size == 0 && behind % config.tokens_per_frame != 0) {
    fail("vocab_size is ", config.vocab_size, ", minus audio_tokens_start ",
         config.audio_tokens_start, " it must be a multiple of tokens_per_frame ",
         config.tokens_per_frame);
  }
  check_range(source, "audio_step", config.audio_step, 1e-6, 1024.0);
  check_range(source, "alpha_max", config.alpha_max, 0.0, 1e4);
  check_range(source, "alpha_min", config.alpha_min, 0.0, config.alpha_max);
  check_range(source, "speaker_emb_dim", config.speaker_emb_dim, 1, 4096);
  if (const uint64_t numbers = lfm2_parameters(config); numbers > kMaxParameters) {
    fail("all sizes together make ", numbers, " weights, must be at most ", kMaxParameters);
  }
}

GenerationDefaults parse_generation_config(std::string_view json, std::string_view source) {
  const Json document = parse_document(json, source);
  const JsonFields fields(document, source);
  GenerationDefaults out;
  const auto number = [&](const char* name, double low, double high) -> std::optional<double> {
    if (!fields.find_set(name))
      return std::nullopt;  // old files spell every absent setting as null
    const double value = fields.number(name, 0);
    check_range(source, name, value, low, high);
    return value;
  };
  const auto integer = [&](const char* name, int low, int high) -> std::optional<int> {
    if (!fields.find_set(name)) return std::nullopt;
    const int value = fields.integer(name, 0);
    check_range(source, name, value, low, high);
    return value;
  };
  out.temperature = number("temperature", 0.0, 100.0);
  out.top_p = number("top_p", 1e-6, 1.0);
  out.min_p = number("min_p", 0.0, 1.0);
  out.repetition_penalty = number("repetition_penalty", 1e-3, 1e3);
  out.top_k = integer("top_k", 0, 1 << 22);
  out.max_new_tokens = integer("max_new_tokens", 1, 1'000'000);
  out.chunk_characters = integer("kani_chunk_characters", 10, 10'000);
  if (const Json* language = fields.find_set("kani_language")) {
    out.language = fields.as_string(*language, "kani_language");
    if (!is_language_tag(*out.language))
      fields.refuse("kani_language", *language, kLanguageTagRule);
  }

  // The rest either has no effect on speech (ids, bookkeeping) or is not offered; the latter must
  // be seen in the log.
  constexpr std::array<std::string_view, 15> kSilent = {
      "temperature",           "top_p",         "min_p",
      "repetition_penalty",    "top_k",         "max_new_tokens",
      "kani_chunk_characters", "kani_language", "bos_token_id",
      "eos_token_id",          "pad_token_id",  "transformers_version",
      "_from_model_config",    "do_sample",     "use_cache"};
  std::string ignored;
  for (const auto& [name, value] : document.items()) {
    const bool silent = std::find(kSilent.begin(), kSilent.end(), name) != kSilent.end();
    if (!silent && !value.is_null())
      ignored += concat(ignored.empty() ? "" : ", ", printable(name));
  }
  if (!ignored.empty())
    log_warning("spec", source, ": set but not applied: ", printable(ignored, 500));
  return out;
}

}  // namespace kani
