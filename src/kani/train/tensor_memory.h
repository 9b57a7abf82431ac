// tensor_memory.h - keeps the memory of CPU tensors that are gone for those to come.  An update
// makes and drops the same few hundred tensors of megabytes; from the system each of them costs a
// page fault and a cleared page for every 4 KB, a tenth of an update.
// Not here: GPUs, whose memory LibTorch keeps itself.
#pragma once

#include <cstddef>

namespace kani::train {

/// From here on LibTorch's CPU tensors are made by a pool: blocks of at least 64 KB are kept in
/// classes of like size (an eighth of a power of two wide) when they are dropped, in all never more
/// than was in use at once; smaller ones are the system's as before.  Blocks begin at a multiple of
/// 64 bytes; those of 4 MB and more ask for large pages.  Once for a program, before threads;
/// calling it again does nothing.  Also glibc's malloc keeps more of what it has, for what is no
/// tensor, as oneDNN's scratch memory.  In programs under a sanitizer it does nothing, so that
/// nothing is hidden from it.
void keep_tensor_memory();

/// Bytes of the pool: what tensors hold, and what is kept for later.
struct TensorMemory {
  size_t used = 0, kept = 0;
};
TensorMemory tensor_memory();

}  // namespace kani::train
