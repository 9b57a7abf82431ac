// twin.h - the blocks of block.cuh on a CPU: a step is a loop over the threads, a sum over threads
// takes the same pairs as on a GPU.  What it proves: indices, masks, tails, borders of documents,
// order of sums, that no thread reads in a step what another writes in it.  What it does not: that
// barriers, alignment and launch limits suit a real device.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "kani/train/cuda/kernels.h"
#include "kani/train/cuda/number.cuh"

namespace kani::train::cuda {

/// The order in which a step's threads run.
enum class ThreadOrder { kUp, kDown };

class TwinBlock {
 public:
  template <typename T>
  class Lanes {
   public:
    explicit Lanes(const TwinBlock& block) : own_(static_cast<size_t>(block.threads())) {}
    T& operator[](int thread) { return own_[static_cast<size_t>(thread)]; }

   private:
    std::vector<T> own_;
  };

  TwinBlock(int64_t index, int threads, std::vector<float>& shared, ThreadOrder order)
      : index_(index), threads_(threads), shared_(shared), order_(order) {}
  int64_t index() const { return index_; }
  int threads() const { return threads_; }

  template <typename Step>
  void each(const Step& step) {
    for (int i = 0; i < threads_; ++i) step(order_ == ThreadOrder::kUp ? i : threads_ - 1 - i);
  }
  template <typename Step>
  void phase(const Step& step) {
    each([&](int thread) { step(thread, shared_.data()); });
  }

  template <typename T>
  void warp_sum(Lanes<T>& value) {
    std::vector<T> now(static_cast<size_t>(threads_));
    for (int step = kWarp / 2; step > 0; step /= 2) {
      for (int t = 0; t < threads_; ++t) now[static_cast<size_t>(t)] = value[t] + value[t ^ step];
      for (int t = 0; t < threads_; ++t) value[t] = now[static_cast<size_t>(t)];
    }
  }
  template <typename T>
  void sum(Lanes<T>& value) {
    warp_sum(value);
    T total = value[0];
    for (int t = kWarp; t < threads_; t += kWarp) total += value[t];
    for (int t = 0; t < threads_; ++t) value[t] = total;
  }
  void max(Lanes<float>& value) {
    float largest = value[0];
    for (int t = 1; t < threads_; ++t) largest = std::fmax(largest, value[t]);
    for (int t = 0; t < threads_; ++t) value[t] = largest;
  }

 private:
  int64_t index_;
  int threads_;
  std::vector<float>& shared_;
  ThreadOrder order_;
};

/// All kernels, on the CPU, with steps in that order of threads.
const Kernels& twin_kernels(ThreadOrder order = ThreadOrder::kUp);

}  // namespace kani::train::cuda
