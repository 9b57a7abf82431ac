// machine.h - what /proc tells about memory, for doctor and bench.  Zero where the system does not
// tell.
#pragma once

#include <cstdint>

namespace kani::cli {

uint64_t total_memory_bytes();
uint64_t available_memory_bytes();
/// The most that this process ever had resident.
uint64_t peak_resident_bytes();

}  // namespace kani::cli
