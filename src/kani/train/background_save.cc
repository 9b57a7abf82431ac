// background_save.cc - see background_save.h.
#include "kani/train/background_save.h"

#include "kani/base/error.h"
#include "kani/base/log.h"

namespace kani::train {
namespace {

ParameterMap copied(const ParameterMap& tensors) {
  ParameterMap out;
  for (const auto& [name, tensor] : tensors)
    out[name] = tensor.detach()
                    .to(at::kCPU, tensor.scalar_type(), /*non_blocking=*/false, /*copy=*/true)
                    .set_requires_grad(tensor.requires_grad());  // tells what of LoRA is saved
  return out;
}

// Of what this process writes; the rest is not needed.
Snapshot copied(const Snapshot& snapshot, bool first) {
  Snapshot out = snapshot;
  out.moments = copied(snapshot.moments);
  out.parameters = first ? copied(snapshot.parameters) : ParameterMap();
  out.average = copied(snapshot.average);
  return out;
}

}  // namespace

BackgroundSave::BackgroundSave(const Comm& comm) : comm_(comm.apart("saves")) {}

BackgroundSave::~BackgroundSave() {
  if (!pending()) return;
  try {
    wait();
  } catch (const std::exception& error) {
    log_warning("train", "no checkpoint: ", error.what());
  }
}

void BackgroundSave::begin(const std::filesystem::path& output, const std::filesystem::path& base,
                           const Snapshot& snapshot) {
  require(!pending(), "a checkpoint is still being written");
  writing_ = std::async(std::launch::async,
                        [this, output, base, copy = copied(snapshot, comm_->rank() == 0)] {
                          save_checkpoint(output, base, copy, *comm_);
                        });
}

bool BackgroundSave::ended() const {
  return pending() && writing_.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
}

void BackgroundSave::wait() {
  if (pending()) writing_.get();
}

}  // namespace kani::train
