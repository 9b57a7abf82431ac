// model.h - everything that is loaded once and shared by requests, and how it is loaded.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>

#include "kani/backend/registry.h"
#include "kani/codec/nanocodec_decoder.h"
#include "kani/engine/codec_worker.h"
#include "kani/engine/model_files.h"
#include "kani/kani.h"
#include "kani/lm/lfm2.h"
#include "kani/lm/sampler.h"
#include "kani/spec/nanocodec.h"
#include "kani/tokens/layout.h"
#include "kani/tokens/tokenizer.h"

namespace kani {

/// Immutable but for the workspaces inside lm and backend and what was warned of: one request at a
/// time.
struct LoadedModel {
  ModelFiles files;
  std::unique_ptr<Backend> backend;        // of the language model
  std::unique_ptr<Backend> codec_backend;  // the same kind; null: shared
  std::unique_ptr<Tokenizer> tokenizer;
  TokenLayout layout;
  GenerationDefaults defaults;
  std::unique_ptr<Lfm2> lm;
  NanoCodecConfig codec_config;
  std::unique_ptr<NanoCodecDecoder> codec;
  std::optional<VoiceLibrary> voices;
  std::optional<Voice> default_voice;
  ModelInfo info;
  std::set<std::string> warned;               // concerns about language tags that were told
  std::unique_ptr<CodecWorker> codec_worker;  // null with a single thread

  const Lfm2Config& config() const { return lm->config(); }
  size_t voice_length() const { return static_cast<size_t>(config().speaker_emb_dim); }
};

/// Reads config.json with the overrides of `options`, not yet compared with tensors.
Lfm2Config load_config(const std::filesystem::path& folder, const EngineOptions& options);
GenerationDefaults load_generation_defaults(const std::filesystem::path& folder);

/// Loads all of it.  Throws as Engine's constructor.
LoadedModel load_model(const EngineOptions& options);

/// What can be said without loading weights; used by load_model and describe_model.
ModelInfo make_info(const ModelFiles& files, const Lfm2Config& config, const TensorFile& weights,
                    const NanoCodecConfig& codec, const TensorFile& codec_weights,
                    const VoiceLibrary& voices);

/// Absent values from the model's generation_config.json, else the command line's defaults
/// (interfaces.md 2.3).
SamplingOptions resolve_sampling(const GenerationDefaults& defaults, const SamplingOptions& asked);

/// The sampler's settings out of resolved options.
Sampling sampler_settings(const SamplingOptions& resolved);

}  // namespace kani
