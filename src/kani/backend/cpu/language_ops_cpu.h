// language_ops_cpu.h - LanguageOps on CPU threads: picks kernels for an instruction set, packs
// matrices into blocks, splits the work.  Not here: the arithmetic (kernels/language_*.cc).
#pragma once

#include "kani/backend/cpu/cpu_features.h"
#include "kani/backend/language_ops.h"
#include "kani/base/thread_pool.h"

namespace kani::cpu {

struct LanguageTable;

/// The table for `limit`: the scalar one overlaid with every level that `limit` allows.
LanguageTable language_table(Isa limit);

/// `pool` must outlive the result.  One thread at a time.
std::unique_ptr<LanguageOps> make_language_ops(ThreadPool& pool, Isa limit);

}  // namespace kani::cpu
