// gpu_temperature_test.cc - a library that is not there is no error; one that answers is asked as
// NVML wants it.  The one that answers is this program itself.
#include "kani/train/gpu_temperature.h"

#include <gtest/gtest.h>

#include <string_view>

namespace {
int initialised = 0;
int gpu = 0;
}  // namespace

// NOLINTBEGIN: NVML's names.
extern "C" {
__attribute__((visibility("default"))) int nvmlInit_v2() {
  ++initialised;
  return 0;
}
__attribute__((visibility("default"))) int nvmlShutdown() {
  --initialised;
  return 0;
}
__attribute__((visibility("default"))) int nvmlDeviceGetHandleByPciBusId_v2(const char* bus,
                                                                            void** handle) {
  *handle = &gpu;
  return std::string_view(bus) == "0000:65:00.0" ? 0 : 6;  // not found
}
__attribute__((visibility("default"))) int nvmlDeviceGetTemperature(void* handle, unsigned sensor,
                                                                    unsigned* degrees) {
  *degrees = 61;
  return handle == &gpu && sensor == 0 ? 0 : 2;
}
}
// NOLINTEND

namespace kani::train {
namespace {

TEST(GpuTemperature, a_machine_without_the_library_tells_nothing) {
  EXPECT_FALSE(GpuTemperature("0000:65:00.0", "libthere-is-none.so.1").degrees());
  EXPECT_FALSE(GpuTemperature("0000:65:00.0", "libm.so.6").degrees());  // another library
}

TEST(GpuTemperature, asks_the_gpu_of_that_place_and_shuts_down) {
  {
    const GpuTemperature there("0000:65:00.0", "");
    ASSERT_EQ(initialised, 1);
    EXPECT_EQ(there.degrees(), 61);
  }
  EXPECT_EQ(initialised, 0);
  EXPECT_FALSE(GpuTemperature("0000:66:00.0", "").degrees());
}

}  // namespace
}  // namespace kani::train
