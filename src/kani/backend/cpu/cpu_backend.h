// cpu_backend.h - the CPU as an accelerator: threads and the best instruction set.
#pragma once

#include <memory>

#include "kani/backend/backend.h"
#include "kani/backend/cpu/cpu_features.h"

namespace kani::cpu {

/// `isa` must be one of available_isas().
std::unique_ptr<Backend> make_cpu_backend(int threads, Isa isa);

/// "AMD EPYC, 2 cores, avx512bf16".
std::string cpu_description();

}  // namespace kani::cpu
