// checkpoint.cc - see checkpoint.h.
#include "kani/train/checkpoint.h"

#include <algorithm>
#include <cstdio>
#include <functional>
#include <set>

#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/base/json.h"
#include "kani/train/sealed_folder.h"
#include "kani/train/weight_average.h"

namespace kani::train {
namespace {

namespace fs = std::filesystem;

constexpr const char* kTableFile = "audio_table.safetensors";
constexpr uint64_t kMaxStateBytes = 1 << 24;

std::string optimizer_file(int rank, int size) {
  char name[64];
  std::snprintf(name, sizeof name, "optim-%05d-of-%05d.safetensors", rank, size);
  return name;
}

std::string state_text(const RunState& s) {
  return Json{{"format", "kani-train-state"},
              {"version", 1},
              {"update", s.update},
              {"epoch", s.epoch},
              {"row", s.row},
              {"elements", s.elements},
              {"skipped", s.skipped},
              {"skipped_in_row", s.skipped_in_row},
              {"recent_norms", s.recent_norms},
              {"recent_losses", s.recent_losses},
              {"best_loss", s.best_loss ? Json(*s.best_loss) : Json()},
              {"best_update", s.best_update},
              {"data_hash", s.data_hash},
              {"valid_hash", s.valid_hash},
              {"base_hash", s.base_hash},
              {"config_hash", s.config_hash},
              {"program", s.program}}
             .dump(2) +
         "\n";
}

RunState parse_state(const fs::path& path) {
  const Json json = parse_json(read_file(path, kMaxStateBytes), path.string());
  const auto refuse = [&](const char* what) {
    throw Error(ErrorCode::kBadInput, path, ": ", what);
  };
  if (!json.is_object() || json.value("format", "") != "kani-train-state" ||
      json.value("version", 0) != 1)
    refuse("is no state of a training run that this program knows");
  const auto number = [&](const char* key) {
    const auto found = json.find(key);
    if (found == json.end() || !found->is_number_integer() || *found < 0)
      throw Error(ErrorCode::kBadInput, path, ": ", key, " is missing or no number of 0 or more");
    return found->get<int64_t>();
  };
  RunState s;
  s.update = number("update");
  s.epoch = number("epoch");
  s.row = number("row");
  s.elements = number("elements");
  s.skipped = number("skipped");
  s.skipped_in_row = number("skipped_in_row");
  for (const auto& [key, list] :
       {std::pair{"recent_norms", &s.recent_norms}, std::pair{"recent_losses", &s.recent_losses}}) {
    for (const Json& value : json.value(key, Json::array())) {
      if (!value.is_number()) refuse("a list of recent values holds something that is no number");
      list->push_back(value.get<double>());
    }
  }
  if (json.contains("best_loss") && json["best_loss"].is_number()) {
    s.best_loss = json["best_loss"].get<double>();
    s.best_update = number("best_update");
  }
  s.data_hash = json.value("data_hash", "");
  s.valid_hash = json.value("valid_hash", "");
  s.base_hash = json.value("base_hash", "");
  s.config_hash = json.value("config_hash", "");
  s.program = json.value("program", "");
  return s;
}

}  // namespace

std::string checkpoint_name(int64_t update) {
  const std::string digits = std::to_string(update);
  return "step-" + std::string(digits.size() < 8 ? 8 - digits.size() : 0, '0') + digits;
}

namespace {

// What the first process writes: everything but the moments of the others.
void write_common(const fs::path& part, const fs::path& base, const Snapshot& s) {
  if (has_adapters(s.parameters)) {
    save_adapter(part, s.parameters, s.config.lora, s.config.model_id);
  } else {
    save_parameters(part / "model.safetensors", without_factors(s.table, s.parameters));
    if (s.table.on()) save_parameters(part / kTableFile, factors_alone(s.parameters));
  }
  write_file(part / "config.json", config_text(s.model));
  write_file(part / "state.json", state_text(s.state));
  write_file(part / "config.resolved.yaml", resolved_yaml(s.config));
  copy_companions(base, part, s.tokenizer_json);
}

// What every process writes of its own.
void write_share(const fs::path& part, const Snapshot& s, const Comm& comm) {
  save_parameters(part / optimizer_file(comm.rank(), comm.size()), s.moments);
  if (!s.average.empty()) save_parameters(part / average_file(comm.rank(), comm.size()), s.average);
}

// Runs `action` where `mine` holds; if it fails anywhere it fails everywhere, so that no process
// waits for one that gave up.
void together(Comm& comm, bool mine, const fs::path& folder, const std::function<void()>& action) {
  std::exception_ptr failure;
  try {
    if (mine) action();
  } catch (const fs::filesystem_error& failed) {
    failure = std::make_exception_ptr(
        Error(ErrorCode::kCannotWrite, "cannot write ", folder, ": ", failed.code().message()));
  } catch (...) {
    failure = std::current_exception();
  }
  const int64_t failures = comm.sum(static_cast<int64_t>(failure ? 1 : 0));
  if (failure) std::rethrow_exception(failure);
  if (failures > 0)
    throw Error(ErrorCode::kCannotWrite, "cannot write ", folder, ": another process failed");
}

}  // namespace

void save_checkpoint(const fs::path& output, const fs::path& base, const Snapshot& s, Comm& comm) {
  const std::string name = checkpoint_name(s.state.update);
  const fs::path part = output / (name + ".part"), folder = output / name;
  const bool first = comm.rank() == 0;
  std::error_code ignored;
  try {
    together(comm, first, folder, [&] {
      fs::create_directories(output);
      fs::remove_all(part);
      fs::create_directory(part);
      write_common(part, base, s);
    });
    together(comm, true, folder, [&] { write_share(part, s, comm); });
    together(comm, first, folder, [&] {
      seal_folder(part, folder);
      if (s.state.best_loss)
        write_file(output / "best", checkpoint_name(s.state.best_update) + "\n");
    });
  } catch (...) {
    if (first) fs::remove_all(part, ignored);
    throw;
  }
  if (first && s.state.skipped_in_row == 0)
    rotate_steps(output, {.limit = s.config.save_total_limit,
                          .keep_every = s.config.keep_every,
                          .best = s.state.best_loss ? s.state.best_update : -1});
  comm.barrier();
}

void verify_checkpoint(const fs::path& folder) {
  const std::set<std::string> named = verify_sealed(folder, {"config.json", "state.json"});
  if (!named.contains(kAdapterFile) && !named.contains("model.safetensors"))
    throw Error(ErrorCode::kBadInput, folder / "MANIFEST", ": does not name model.safetensors");
}

std::optional<fs::path> find_checkpoint(const fs::path& output) {
  return newest_whole(output, verify_checkpoint);
}

std::optional<fs::path> find_good_checkpoint(const fs::path& output) {
  return newest_whole(output, [](const fs::path& folder) {
    verify_checkpoint(folder);
    const auto refuse = [&](const char* what) {
      throw Error(ErrorCode::kBadInput, folder, ": ", what);
    };
    if (parse_state(folder / "state.json").skipped_in_row > 0)
      refuse("saved among updates that were left out");
    for (const char* file : {"model.safetensors", kAdapterFile, kTableFile}) {
      if (!fs::exists(folder / file)) continue;
      for (const auto& [name, tensor] : load_tensors(folder / file)) {
        if (!tensor.isfinite().all().item<bool>()) refuse("has weights that are no numbers");
      }
    }
  });
}

RunState load_checkpoint(const fs::path& folder, Lfm2Module& model, AdamW& optimizer) {
  if (has_adapters(model.parameters())) {
    ParameterMap trained = adapter_tensors(model.parameters());  // shares the model's tensors
    restore_tensors(trained, folder / kAdapterFile);
  } else {
    // Of the rows that factors make a copy is read; the factors themselves lie beside.
    ParameterMap whole = without_factors(model.rules().table, model.parameters());
    restore_tensors(whole, folder / "model.safetensors");
    ParameterMap factors = factors_alone(model.parameters());
    if (!factors.empty()) restore_tensors(factors, folder / kTableFile);
  }
  // The moments that this process keeps, from whichever files hold them.
  if (!restore_shares(moments_map(optimizer), folder, "optim-"))
    throw Error(ErrorCode::kBadInput, folder, ": holds no moments (optim-*.safetensors)");
  return parse_state(folder / "state.json");
}

}  // namespace kani::train
