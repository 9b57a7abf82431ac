// error_feedback.cc - see error_feedback.h.  Legend: H products, n x n; H = R R^T with R upper
// triangular; U = R^-1, so that H^-1 = U^T U.
#include "kani/quant/error_feedback.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace kani {
namespace {

// y -= a * x
void subtract(double* y, double a, const double* x, size_t count) {
  for (size_t i = 0; i < count; ++i) y[i] -= a * x[i];
}

// In place: the lower triangle of the symmetric h becomes R^T (row j of it is column j of R).  From
// the last column to the first; a finished column is taken out of all before it.
void factorize(std::vector<double>& h, size_t n) {
  for (size_t j = n; j-- > 0;) {
    double* column = h.data() + j * n;  // h[j][0 … j]
    const double root = std::sqrt(column[j]);
    for (size_t i = 0; i <= j; ++i) column[i] /= root;
    for (size_t i = 0; i < j; ++i) subtract(h.data() + i * n, column[i], column, i + 1);
  }
}

}  // namespace

ErrorFeedback::ErrorFeedback(std::span<const float> products, size_t n) : n_(n), spread_(n * n) {
  assert(products.size() == n * n && n % kQuantBlock == 0);
  std::vector<double> h(products.begin(), products.end());
  double mean = 0;
  for (size_t i = 0; i < n; ++i) mean += h[i * n + i] / static_cast<double>(n);
  const double damping = mean > 0 ? 0.01 * mean : 1;
  for (size_t i = 0; i < n; ++i) h[i * n + i] += damping;
  factorize(h, n);
  // Row i of U from those below it: R[i,i] U[i] = e_i - sum over k > i of R[i,k] U[k].
  std::vector<double> u(n * n);
  for (size_t i = n; i-- > 0;) {
    double* row = u.data() + i * n;
    row[i] = 1;
    for (size_t k = i + 1; k < n; ++k) subtract(row + k, h[k * n + i], u.data() + k * n + k, n - k);
    for (size_t k = i; k < n; ++k) row[k] /= h[i * n + i];
    for (size_t k = i; k < n; ++k) spread_[i * n + k] = static_cast<float>(row[k] / row[i]);
  }
}

float row_scale_q4(std::span<const float> w) {
  float top = 0;
  for (size_t i = 0; i < w.size(); i += kQuantGroup)
    top = std::max(top, std::fabs(fit_q4(w.data() + i)));
  return 1.1F * top / 127;
}

void ErrorFeedback::round_q4(std::span<float> w, float scale, QuantRow out) const {
  assert(w.size() == n_ && out.q.size() == n_);
  float step = 0, inverse = 0;
  for (size_t k = 0; k < n_; ++k) {
    if (k % kQuantGroup == 0) {
      const float units = scale > 0 ? fit_q4(w.data() + k) / scale : 0;
      // Fails for what is not a number, as a file may hold it: 127 then.
      const float group = units < 127 ? std::max(std::nearbyint(units), -127.0F) : 127.0F;
      step = scale * group;
      inverse = group == 0 ? 0 : 1 / step;
      out.groups[k / kQuantGroup] = static_cast<int8_t>(group);
    }
    out.q[k] = nearest_q4(w[k] * inverse);
    const float error = w[k] - step * kQ4Levels[out.q[k]];
    const float* spread = spread_.data() + k * n_;
    for (size_t i = k + 1; i < n_; ++i) w[i] -= error * spread[i];
  }
}

}  // namespace kani
