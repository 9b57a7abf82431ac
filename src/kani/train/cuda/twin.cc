// twin.cc - see twin.h: the kernels of *.cuh, compiled for a CPU.
#include "kani/train/cuda/twin.h"

#include "kani/train/cuda/table.cuh"

namespace kani::train::cuda {
namespace {

template <ThreadOrder kOrder>
struct Twin {
  template <typename Body>
  static void run(int64_t blocks, int threads, int shared, const Body& body, Stream) {
    for (int64_t i = 0; i < blocks; ++i) {
      // NaN shows who reads shared memory before it is written.
      std::vector<float> memory(static_cast<size_t>(shared), NAN);
      TwinBlock block(i, threads, memory, kOrder);
      body(block);
    }
  }
};

}  // namespace

const Kernels& twin_kernels(ThreadOrder order) {
  static constexpr Kernels kUp = kernel_table<Twin<ThreadOrder::kUp>>(),
                           kDown = kernel_table<Twin<ThreadOrder::kDown>>();
  return order == ThreadOrder::kUp ? kUp : kDown;
}

}  // namespace kani::train::cuda
