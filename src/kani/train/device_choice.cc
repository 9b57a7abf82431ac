// device_choice.cc - see choose_device() in cuda_device.h.
#include <charconv>

#include "kani/base/error.h"
#include "kani/train/cuda_device.h"

namespace kani::train {

at::Device choose_device(std::string_view setting, const Launch& launch, bool built, int count) {
  if (setting == "cpu" || (setting == "auto" && (!built || count == 0))) return at::kCPU;
  int index = launch.local_rank;
  if (setting.starts_with("cuda:")) {
    const char *first = setting.data() + 5, *last = setting.data() + setting.size();
    const auto [end, error] = std::from_chars(first, last, index);
    require(error == std::errc() && end == last && index >= 0, "device is \"", setting,
            "\", must be auto, cpu, cuda or cuda:N");
    require(launch.size == 1, "device is \"", setting, "\" for ", launch.size,
            " processes, which cannot share a GPU; \"cuda\" gives each its own");
  } else {
    require(setting == "cuda" || setting == "auto", "device is \"", setting,
            "\", must be auto, cpu, cuda or cuda:N");
  }
  require(
      built, "device is \"", setting,
      "\", but this build cannot use GPUs: configure with KANI_CUDA=ON (docs/training-on-gpus.md)");
  require(count > 0, "device is \"", setting, "\", but no GPU is found: is the driver loaded?");
  require(index < count, "device is \"", setting, "\", which is GPU ", index,
          " for this process, but the machine has ", count);
  return {at::kCUDA, static_cast<at::DeviceIndex>(index)};
}

at::Device choose_device(std::string_view setting, const Launch& launch) {
  return choose_device(setting, launch, built_with_cuda(), gpu_count());
}

}  // namespace kani::train
