// speaker_checkpoint.cc - a run of the speaker encoder to files and back; see speaker_trainer.h.
#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/base/json.h"
#include "kani/train/checkpoint.h"
#include "kani/train/model_files.h"
#include "kani/train/sealed_folder.h"
#include "kani/train/speaker/speaker_trainer.h"
#include "kani/train/state_fields.h"

namespace kani::train {
namespace {

namespace fs = std::filesystem;

constexpr const char* kTensorFile = "run.safetensors";
constexpr const char* kStateFile = "state.json";
constexpr uint64_t kMaxStateBytes = 1 << 24;

}  // namespace

// All of a run, under names that cannot meet.
ParameterMap SpeakerTrainer::everything() const {
  ParameterMap all = moments_map(optimizer_);
  for (const auto& [name, tensor] : trained_) all["weight." + name] = tensor;
  for (const auto& [name, tensor] : module_.buffers()) all["buffer." + name] = tensor;
  return all;
}

void SpeakerTrainer::save() {
  const fs::path output = config_.output_dir;
  const Json state{{"update", update_},
                   {"data_hash", training_.hash()},
                   {"config", speaker_yaml(config_, /*only_numeric=*/true)}};
  write_sealed(output / checkpoint_name(update_), [&](const fs::path& part) {
    save_parameters(part / kTensorFile, everything());
    write_file(part / kStateFile, dump_json(state, 2) + "\n");
    write_file(part / "config.resolved.yaml", speaker_yaml(config_));
  });
  rotate_steps(output, {.limit = config_.save_total_limit});
}

std::optional<fs::path> SpeakerTrainer::find_checkpoint() const {
  return newest_whole(config_.output_dir, [](const fs::path& folder) {
    verify_sealed(folder, {kTensorFile, kStateFile});
  });
}

void SpeakerTrainer::load(const fs::path& folder, bool force) {
  const fs::path path = folder / kStateFile;
  const StateFields state(read_file(path, kMaxStateBytes), path.string(),
                          "state of a speaker encoder's training");
  const int64_t update = state.number("update");
  const auto same = [&](const char* key, const std::string& now, const char* what) {
    if (force || state.word(key) == now) return;
    throw Error(ErrorCode::kBadInput, folder, ": was trained with other ", what)
        .with_hint(
            "the checkpoint's config.resolved.yaml has its settings; --force goes on regardless");
  };
  same("data_hash", training_.hash(), "recordings");
  same("config", speaker_yaml(config_, /*only_numeric=*/true), "settings");
  restore_tensors(everything(), folder / kTensorFile);
  update_ = update;
}

}  // namespace kani::train
