// checkpoint.cc - see checkpoint.h.
#include "kani/train/checkpoint.h"

#include <algorithm>
#include <cstdio>
#include <functional>
#include <set>

#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/train/lora.h"
#include "kani/train/sealed_folder.h"
#include "kani/train/weight_average.h"

namespace kani::train {
namespace {

namespace fs = std::filesystem;

constexpr const char* kTableFile = "audio_table.safetensors";
constexpr uint64_t kMaxStateBytes = 1 << 24;

RunState read_state(const fs::path& folder) {
  const fs::path path = folder / "state.json";
  return parse_state(read_file(path, kMaxStateBytes), path.string());
}

std::string optimizer_file(int rank, int size) {
  char name[64];
  std::snprintf(name, sizeof name, "optim-%05d-of-%05d.safetensors", rank, size);
  return name;
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
    if (read_state(folder).skipped_in_row > 0) refuse("saved among updates that were left out");
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
  return read_state(folder);
}

}  // namespace kani::train
