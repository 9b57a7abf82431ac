// signal_ops_cpu.h - SignalOps on CPU threads: picks kernels for an instruction set, packs weights
// into blocks of rows, splits the work.  Not here: the arithmetic (kernels/).
#pragma once

#include <memory>

#include "kani/backend/cpu/cpu_features.h"
#include "kani/backend/signal_ops.h"
#include "kani/base/thread_pool.h"

namespace kani::cpu {

struct SignalTable;

/// The table for `limit`: the scalar one overlaid with every level that `limit` allows.
SignalTable signal_table(Isa limit);

/// `pool` must outlive the result.  One thread at a time.
std::unique_ptr<SignalOps> make_signal_ops(ThreadPool& pool, Isa limit);

}  // namespace kani::cpu
