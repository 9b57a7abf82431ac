// model.cc - see model.h.
#include "model.h"

#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/engine/model.h"
#include "kani/formats/safetensors.h"
#include "kani/formats/voice_file.h"
#include "kani/lm/generator.h"

namespace kani::tool {

void ComputeFlags::add_to(Command& command) {
  command.take("-t,--threads", device.threads, "threads; 0 = physical cores");
  command.take("--device", device.device, "cpu");
  command.take("--isa", device.isa, "at most this instruction set: scalar, avx2, avx512, neon");
}

void ModelFlags::add_to(Command& command) {
  command.need("-m,--model", options.model, "folder of the language model or a set");
  command.take("--dtype", dtype, "auto, f32, bf16, q8 or q4");
  command.take("--rope-precision", rope_precision, "f32 or bf16: rounding of RoPE frequencies");
  command.take("--audio-step", options.audio_step, "override of config.json");
  command.take("--alpha-min", options.alpha_min, "override of config.json");
  command.take("--alpha-max", options.alpha_max, "override of config.json");
  command.take("--use-learnable-rope", options.use_learnable_rope, "override of config.json");
  compute.add_to(command);
}

namespace {

std::optional<MatrixType> matrix_type(const std::string& dtype) {
  if (dtype == "auto") return std::nullopt;
  if (dtype == "f32") return MatrixType::kF32;
  if (dtype == "bf16") return MatrixType::kBF16;
  if (dtype == "q8") return MatrixType::kQ8;
  if (dtype == "q4") return MatrixType::kQ4;
  throw Error(ErrorCode::kInvalidArgument, "dtype \"", printable(dtype),
              "\" is not available in this build, expected auto, f32, bf16, q8 or q4");
}

}  // namespace

LanguageModel load_language_model(const ModelFlags& flags) {
  EngineOptions options = flags.options;
  require(flags.rope_precision == "f32" || flags.rope_precision == "bf16", "RoPE precision is \"",
          printable(flags.rope_precision), "\", expected f32 or bf16");
  options.rope_precision_bf16 = flags.rope_precision == "bf16";
  std::filesystem::path set;
  const std::filesystem::path folder = find_language_model(options.model, set);
  Lfm2Config config = load_config(folder, options);
  std::shared_ptr<const TensorFile> weights = open_safetensors(folder);
  lfm2_resolve(config, *weights);
  LanguageModel model;
  model.layout = TokenLayout::of(config);
  model.backend = make_backend(flags.compute.device);
  model.lm = std::make_unique<Lfm2>(config, weights, model.backend->language(),
                                    Lfm2Options{.matrices = matrix_type(flags.dtype)});
  return model;
}

std::vector<int32_t> read_ids(const std::filesystem::path& path) {
  const Json json = parse_json(read_file(path, 64 << 20), path.string());
  if (!json.is_array() || json.empty()) {
    throw Error(ErrorCode::kBadInput, path,
                ": expected a JSON array of token ids that is not empty");
  }
  std::vector<int32_t> ids;
  for (const Json& id : json) {
    if (!id.is_number_integer() || id < 0 || id > INT32_MAX) {
      throw Error(ErrorCode::kBadInput, path, ": element ", ids.size(), " is no token id");
    }
    ids.push_back(id.get<int32_t>());
  }
  return ids;
}

std::vector<float> read_voice(const std::filesystem::path& path) {
  if (path.empty()) return {};
  return read_voice_file(path).values;
}

std::vector<Element> prompt_elements(const LanguageModel& model, const std::vector<int32_t>& ids,
                                     bool voice) {
  FramePositions positions(model.layout, model.lm->config().audio_step);
  return kani::prompt_elements(ids, voice, positions);
}

}  // namespace kani::tool
