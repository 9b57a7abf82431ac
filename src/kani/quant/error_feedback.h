// error_feedback.h - rounding to 4 bits that makes up for its own errors.  Given what goes into a
// matrix (the sums of products of its inputs), the error of each weight is spread over the weights
// of the row that are still to be rounded, so that the row's products change least.
// Source: Frantar, Ashkboos, Hoefler, Alistarh: GPTQ, 2022, in its form with a Cholesky factor.
// Plain loops in double; made once per matrix, while a model is converted.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "kani/quant/blocks.h"

namespace kani {

/// Immutable after construction; thread-safe.
class ErrorFeedback {
 public:
  /// `products` [n, n]: sum over inputs x of x x^T, symmetric; n a multiple of 32.  A hundredth of
  /// the mean of its diagonal is added to the diagonal, so that few inputs do not decide too much.
  ErrorFeedback(std::span<const float> products, size_t n);

  size_t size() const { return n_; }

  /// Rounds n weights of a row, which are changed on the way.  `scale` is the row's
  /// (row_scale_q4()).
  void round_q4(std::span<float> w, float scale, QuantRow out) const;

 private:
  size_t n_;
  // How much of a weight's error each later one takes: the upper triangular U, the inverse of
  // products being U^T U, with each row divided by its first number.
  std::vector<float> spread_;
};

/// A scale for a whole row (a multiple of 16 weights) with room for what is added to its weights.
float row_scale_q4(std::span<const float> w);

}  // namespace kani
