// comm.h - talking to the other processes of a run, through LibTorch's own c10d: Gloo for numbers
// on CPUs, NCCL for tensors on GPUs. No transport of ours.  Alone, every call does nothing at no
// cost. Faults: a peer that dies is an Error within moments, one that is silent after the time-out;
// the message names the operation, and who has not come to it. The launcher starts the group anew.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "kani/train/launch.h"
#include "kani/train/torch.h"

namespace kani::train {

/// One thread at a time; all processes make the same calls in the same order.  Each tells the
/// common store before which call it stands, so that who waits in vain can say for whom.
class Comm {
 public:
  /// Meets the others.  Throws Error(kBusy) if they do not come within the time-out.
  /// A GPU as `device` becomes the process's own.
  explicit Comm(const Launch& launch, std::chrono::milliseconds timeout = std::chrono::seconds(60),
                at::Device device = at::kCPU);
  ~Comm();

  /// A group of its own for the same processes on CPUs, for another thread, with a time-out of its
  /// own.  All must call, within the time-out of this one.  Throws Error(kBusy).
  std::unique_ptr<Comm> apart(const std::string& name, std::chrono::milliseconds timeout);
  std::chrono::milliseconds timeout() const { return timeout_; }

  int rank() const { return launch_.rank; }
  int size() const { return launch_.size; }

  /// Sums over all processes, in place; contiguous tensors of one type, put together into pieces of
  /// some megabytes.  The sum is the same bits on every process.
  void sum(std::vector<at::Tensor>& tensors);
  double sum(double value);
  int64_t sum(int64_t value);
  void sum(std::vector<double>& values);
  /// Begins a sum of one contiguous tensor, in place, and returns what waits for its end.  Sums are
  /// begun in the same order on all processes.  Throws Error(kBusy), as the waiting does.
  std::function<void()> begin_sum(const at::Tensor& flat);
  /// Everyone gets what `owner` has.
  void broadcast(std::vector<at::Tensor>& tensors, int owner);
  void barrier();
  /// Throws Error(kInvalidArgument), on every process and naming the ranks, unless all have the
  /// same text: a hash of data, configuration, code.
  void agree(const std::string& what, const std::string& text);

 private:
  struct Group;
  template <typename Action>
  void guarded(const char* what, const Action& action) const;
  void mark();
  Comm(const Launch& launch, std::chrono::milliseconds timeout, std::unique_ptr<Group> group);
  Launch launch_;
  std::chrono::milliseconds timeout_;
  std::unique_ptr<Group> group_;  // null: alone
  int64_t calls_ = 0;
};

}  // namespace kani::train
