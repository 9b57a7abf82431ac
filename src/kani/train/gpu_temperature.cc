// gpu_temperature.cc - see gpu_temperature.h.  The functions are NVML's, of which no header is
// needed: they return 0 if all is well, sensor 0 is the chip's own.
#include "kani/train/gpu_temperature.h"

#include <dlfcn.h>

namespace kani::train {

struct GpuTemperature::Library {
  using Plain = int();
  using Find = int(const char*, void**);
  using Read = int(void*, unsigned, unsigned*);

  explicit Library(const std::string& name) : handle(dlopen(name.c_str(), RTLD_LAZY | RTLD_LOCAL)) {
    const auto init = function<Plain>("nvmlInit_v2");
    find = function<Find>("nvmlDeviceGetHandleByPciBusId_v2");
    read = function<Read>("nvmlDeviceGetTemperature");
    begun = init != nullptr && find != nullptr && read != nullptr && init() == 0;
  }
  ~Library() {
    const auto shut = function<Plain>("nvmlShutdown");
    if (begun && shut != nullptr) shut();
    if (handle != nullptr) dlclose(handle);
  }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  template <typename Type>
  Type* function(const char* name) const {
    return handle == nullptr ? nullptr : reinterpret_cast<Type*>(dlsym(handle, name));
  }

  void* handle;
  Find* find = nullptr;
  Read* read = nullptr;
  bool begun = false;
};

GpuTemperature::GpuTemperature(const std::string& bus, const std::string& library)
    : library_(std::make_unique<Library>(library)) {
  if (library_->begun && library_->find(bus.c_str(), &gpu_) != 0) gpu_ = nullptr;
}

GpuTemperature::~GpuTemperature() = default;

std::optional<double> GpuTemperature::degrees() const {
  unsigned value = 0;
  if (gpu_ == nullptr || library_->read(gpu_, /*sensor=*/0, &value) != 0) return std::nullopt;
  return value;
}

}  // namespace kani::train
