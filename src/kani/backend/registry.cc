// registry.cc - the list of accelerators: the only file above backend/ that knows their names.
#include "kani/backend/registry.h"

#include <algorithm>

#include "kani/backend/cpu/cpu_backend.h"
#include "kani/base/error.h"
#include "kani/base/thread_pool.h"

namespace kani {
namespace {

cpu::Isa chosen_isa(const std::string& name) {
  if (name.empty()) return cpu::best_isa();
  const std::optional<cpu::Isa> isa = cpu::isa_from_name(name);
  require(isa.has_value(), "instruction set \"", printable(name),
          "\" is unknown, expected scalar, avx2, avx512, avx512vnni, avx512bf16 or neon");
  const std::vector<cpu::Isa>& available = cpu::available_isas();
  require(std::find(available.begin(), available.end(), *isa) != available.end(), "this CPU lacks ",
          name, ", its best is ", cpu::isa_name(cpu::best_isa()));
  return *isa;
}

}  // namespace

std::unique_ptr<Backend> make_backend(const DeviceOptions& options) {
  require(options.device == "auto" || options.device == "cpu", "device \"",
          printable(options.device), "\" is not available, this build has cpu");
  require(options.threads >= 0 && options.threads <= 1024, "number of threads is ", options.threads,
          ", must be 1 to 1024, or 0 for the default");
  const int threads = options.threads == 0 ? default_thread_count() : options.threads;
  return cpu::make_cpu_backend(threads, chosen_isa(options.isa));
}

std::vector<DeviceInfo> list_devices() { return {{"cpu", cpu::cpu_description()}}; }

}  // namespace kani
