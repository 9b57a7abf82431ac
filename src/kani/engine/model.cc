// model.cc - see model.h.
#include "kani/engine/model.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/base/log.h"
#include "kani/engine/codec_type.h"
#include "kani/formats/nemo.h"
#include "kani/formats/safetensors.h"

namespace kani {
namespace {

namespace fs = std::filesystem;

std::optional<MatrixType> matrix_type(WeightType type) {
  switch (type) {
    case WeightType::kF32:
      return MatrixType::kF32;
    case WeightType::kBF16:
      return MatrixType::kBF16;
    case WeightType::kQ8:
      return MatrixType::kQ8;
    case WeightType::kQ4:
      return MatrixType::kQ4;
    case WeightType::kAuto:
      break;
  }
  return std::nullopt;
}

uint64_t file_bytes(const TensorFile& file) {
  uint64_t bytes = 0;
  for (const TensorInfo& tensor : file.tensors()) bytes += tensor.bytes.size();
  return bytes;
}

// The embedding table is read row by row from the file's map: --load-mode mlock keeps it from being
// paged out.
void lock_embedding(const TensorFile& file) {
  const TensorInfo* embedding = file.find("model.embed_tokens.weight");
  if (embedding == nullptr || embedding->bytes.empty()) return;
  if (mlock(embedding->bytes.data(), embedding->bytes.size()) != 0) {
    log_warning("engine", "cannot lock the embedding table in memory: ", std::strerror(errno));
  }
}

struct CodecFile {
  NanoCodecConfig config;
  std::unique_ptr<TensorFile> weights;
};

CodecFile open_codec(const fs::path& path) {
  NemoArchive archive = open_nemo(
      path, [](std::string_view name) { return nanocodec_wants(name, /*encoder=*/false); });
  CodecFile codec{parse_nanocodec_config(archive.config_yaml, path.string()),
                  std::move(archive.weights)};
  nanocodec_check(codec.config, *codec.weights, /*with_encoder=*/false);
  return codec;
}

// The language model and the codec were trained for each other: their codes must fit.
void check_fit(const Lfm2Config& config, const NanoCodecConfig& codec, const ModelFiles& files) {
  if (config.tokens_per_frame != codec.codebooks ||
      config.codebook_size() != codec.codebook_size()) {
    throw Error(ErrorCode::kBadInput, files.codec, ": codec has ", codec.codebooks,
                " codebooks of ", codec.codebook_size(), " codes, the language model speaks ",
                config.tokens_per_frame, " of ", config.codebook_size())
        .with_hint("this codec belongs to another model");
  }
}

}  // namespace

Lfm2Config load_config(const fs::path& folder, const EngineOptions& options) {
  const fs::path path = folder / "config.json";
  const Lfm2Overrides overrides{.audio_step = options.audio_step,
                                .alpha_min = options.alpha_min,
                                .alpha_max = options.alpha_max,
                                .use_learnable_rope = options.use_learnable_rope};
  Lfm2Config config = parse_lfm2_config(read_file(path, kMaxConfigBytes), path.string(), overrides);
  if (options.rope_precision_bf16) config.rope_precision = RopePrecision::kBF16;
  return config;
}

GenerationDefaults load_generation_defaults(const fs::path& folder) {
  const fs::path path = folder / "generation_config.json";
  std::error_code ignored;
  if (!fs::exists(path, ignored)) return {};
  return parse_generation_config(read_file(path, kMaxConfigBytes), path.string());
}

SamplingOptions resolve_sampling(const GenerationDefaults& defaults, const SamplingOptions& asked) {
  SamplingOptions out;
  const auto pick = [](const auto& first, const auto& second, auto last) {
    return first ? *first : second ? *second : last;
  };
  out.temperature = pick(asked.temperature, defaults.temperature, 0.6);
  out.top_p = pick(asked.top_p, defaults.top_p, 0.95);
  out.top_k = pick(asked.top_k, defaults.top_k, 50);
  out.min_p = pick(asked.min_p, defaults.min_p, 0.0);
  out.repetition_penalty = pick(asked.repetition_penalty, defaults.repetition_penalty, 1.1);
  out.max_new_tokens = pick(asked.max_new_tokens, defaults.max_new_tokens, 3000);
  out.seed = asked.seed;
  return out;
}

Sampling sampler_settings(const SamplingOptions& o) {
  return {.temperature = *o.temperature,
          .top_k = *o.top_k,
          .top_p = *o.top_p,
          .min_p = *o.min_p,
          .repetition_penalty = *o.repetition_penalty};
}

ModelInfo make_info(const ModelFiles& files, const Lfm2Config& config, const TensorFile& weights,
                    const NanoCodecConfig& codec, const TensorFile& codec_weights,
                    const VoiceLibrary& voices) {
  ModelInfo info;
  info.model_path = files.language_model;
  info.codec_path = files.codec;
  info.architecture = "KaniTTS2 (LFM2) with NanoCodec";
  info.parameters = lfm2_parameters(config, weights);
  for (const TensorInfo& tensor : codec_weights.tensors())
    info.codec_parameters += tensor.elements();
  info.file_bytes = file_bytes(weights);
  info.codec_file_bytes = file_bytes(codec_weights);
  const TensorInfo* embedding = weights.find("model.embed_tokens.weight");
  info.stored_type = embedding == nullptr ? "" : std::string(dtype_name(embedding->dtype));
  if (!config.stored_type.empty()) info.stored_type = config.stored_type;
  info.layers = static_cast<int>(config.layers.size());
  info.hidden_size = config.hidden_size;
  info.vocabulary = config.vocab_size;
  info.codebook_size = config.codebook_size();
  info.speaker_emb_dim = config.speaker_emb_dim;
  info.sample_rate_hz = codec.sample_rate_hz;
  info.frames_per_second = static_cast<double>(codec.sample_rate_hz) / codec.samples_per_frame;
  info.audio_step = config.audio_step;
  info.learnable_rope = config.use_learnable_rope.value_or(false);
  info.accepts_voice = weights.find("model.speaker_emb_projection.weight") != nullptr;
  info.language_tags = config.language_tags;
  info.licence =
      "upstream's model: Apache-2.0; upstream's codec: NVIDIA Open Model License; others: see the "
      "model's README";
  for (const VoiceEntry& voice : voices.entries()) info.voices.push_back(voice.name);
  info.default_voice = voices.default_voice();
  return info;
}

LoadedModel load_model(const EngineOptions& options) {
  LoadedModel model;
  model.files = find_model_files(options.model, options.codec);
  const fs::path& folder = model.files.language_model;
  Lfm2Config config = load_config(folder, options);
  model.defaults = load_generation_defaults(folder);
  model.tokenizer = std::make_unique<Tokenizer>(Tokenizer::load(folder));
  std::shared_ptr<const TensorFile> weights = open_safetensors(folder);
  lfm2_resolve(config, *weights);
  check_tokenizer(*model.tokenizer, config, folder.string());
  CodecFile codec = open_codec(model.files.codec);
  check_fit(config, codec.config, model.files);
  model.layout = TokenLayout::of(config);
  model.voices.emplace(VoiceLibraryOptions{folder, options.voice_folders,
                                           static_cast<size_t>(config.speaker_emb_dim)});
  model.info =
      make_info(model.files, config, *weights, codec.config, *codec.weights, *model.voices);

  model.backend = make_backend({options.device, options.threads, options.isa});
  model.lm =
      std::make_unique<Lfm2>(config, weights, model.backend->language(),
                             Lfm2Options{matrix_type(options.weights), options.check_tensors});
  if (options.load_mode == LoadMode::kLock) lock_embedding(*weights);
  model.codec_config = codec.config;
  // Two threads and more: the codec works beside the language model (codec_worker.h).
  if (model.backend->threads() > 1)
    model.codec_backend = make_backend({options.device, options.threads, options.isa});
  Backend& codec_backend = model.codec_backend ? *model.codec_backend : *model.backend;
  model.codec = std::make_unique<NanoCodecDecoder>(
      codec.config, *codec.weights, codec_backend.signal(), signal_type(options.codec_type));
  if (model.codec_backend)
    model.codec_worker = std::make_unique<CodecWorker>(*model.backend, codec_backend);
  if (model.lm->accepts_voice() && !model.voices->default_voice().empty()) {
    model.default_voice = model.voices->load_named(model.voices->default_voice());
  }
  log_trace("engine", "loaded ", folder, ": ", model.info.parameters, " parameters, ",
            model.info.stored_type, ", audio_step ", config.audio_step, ", learnable RoPE ",
            config.use_learnable_rope.value_or(false), ", alpha ", config.alpha_min, " to ",
            config.alpha_max, "; ", model.backend->name(), "; codec in ",
            signal_type_name(model.codec->precision()));
  return model;
}

}  // namespace kani
