// model.h - options and loading that the commands share.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "command.h"
#include "kani/backend/registry.h"
#include "kani/base/json.h"
#include "kani/kani.h"
#include "kani/lm/lfm2.h"
#include "kani/tokens/layout.h"

namespace kani::tool {

/// --threads, --device, --isa: wherever something is computed.
struct ComputeFlags {
  DeviceOptions device;
  void add_to(Command& command);
};

/// --model, --dtype and the overrides of config.json.
struct ModelFlags {
  EngineOptions options;
  std::string dtype = "auto";
  std::string rope_precision = "f32";
  ComputeFlags compute;
  void add_to(Command& command);
};

/// The language model alone with its backend.
struct LanguageModel {
  std::unique_ptr<Backend> backend;
  TokenLayout layout;
  std::unique_ptr<Lfm2> lm;
};
LanguageModel load_language_model(const ModelFlags& flags);

/// An array of token ids.  Throws Error(kBadInput, kNotFound).
std::vector<int32_t> read_ids(const std::filesystem::path& path);

/// Numbers of a voice file, or none for an empty path.
std::vector<float> read_voice(const std::filesystem::path& path);

/// Ids with the positions of the rule; the voice slot at index 1 if there is a voice.
std::vector<Element> prompt_elements(const LanguageModel& model, const std::vector<int32_t>& ids,
                                     bool voice);

}  // namespace kani::tool
