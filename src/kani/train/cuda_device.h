// cuda_device.h - which device a run computes on, and the doors to CUDA that the rest of the
// trainer needs: kernels, stream, NCCL.  In builds with KANI_CUDA they are in cuda_device.cc, else
// in no_cuda.cc, where there is nothing behind them.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "kani/train/cuda/kernels.h"
#include "kani/train/launch.h"
#include "kani/train/torch.h"

namespace c10d {
class Backend;
class Store;
}  // namespace c10d

namespace kani::train {

/// The device that a setting means: "auto" (a GPU if the build can use one and the machine has
/// one), "cpu", "cuda" (that of the process's place on its machine: LOCAL_RANK), "cuda:N".  Throws
/// Error(kInvalidArgument) for other words, and for GPUs that the build cannot use or the machine
/// does not have, with what to do.
at::Device choose_device(std::string_view setting, const Launch& launch);
/// The same with what there is told: `built` for GPUs, `count` of them in the machine.
at::Device choose_device(std::string_view setting, const Launch& launch, bool built, int count);

/// Whether this build can use GPUs, and how many the machine has.
bool built_with_cuda();
int gpu_count();
/// Makes a GPU the one of this process; LibTorch's own operations take the forms whose results do
/// not change from run to run.
void use_gpu(at::Device device);

/// Kernels for the device of a tensor; null on CPUs, where loops.h does the work.
const cuda::Kernels* kernels_for(const at::Tensor& x);
/// LibTorch's stream of the moment on the device of a tensor; null on CPUs.
cuda::Stream stream_of(const at::Tensor& x);

/// Bytes that tensors have held at once on a GPU since the program began; 0 for CPUs.
int64_t gpu_memory_peak(at::Device device);

/// A GPU's place in the machine, "0000:65:00.0"; empty for CPUs.
std::string gpu_bus(at::Device device);

/// c10d's NCCL group for tensors of that GPU.  Its time-out ends the process, as NCCL cannot take
/// back what a GPU waits for; the launcher starts the group anew.
c10::intrusive_ptr<c10d::Backend> gpu_group(const c10::intrusive_ptr<c10d::Store>& store,
                                            const Launch& launch, at::Device device,
                                            std::chrono::milliseconds timeout);

}  // namespace kani::train
