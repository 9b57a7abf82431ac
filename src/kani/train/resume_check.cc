// resume_check.cc - see resume_check.h.
#include "kani/train/resume_check.h"

#include <cstdio>

#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/base/json.h"
#include "kani/base/log.h"
#include "kani/base/yaml.h"
#include "kani/train/model_files.h"

namespace kani::train {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSettings = "config.resolved.yaml";

void add_change(std::string& out, const std::string& name, const std::string& was,
                const std::string& is) {
  out += concat(out.empty() ? "" : "; ", name, " was ", was, ", is ", is);
}

}  // namespace

// Each process writes its own moments: optim-00000-of-00002.safetensors.
int checkpoint_processes(const fs::path& checkpoint) {
  for (const auto& entry : fs::directory_iterator(checkpoint)) {
    int rank = 0, size = 0;
    if (std::sscanf(entry.path().filename().c_str(), "optim-%d-of-%d", &rank, &size) == 2)
      return size;
  }
  return 1;
}

std::string changed_settings(const fs::path& checkpoint, const TrainConfig& config, int processes) {
  const fs::path path = checkpoint / kSettings;
  std::string out = changed_keys(read_file(path, kMaxConfigBytes), path.string(), config);
  if (const int before = checkpoint_processes(checkpoint); config.parity && before != processes)
    add_change(out, "the number of processes", to_text(before), to_text(processes));
  return out;
}

std::string changed_model(const fs::path& checkpoint, const TrainConfig& config,
                          const Lfm2Config& model) {
  const fs::path path = checkpoint / "config.json", settings = checkpoint / kSettings;
  const Json before = parse_json(read_file(path, kMaxConfigBytes), path.string());
  const Json now = parse_json(config_text(model), "config.json of the base");
  std::string out;
  for (const auto& [name, value] : now.items()) {
    const auto found = before.find(name);
    if (found != before.end() && *found != value)
      add_change(out, name, dump_json(*found), dump_json(value));
  }
  const YamlValue then = parse_yaml(read_file(settings, kMaxConfigBytes), settings.string());
  const YamlValue* base = then.find("model_id");
  std::error_code ignored;
  if (out.empty() && base != nullptr && fs::exists(base->text, ignored) &&
      !fs::equivalent(base->text, config.model_id, ignored) && !ignored)
    log_warning("train", checkpoint, " began from ", base->text, ", not from ", config.model_id,
                "; the weights are the checkpoint's");
  return out;
}

}  // namespace kani::train
