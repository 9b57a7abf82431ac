// encoder_ops_cpu.h - EncoderOps on CPU threads: turns matrices into panels as they are needed and
// splits the work.  Not here: the arithmetic (kernels/encoder_*.cc).
#pragma once

#include "kani/backend/cpu/cpu_features.h"
#include "kani/backend/encoder_ops.h"
#include "kani/base/thread_pool.h"

namespace kani::cpu {

struct EncoderTable;

/// The table for `limit`: the scalar one overlaid with every level that `limit` allows.
EncoderTable encoder_table(Isa limit);

/// `pool` must outlive the result.  One thread at a time.
std::unique_ptr<EncoderOps> make_encoder_ops(ThreadPool& pool, Isa limit);

}  // namespace kani::cpu
