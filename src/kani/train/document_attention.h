// document_attention.h - causal attention within documents on CPUs, by LibTorch's blocked kernel,
// as one node of the graph: a document's part of the gradients is written where it belongs.
// Slices and a concatenation of LibTorch's would clear and add up gradients of the whole batch
// once for every document.
#pragma once

#include <cstdint>
#include <vector>

#include "kani/train/torch.h"

namespace kani::train {

/// q [N, heads, D], k and v [N, kv_heads, D] of one type, float32 or bf16, on the CPU; documents
/// are rows starts[d] to starts[d + 1], all rows are in one.  Returns [N, heads, D].  The same bits
/// with any number of threads.
at::Tensor document_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                              const std::vector<int64_t>& starts);

}  // namespace kani::train
