// fma_peak.h - how many float32 operations a second the CPU can do in registers: the roof that
// codec_bench holds its figures against.
#pragma once

#include "kani/backend/cpu/cpu_features.h"
#include "kani/base/thread_pool.h"

namespace kani {

/// GFLOP/s of all threads of the pool together (a multiply and an add counted apart), the best of a
/// few tries of some milliseconds; 0 for the scalar level, whose roof the compiler decides.
double fma_peak_gflops(cpu::Isa isa, ThreadPool& pool);

}  // namespace kani
