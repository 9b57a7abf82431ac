// no_cuda.cc - the doors of cuda_device.h in builds without KANI_CUDA: closed.
#include <torch/csrc/distributed/c10d/Backend.hpp>
#include <torch/csrc/distributed/c10d/Store.hpp>

#include "kani/base/error.h"
#include "kani/train/cuda_device.h"

namespace kani::train {

bool built_with_cuda() { return false; }
int gpu_count() { return 0; }
void use_gpu(at::Device) {}
const cuda::Kernels* kernels_for(const at::Tensor&) { return nullptr; }
cuda::Stream stream_of(const at::Tensor&) { return nullptr; }
int64_t gpu_memory_peak(at::Device) { return 0; }
std::string gpu_bus(at::Device) { return ""; }

c10::intrusive_ptr<c10d::Backend> gpu_group(const c10::intrusive_ptr<c10d::Store>&, const Launch&,
                                            at::Device, std::chrono::milliseconds) {
  throw Error(ErrorCode::kInvalidArgument, "this build cannot use GPUs");
}

}  // namespace kani::train
