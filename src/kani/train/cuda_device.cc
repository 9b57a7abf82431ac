// cuda_device.cc - see cuda_device.h: the doors to CUDA, in builds with KANI_CUDA.
#include "kani/train/cuda_device.h"

#include <ATen/Context.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAStream.h>

#include <cstdlib>
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>

namespace kani::train {

bool built_with_cuda() { return true; }

int gpu_count() { return c10::cuda::device_count(); }

void use_gpu(at::Device device) {
  // cuBLAS sums in one order only with a workspace of its own; read when the first product starts.
  setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", /*replace=*/0);
  c10::cuda::set_device(device.index());
  at::Context& context = at::globalContext();
  context.setDeterministicAlgorithms(true, /*warn_only=*/true);
  // That would also fill every new tensor.
  context.setDeterministicFillUninitializedMemory(false);
}

const cuda::Kernels* kernels_for(const at::Tensor& x) {
  return x.is_cuda() ? &cuda::gpu_kernels() : nullptr;
}

cuda::Stream stream_of(const at::Tensor& x) {
  return x.is_cuda() ? c10::cuda::getCurrentCUDAStream(x.device().index()).stream() : nullptr;
}

int64_t gpu_memory_peak(at::Device device) {
  if (!device.is_cuda()) return 0;
  const auto all = static_cast<size_t>(c10::CachingAllocator::StatType::AGGREGATE);
  return c10::cuda::CUDACachingAllocator::getDeviceStats(device.index()).allocated_bytes[all].peak;
}

std::string gpu_bus(at::Device device) {
  char text[32] = "";
  if (!device.is_cuda() || cudaDeviceGetPCIBusId(text, sizeof text, device.index()) != cudaSuccess)
    return "";
  return text;
}

c10::intrusive_ptr<c10d::Backend> gpu_group(const c10::intrusive_ptr<c10d::Store>& store,
                                            const Launch& launch, at::Device device,
                                            std::chrono::milliseconds timeout) {
  auto options = c10d::ProcessGroupNCCL::Options::create();
  options->timeout = timeout;
  auto group =
      c10::make_intrusive<c10d::ProcessGroupNCCL>(store, launch.rank, launch.size, options);
  group->setBoundDeviceId(device);
  return group;
}

}  // namespace kani::train
