// block.cuh - how a kernel sees its block of threads.  A kernel is a struct whose operator() takes
// a Block and speaks of all threads of it in steps: each() for what a thread does with its own
// registers and with memory that no other thread of the step touches, phase() for what goes
// through the block's shared memory, and sums over threads.  Written so, the very same source runs
// on a GPU (Block below) and, thread after thread, on a CPU (twin.h), where tests can see it.
//
// Rules: registers that live from step to step are Lanes; shared memory is only reachable in
// phase(), which ends with a barrier; within one step no thread reads what another writes (the
// twin runs the threads in two orders, which must give the same bits); steps stand only where all
// threads of the block come by.
#pragma once

#include <math.h>
#include <stdint.h>

#ifdef __CUDACC__
#define KANI_KERNEL __device__ __forceinline__
#define KANI_UNROLL _Pragma("unroll")
#else
#define KANI_KERNEL inline
#define KANI_UNROLL
#endif

namespace kani::train::cuda {

constexpr int kWarp = 32;

/// A fixed list of numbers in a thread's registers.
template <typename T, int kCount>
struct Several {
  T at[kCount];
  KANI_KERNEL T& operator[](int i) { return at[i]; }
  KANI_KERNEL const T& operator[](int i) const { return at[i]; }
};

#ifdef __CUDACC__

/// A block of a running kernel.  Blocks lie in a row; threads are a multiple of kWarp.
class Block {
 public:
  /// One T for each thread; starts as zeros.
  template <typename T>
  class Lanes {
   public:
    KANI_KERNEL explicit Lanes(const Block&) : own_() {}
    KANI_KERNEL T& operator[](int) { return own_; }

   private:
    T own_;
  };

  KANI_KERNEL explicit Block(float* shared) : shared_(shared) {}
  KANI_KERNEL int64_t index() const { return blockIdx.x; }
  KANI_KERNEL int threads() const { return static_cast<int>(blockDim.x); }

  template <typename Step>
  KANI_KERNEL void each(const Step& step) {
    step(static_cast<int>(threadIdx.x));
  }
  template <typename Step>
  KANI_KERNEL void phase(const Step& step) {
    step(static_cast<int>(threadIdx.x), shared_);
    __syncthreads();
  }

  /// Every thread of a warp gets the sum over the warp: pairs, pairs of pairs, ….
  template <typename T>
  KANI_KERNEL void warp_sum(Lanes<T>& value) {
    T own = value[0];
    KANI_UNROLL
    for (int step = kWarp / 2; step > 0; step /= 2) own += __shfl_xor_sync(~0U, own, step);
    value[0] = own;
  }
  /// Every thread gets the sum over the block: each warp, then warp after warp.
  template <typename T>
  KANI_KERNEL void sum(Lanes<T>& value) {
    warp_sum(value);
    fold(value, [](T a, T b) { return a + b; });
  }
  /// Every thread gets the largest.
  KANI_KERNEL void max(Lanes<float>& value) {
    float own = value[0];
    KANI_UNROLL
    for (int step = kWarp / 2; step > 0; step /= 2)
      own = fmaxf(own, __shfl_xor_sync(~0U, own, step));
    value[0] = own;
    fold(value, [](float a, float b) { return fmaxf(a, b); });
  }

 private:
  // What each warp has, put together warp after warp.
  template <typename T, typename Together>
  KANI_KERNEL void fold(Lanes<T>& value, const Together& together) {
    __shared__ T parts[kWarp];
    const int thread = static_cast<int>(threadIdx.x);
    if (thread % kWarp == 0) parts[thread / kWarp] = value[0];
    __syncthreads();
    T total = parts[0];
    for (int warp = 1; warp < threads() / kWarp; ++warp) total = together(total, parts[warp]);
    __syncthreads();
    value[0] = total;
  }

  float* shared_;
};

#endif

}  // namespace kani::train::cuda
