// quant_policy.h - which matrices are kept in how many bits when 8 or 4 are asked for: the one
// place that says so.  What is not in the list below stays exact: embedding rows, norms, taps of
// the short convolutions, biases, the speaker projection.
//
// Where the loss comes from: mean KL of the mini model (nats a token, speaking temperature) with
// one kind of matrix in 4 bits and all else exact, and what a million weights of it cost:
//   heads              0.101   33 per M      in_proj of convolutions   0.075   170 per M
//   w1, w3 (gate, up)  0.037   27 per M      out_proj of convolutions  0.043   290 per M
//   w2 (down)          0.016   23 per M      q, k, v                   0.024   108 per M
//                                            out_proj of attention     0.011    96 per M
// by layer 0.077 for the first, 0.017 to 0.034 for the others.  Only a quarter of the heads is read
// for a token, and the feed forward is four fifths of the real model's layers.  So:
//   8 bits: heads stay as they are in the file (bf16: 1.3 % more bytes a token), all else 8 bits.
//   4 bits: heads, output projections of convolutions, and input projections of convolutions in the
//           first third of the layers in 8 bits: 8.7 % more bytes a token at the real size.
#pragma once

#include "kani/backend/language_ops.h"

namespace kani {

enum class MatrixRole { kConvIn, kConvOut, kAttentionIn, kAttentionOut, kGateUp, kDown, kHead };

/// `asked` for the whole model; `layer` of `layers` (0 for heads); `file_type` is how the file
/// holds it.
inline MatrixType matrix_type_for(MatrixType asked, MatrixRole role, size_t layer, size_t layers,
                                  DType file_type) {
  if (asked != MatrixType::kQ8 && asked != MatrixType::kQ4) return asked;
  if (asked == MatrixType::kQ8) {
    if (role != MatrixRole::kHead) return MatrixType::kQ8;
    return file_type == DType::kBF16 ? MatrixType::kBF16 : MatrixType::kF32;
  }
  const bool fine = role == MatrixRole::kHead || role == MatrixRole::kConvOut ||
                    (role == MatrixRole::kConvIn && 3 * layer < layers);
  return fine ? MatrixType::kQ8 : MatrixType::kQ4;
}

}  // namespace kani
