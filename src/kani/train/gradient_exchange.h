// gradient_exchange.h - gradients of all processes added up while the backward pass still runs:
// as soon as a group of neighbouring parameters has its gradients, their sum begins.
// Source: training.md 14.5.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "kani/train/comm.h"
#include "kani/train/lfm2_module.h"

namespace kani::train {

/// One thread at a time (the backward pass, which is over when backward() returns, counts as the
/// caller).  Groups are a function of the parameters alone, the same on all processes, in the order
/// in which a backward pass meets them: the last norm, the layers from the last to the first, the
/// rest.  Sums begin in that order, so a process without work joins in at finish().
class GradientExchange {
 public:
  /// Puts a hook on every parameter that wants a gradient.  `comm` and the parameters must outlive
  /// it.  Alone it does nothing.  `wire`: the type that is sent and added up in, kFloat or
  /// kBFloat16.
  GradientExchange(ParameterMap& parameters, Comm& comm, at::ScalarType wire = at::kFloat,
                   int64_t group_bytes = int64_t{16} << 20);
  ~GradientExchange();
  GradientExchange(const GradientExchange&) = delete;
  GradientExchange& operator=(const GradientExchange&) = delete;

  /// The next backward pass is the last one of this update.
  void arm();
  /// Waits until every gradient is the sum over all processes.  A parameter without a
  /// gradient counts as zeros, and stays without one if no process has one.  Returns the seconds
  /// that were waited: what the backward pass did not hide.
  double finish();

 private:
  struct State;
  std::shared_ptr<State> state_;  // shared with the hooks, which may outlive this
};

}  // namespace kani::train
