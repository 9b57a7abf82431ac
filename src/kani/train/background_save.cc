// background_save.cc - see background_save.h.
#include "kani/train/background_save.h"

#include "kani/base/error.h"
#include "kani/base/log.h"

namespace kani::train {
namespace {

// A process that dies closes its connections; one that only writes slowly must not end the run.
constexpr std::chrono::hours kSilence{24};

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

BackgroundSave::BackgroundSave(Comm& comm)
    : comm_(comm.apart("saves", kSilence)),
      patience_(comm.size() > 1 ? comm.timeout() : kSilence) {}

BackgroundSave::~BackgroundSave() {
  if (!pending()) return;
  if (writing_.wait_for(patience_) != std::future_status::ready) {
    log_warning("train", "no checkpoint: it was not written in time");
    thread_.detach();
    return;
  }
  try {
    wait();
  } catch (const std::exception& error) {
    log_warning("train", "no checkpoint: ", error.what());
  }
}

void BackgroundSave::begin(const std::filesystem::path& output, const std::filesystem::path& base,
                           const Snapshot& snapshot, std::function<void()> first) {
  require(!pending(), "a checkpoint is still being written");
  std::packaged_task<void()> task([comm = comm_, output, base, first = std::move(first),
                                   copy = copied(snapshot, comm_->rank() == 0)] {
    if (first) first();
    save_checkpoint(output, base, copy, *comm);
  });
  writing_ = task.get_future();
  thread_ = std::thread(std::move(task));
}

bool BackgroundSave::ended() const {
  return pending() && writing_.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
}

void BackgroundSave::wait() {
  if (!pending()) return;
  thread_.join();
  writing_.get();
}

}  // namespace kani::train
