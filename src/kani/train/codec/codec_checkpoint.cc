// codec_checkpoint.cc - see codec_checkpoint.h.
#include "kani/train/codec/codec_checkpoint.h"

#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/base/json.h"
#include "kani/train/checkpoint.h"
#include "kani/train/sealed_folder.h"
#include "kani/train/state_fields.h"

namespace kani::train {
namespace {

namespace fs = std::filesystem;

constexpr const char* kModelFile = "model.safetensors";
constexpr const char* kAverageFile = "ema.safetensors";
constexpr uint64_t kMaxStateBytes = 1 << 24;
constexpr const char* kFormat = "kani-codec-state";
constexpr int kVersion = 1;

std::string state_text(const CodecRunState& s) {
  return dump_json(Json{{"format", kFormat},
                        {"version", kVersion},
                        {"update", s.update},
                        {"skipped", s.skipped},
                        {"skipped_in_row", s.skipped_in_row},
                        {"data_hash", s.data_hash},
                        {"config_hash", s.config_hash}},
                   2) +
         "\n";
}

CodecRunState read_state(const fs::path& folder) {
  const fs::path path = folder / "state.json";
  const StateFields fields(read_file(path, kMaxStateBytes), path.string(),
                           "state of a codec's training");
  fields.require_format(kFormat, kVersion);
  return {fields.number("update"), fields.number("skipped"), fields.number("skipped_in_row"),
          fields.word("data_hash"), fields.word("config_hash")};
}

void verify(const fs::path& folder) {
  verify_sealed(folder, {kModelFile, "optim.safetensors", "codec.yaml", "state.json"});
}

void write_all(const fs::path& part, const CodecTrainConfig& config, const CodecSnapshot& s,
               const CodecRunState& state) {
  save_parameters(part / kModelFile, *s.parameters);
  save_parameters(part / "optim.safetensors", moments_map(*s.optimizer));
  if (s.average != nullptr) save_parameters(part / kAverageFile, *s.average);
  if (s.critics != nullptr) {
    save_parameters(part / "critics.safetensors", *s.critics);
    save_parameters(part / "critics-optim.safetensors", moments_map(*s.critic_optimizer));
  }
  write_file(part / "codec.yaml", nanocodec_config_yaml(*s.codec));
  write_file(part / "state.json", state_text(state));
  write_file(part / "config.resolved.yaml", resolved_yaml(config));
}

}  // namespace

void save_codec_checkpoint(const CodecTrainConfig& config, const CodecSnapshot& s,
                           const CodecRunState& state) {
  const fs::path output = config.output_dir;
  write_sealed(output / checkpoint_name(state.update),
               [&](const fs::path& part) { write_all(part, config, s, state); });
  rotate_steps(output, {.limit = config.save_total_limit, .keep_every = config.keep_every});
}

std::optional<fs::path> find_codec_checkpoint(const fs::path& output) {
  return newest_whole(output, verify);
}

CodecRunState load_codec_checkpoint(const fs::path& folder, const CodecSnapshot& s) {
  restore_tensors(*s.parameters, folder / kModelFile);
  restore_tensors(moments_map(*s.optimizer), folder / "optim.safetensors");
  if (s.average != nullptr) restore_tensors(*s.average, folder / kAverageFile);
  if (s.critics != nullptr) {
    restore_tensors(*s.critics, folder / "critics.safetensors");
    restore_tensors(moments_map(*s.critic_optimizer), folder / "critics-optim.safetensors");
  }
  return read_state(folder);
}

CodecFile load_networks(const fs::path& from) {
  if (!fs::is_directory(from))
    return from.extension() == ".safetensors" ? load_code_networks(from) : load_codec(from);
  fs::path folder = from;
  if (fs::exists(folder / "MANIFEST")) {
    verify(folder);
  } else {
    const auto newest = find_codec_checkpoint(folder);
    if (!newest)
      throw Error(ErrorCode::kNotFound, from, " holds no checkpoint of a codec's training");
    folder = *newest;
  }
  CodecFile out;
  const fs::path yaml = folder / "codec.yaml";
  out.config = parse_nanocodec_config(read_file(yaml, kMaxStateBytes), yaml.string());
  out.parameters = load_tensors(folder / kModelFile);
  if (fs::exists(folder / kAverageFile)) {
    for (auto& [name, tensor] : load_tensors(folder / kAverageFile)) out.parameters[name] = tensor;
  }
  return out;
}

}  // namespace kani::train
