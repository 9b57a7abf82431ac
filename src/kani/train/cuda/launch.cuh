// launch.cuh - starts a kernel of block.cuh on a GPU.  A refused start is reported by the next
// check of LibTorch, which looks after each start of its own: an error of CUDA stays until it is
// read.
#pragma once

#include <cuda_runtime_api.h>

#include "kani/train/cuda/kernels.h"
#include "kani/train/cuda/number.cuh"

namespace kani::train::cuda {

template <typename Body>
__global__ void run_block(const Body body) {
  extern __shared__ __align__(16) float shared[];
  Block block(shared);
  body(block);
}

struct Gpu {
  /// `shared`: numbers of shared memory for a block.
  template <typename Body>
  static void run(int64_t blocks, int threads, int shared, const Body& body, Stream stream) {
    if (blocks == 0) return;
    const auto bytes = static_cast<unsigned>(shared) * static_cast<unsigned>(sizeof(float));
    if (bytes > 48U << 10) {  // more must be asked for
      cudaFuncSetAttribute(run_block<Body>, cudaFuncAttributeMaxDynamicSharedMemorySize,
                           static_cast<int>(bytes));
    }
    run_block<Body><<<static_cast<unsigned>(blocks), static_cast<unsigned>(threads), bytes,
                      static_cast<cudaStream_t>(stream)>>>(body);
  }
};

}  // namespace kani::train::cuda
