// gpu_temperature.h - how warm a GPU is, by NVIDIA's management library where the driver has put
// one.  Not here: LibTorch.
#pragma once

#include <memory>
#include <optional>
#include <string>

namespace kani::train {

/// Opens the library when it is made.  One thread at a time.
class GpuTemperature {
 public:
  /// `bus`: the GPU's place as CUDA names it, "0000:65:00.0".  `library`: for tests.
  explicit GpuTemperature(const std::string& bus, const std::string& library = "libnvidia-ml.so.1");
  ~GpuTemperature();

  /// Degrees Celsius; nothing if there is no such library or GPU, or it does not tell.
  std::optional<double> degrees() const;

 private:
  struct Library;
  std::unique_ptr<Library> library_;
  void* gpu_ = nullptr;
};

}  // namespace kani::train
