// muon.h - the update of matrices by the direction alone: momentum, made nearly orthogonal, so that
// what is weak in a gradient learns as fast as what is strong (Jordan et al. 2024).
//   v = m v + g;  u = O(g + m v);  W = W - lr decay W - lr sqrt(max(1, rows / cols)) u
// O: five steps X = a X + (b A + c A^2) X, A = X X^T, from X = M / |M|, which bring all singular
// values to about 1 (0.7 to 1.2).
// In float32; matrices of one shape are one product.  Not here: which parameters (optimizer.h).
#pragma once

#include <vector>

#include "kani/train/torch.h"

namespace kani::train {

struct MuonMatrix {
  at::Tensor parameter, gradient, momentum;  // [rows, cols] of one type; the first and last change
  double rate = 0;                           // lr
};
struct MuonRules {
  double momentum = 0.95;  // m
  double decay = 0;
  double clip = 1;  // on gradients
};

/// What the updates do to all of them.
void muon(const std::vector<MuonMatrix>& matrices, const MuonRules& rules);

/// O of each of [B, rows, cols].  A matrix of zeros stays one.
at::Tensor nearly_orthogonal(const at::Tensor& matrices);

}  // namespace kani::train
