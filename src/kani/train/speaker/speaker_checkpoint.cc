// speaker_checkpoint.cc - a run of the speaker encoder to files and back; see speaker_trainer.h.
// One file a checkpoint: it is renamed when it is whole, and named in MANIFEST only after that.
#include <algorithm>
#include <cstdio>
#include <sstream>

#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/base/json.h"
#include "kani/base/log.h"
#include "kani/base/sha256.h"
#include "kani/formats/safetensors.h"
#include "kani/train/model_files.h"
#include "kani/train/speaker/speaker_trainer.h"

namespace kani::train {
namespace {

namespace fs = std::filesystem;

constexpr const char* kManifest = "MANIFEST";
constexpr uint64_t kMaxManifestBytes = 1 << 20;

struct Entry {
  std::string hash, name;
};

std::vector<Entry> read_entries(const fs::path& output) {
  std::vector<Entry> entries;
  if (!fs::exists(output / kManifest)) return entries;
  std::istringstream lines(read_file(output / kManifest, kMaxManifestBytes));
  for (std::string line; std::getline(lines, line);) {
    if (line.size() < 67 || line.substr(64, 2) != "  " || line.find('/') != std::string::npos)
      throw Error(ErrorCode::kBadInput, output / kManifest, ": line \"", printable(line), "\"");
    entries.push_back({line.substr(0, 64), line.substr(66)});
  }
  return entries;
}

// The state stands in the tensors' file as text of its metadata, so that nothing can be apart.
void save_with_state(const fs::path& file, const ParameterMap& tensors, const std::string& state) {
  std::vector<at::Tensor> kept;
  std::vector<TensorToWrite> list;
  for (const auto& [name, tensor] : tensors) {
    kept.push_back(tensor.detach().contiguous());
    list.push_back(
        {name,
         DType::kF32,
         {kept.back().sizes().begin(), kept.back().sizes().end()},
         {static_cast<const std::byte*>(kept.back().const_data_ptr()), kept.back().nbytes()}});
  }
  write_safetensors(file, list, {{"format", "pt"}, {"kani_speaker_state", state}});
}

}  // namespace

// All of a run, under names that cannot meet.
ParameterMap SpeakerTrainer::everything() const {
  ParameterMap all;
  for (const auto& [name, tensor] : trained_) all["weight." + name] = tensor;
  for (const auto& [name, tensor] : module_.buffers()) all["buffer." + name] = tensor;
  for (const auto& [name, moments] : optimizer_.state()) {
    all["first." + name] = moments.first;
    all["second." + name] = moments.second;
    all["steps." + name] = moments.steps;
  }
  return all;
}

void SpeakerTrainer::save() {
  const fs::path output = config_.output_dir;
  std::error_code error;
  fs::create_directories(output, error);
  if (error) throw_cannot_write(output, error.value());
  char name[64];
  std::snprintf(name, sizeof name, "step-%08lld.safetensors", static_cast<long long>(update_));
  const Json state{{"update", update_},
                   {"data_hash", training_.hash()},
                   {"config", speaker_yaml(config_, /*only_numeric=*/true)}};
  save_with_state(output / name, everything(), state.dump());

  std::vector<Entry> entries = read_entries(output);
  std::erase_if(entries, [&](const Entry& entry) { return entry.name >= name; });
  entries.push_back({sha256_hex(output / name), name});
  std::vector<Entry> dropped;
  while (entries.size() > static_cast<size_t>(config_.save_total_limit)) {
    dropped.push_back(entries.front());
    entries.erase(entries.begin());
  }
  std::string text;
  for (const Entry& entry : entries) text += entry.hash + "  " + entry.name + "\n";
  write_file(output / kManifest, text);
  for (const Entry& entry : dropped) fs::remove(output / entry.name, error);
  write_file(output / "config.resolved.yaml", speaker_yaml(config_));
}

std::optional<fs::path> SpeakerTrainer::find_checkpoint() const {
  const fs::path output = config_.output_dir;
  std::vector<Entry> entries = read_entries(output);
  std::reverse(entries.begin(), entries.end());
  for (const Entry& entry : entries) {
    const fs::path file = output / entry.name;
    if (fs::exists(file) && sha256_hex(file) == entry.hash) return file;
    log_warning("train", file, ": missing or damaged (SHA-256); going back to the one before");
  }
  return std::nullopt;
}

void SpeakerTrainer::load(const fs::path& path, bool force) {
  const auto file = open_safetensors(path);
  const auto found = file->metadata().find("kani_speaker_state");
  if (found == file->metadata().end())
    throw Error(ErrorCode::kBadInput, path, ": is no checkpoint of a speaker encoder");
  const Json state = parse_json(found->second, path.string());
  const auto same = [&](const char* key, const std::string& now, const char* what) {
    if (force || state.value(key, "") == now) return;
    throw Error(ErrorCode::kBadInput, path, ": was trained with other ", what)
        .with_hint("the run's config.resolved.yaml has its settings; --force goes on regardless");
  };
  same("data_hash", training_.hash(), "recordings");
  same("config", speaker_yaml(config_, /*only_numeric=*/true), "settings");
  const ParameterMap stored = load_tensors(path);
  at::NoGradGuard no_grad;
  for (auto& [name, tensor] : everything()) {
    const auto source = stored.find(name);
    if (source == stored.end() || source->second.sizes() != tensor.sizes())
      throw Error(ErrorCode::kBadInput, path, ": ", name, " is missing or has another shape");
    tensor.detach().copy_(source->second);
  }
  update_ = state.value("update", int64_t{0});
}

}  // namespace kani::train
