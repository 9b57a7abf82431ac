// muon.cc - see muon.h.
#include "kani/train/muon.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace kani::train {
namespace {

constexpr int kSteps = 5;
// Jordan's: steep at 0, no overshoot beyond 1.2.
constexpr double kA = 3.4445, kB = -4.7750, kC = 2.0315;
constexpr double kSmall = 1e-7;  // beside the norm of a matrix of zeros
constexpr double kWide = 1.5;    // columns a row from which the steps are cheaper on A alone

// P = a I + b A + c A^2 is a polynomial of A, so it commutes with A and with every P before: the
// steps X' = P X are A' = P A P, and the product of all P makes the result out of the first X.
// Square products only, but for the first and the last: 0.7 of the work at 192 x 512.
at::Tensor steps_on_square(const at::Tensor& x) {
  at::Tensor a = at::bmm(x, x.transpose(1, 2)), all;
  for (int i = 0; i < kSteps; ++i) {
    at::Tensor p = at::baddbmm(a, a, a, /*beta=*/kB, /*alpha=*/kC);
    p.diagonal(0, 1, 2).add_(kA);
    all = i == 0 ? p : at::bmm(p, all);
    if (i + 1 < kSteps) a = at::bmm(at::bmm(p, a), p);
  }
  return at::bmm(all, x);
}

at::Tensor steps(at::Tensor x) {
  for (int i = 0; i < kSteps; ++i) {
    const at::Tensor a = at::bmm(x, x.transpose(1, 2));
    const at::Tensor polynomial = at::baddbmm(a, a, a, /*beta=*/kB, /*alpha=*/kC);
    x = at::baddbmm(x, polynomial, x, /*beta=*/kA, /*alpha=*/1);
  }
  return x;
}

}  // namespace

at::Tensor nearly_orthogonal(const at::Tensor& matrices) {
  const bool tall = matrices.size(1) > matrices.size(2);  // the square is the smaller one
  at::Tensor x = tall ? matrices.transpose(1, 2) : matrices;
  x = (x / (x.norm(2, {1, 2}, /*keepdim=*/true) + kSmall)).contiguous();
  const bool wide = static_cast<double>(x.size(2)) >= kWide * static_cast<double>(x.size(1));
  x = wide ? steps_on_square(x) : steps(x);
  return tall ? x.transpose(1, 2) : x;
}

void muon(const std::vector<MuonMatrix>& matrices, const MuonRules& rules) {
  at::NoGradGuard no_grad;
  std::map<std::vector<int64_t>, std::vector<const MuonMatrix*>> shapes;
  for (const MuonMatrix& m : matrices) shapes[m.parameter.sizes().vec()].push_back(&m);
  for (const auto& [shape, group] : shapes) {
    std::vector<at::Tensor> ahead;
    for (const MuonMatrix* m : group) {
      const at::Tensor g = rules.clip < 1 ? m->gradient * rules.clip : m->gradient;
      const at::Tensor v = m->momentum;
      v.mul_(rules.momentum).add_(g);
      ahead.push_back(g + rules.momentum * v);
    }
    const at::Tensor directions = nearly_orthogonal(at::stack(ahead));
    const double scale =
        std::sqrt(std::max(1.0, static_cast<double>(shape[0]) / static_cast<double>(shape[1])));
    for (size_t i = 0; i < group.size(); ++i) {
      const MuonMatrix& m = *group[i];
      const at::Tensor w = m.parameter.detach();
      if (rules.decay > 0) w.mul_(1 - m.rate * rules.decay);
      w.add_(directions[static_cast<int64_t>(i)], -m.rate * scale);
    }
  }
}

}  // namespace kani::train
