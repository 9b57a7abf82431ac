// registry.h - the one place that names accelerators.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kani/backend/backend.h"

namespace kani {

struct DeviceOptions {
  std::string device = "auto";  // "auto", "cpu"; later "cuda", "cuda:1"
  int threads = 0;              // 0 = default_thread_count()
  std::string isa;  // "" = best; "scalar", "avx2", "avx512", "avx512vnni", …: at most this one
};

/// Throws Error(kInvalidArgument) for an unknown device or an ISA that this CPU lacks.
std::unique_ptr<Backend> make_backend(const DeviceOptions& options);

/// Names accepted by DeviceOptions::device on this machine, with a description each.
struct DeviceInfo {
  std::string name;
  std::string description;
};
std::vector<DeviceInfo> list_devices();

}  // namespace kani
