// muon_test.cc - the update against plain double-precision loops, and what it is meant to do.
#include "kani/train/muon.h"

#include <ATen/ops/linalg_svd.h>
#include <gtest/gtest.h>

#include <cmath>

#include "kani/train/optimizer.h"

namespace kani::train {
namespace {

using Matrix = std::vector<std::vector<double>>;

Matrix plain_of(const at::Tensor& t) {
  Matrix out(static_cast<size_t>(t.size(0)));
  for (int64_t i = 0; i < t.size(0); ++i) {
    for (int64_t j = 0; j < t.size(1); ++j)
      out[static_cast<size_t>(i)].push_back(t[i][j].item<double>());
  }
  return out;
}

Matrix product(const Matrix& a, const Matrix& b) {
  Matrix out(a.size(), std::vector<double>(b[0].size()));
  for (size_t i = 0; i < a.size(); ++i) {
    for (size_t k = 0; k < b.size(); ++k) {
      for (size_t j = 0; j < b[0].size(); ++j) out[i][j] += a[i][k] * b[k][j];
    }
  }
  return out;
}

Matrix turned(const Matrix& a) {
  Matrix out(a[0].size(), std::vector<double>(a.size()));
  for (size_t i = 0; i < a.size(); ++i) {
    for (size_t j = 0; j < a[0].size(); ++j) out[j][i] = a[i][j];
  }
  return out;
}

Matrix plain_orthogonal(Matrix x) {
  double square = 0;
  for (const auto& row : x) {
    for (const double v : row) square += v * v;
  }
  for (auto& row : x) {
    for (double& v : row) v /= std::sqrt(square) + 1e-7;
  }
  for (int step = 0; step < 5; ++step) {
    const Matrix a = product(x, turned(x)), ax = product(a, x), aax = product(a, ax);
    for (size_t i = 0; i < x.size(); ++i) {
      for (size_t j = 0; j < x[0].size(); ++j)
        x[i][j] = 3.4445 * x[i][j] - 4.7750 * ax[i][j] + 2.0315 * aax[i][j];
    }
  }
  return x;
}

// Three updates of one matrix in plain loops.
Matrix plain_updates(Matrix w, const std::vector<at::Tensor>& gradients, double rate, double m,
                     double decay) {
  Matrix v(w.size(), std::vector<double>(w[0].size()));
  for (const at::Tensor& gradient : gradients) {
    const Matrix g = plain_of(gradient);
    Matrix ahead = g;
    for (size_t i = 0; i < w.size(); ++i) {
      for (size_t j = 0; j < w[0].size(); ++j) {
        v[i][j] = m * v[i][j] + g[i][j];
        ahead[i][j] = g[i][j] + m * v[i][j];
      }
    }
    const Matrix u = plain_orthogonal(ahead);
    const double ratio = static_cast<double>(w.size()) / static_cast<double>(w[0].size());
    for (size_t i = 0; i < w.size(); ++i) {
      for (size_t j = 0; j < w[0].size(); ++j)
        w[i][j] = w[i][j] * (1 - rate * decay) - rate * std::sqrt(std::max(1.0, ratio)) * u[i][j];
    }
  }
  return w;
}

ParameterMap model_of_matrices() {
  at::manual_seed(2);
  ParameterMap p;
  for (const auto& [name, rows, cols] :
       {std::tuple{"model.layers.0.a.weight", 12, 30},
        std::tuple{"model.layers.1.a.weight", 12, 30},
        std::tuple{"model.layers.0.b.weight", 36, 12}, std::tuple{"model.layers.0.c.weight", 9, 9},
        std::tuple{"model.embed_tokens.weight", 50, 12}})
    p[name] = (at::randn({rows, cols}) * 0.2).set_requires_grad(true);
  p["model.layers.0.norm.weight"] = at::ones({12}).set_requires_grad(true);
  return p;
}

TEST(Muon, three_updates_are_those_of_plain_loops_in_double) {
  ParameterMap p = model_of_matrices();
  AdamW optimizer({.learning_rate = 1e-3,
                   .weight_decay = 0.1,
                   .max_grad_norm = 0,
                   .warmup_steps = 0,
                   .total_steps = 3,
                   .schedule = "constant",
                   .name_factors = {{"layers.1.", 0.5}},
                   .rule = "muon",
                   .muon_learning_rate = 0.02,
                   .muon_momentum = 0.95},
                  p);
  ParameterMap before;
  std::map<std::string, std::vector<at::Tensor>> gradients;
  for (const auto& [name, w] : p) before[name] = w.detach().clone();
  for (int64_t n = 0; n < 3; ++n) {
    for (auto& [name, w] : p) {
      w.mutable_grad() = at::randn(w.sizes());
      gradients[name].push_back(w.grad().clone());
    }
    optimizer.step(n);
  }
  int matrices = 0;
  for (const auto& [name, w] : p) {
    const Moments& state = optimizer.state().at(name);
    EXPECT_EQ(state.steps.item<double>(), 3) << name;
    if (!name.starts_with("model.layers.") || w.dim() != 2) {
      EXPECT_TRUE(state.second.defined()) << name << " is AdamW's";
      continue;
    }
    ++matrices;
    EXPECT_FALSE(state.second.defined()) << name;
    const Matrix expected =
        plain_updates(plain_of(before[name]), gradients[name],
                      name.find("layers.1.") == std::string::npos ? 0.02 : 0.01, 0.95, 0.1);
    for (size_t i = 0; i < expected.size(); ++i) {
      for (size_t j = 0; j < expected[0].size(); ++j) {
        // float32's rounding, grown at most 3.4445^5 times where a singular value is small.
        EXPECT_NEAR(w.detach()[static_cast<int64_t>(i)][static_cast<int64_t>(j)].item<double>(),
                    expected[i][j], 2e-6)
            << name;
      }
    }
  }
  EXPECT_EQ(matrices, 4);
}

// A kernel [rows, a, b] is the matrix [rows, a b], if the settings say that it is one.
TEST(Muon, kernels_are_matrices_of_their_rows) {
  at::manual_seed(6);
  const OptimizerSettings settings{.max_grad_norm = 0,
                                   .warmup_steps = 0,
                                   .total_steps = 2,
                                   .schedule = "constant",
                                   .rule = "muon",
                                   .is_matrix = [](std::string_view name, const at::Tensor&) {
                                     return name.ends_with(".kernel");
                                   }};
  const at::Tensor start = at::randn({6, 4, 3});
  ParameterMap kernel{{"a.kernel", start.clone().set_requires_grad(true)},
                      {"a.other", start.clone().set_requires_grad(true)}};
  ParameterMap flat{{"a.kernel", start.flatten(1).clone().set_requires_grad(true)}};
  AdamW of_kernel(settings, kernel), of_flat(settings, flat);
  for (int64_t n = 0; n < 2; ++n) {
    const at::Tensor gradient = at::randn({6, 4, 3});
    kernel.at("a.kernel").mutable_grad() = gradient.clone();
    kernel.at("a.other").mutable_grad() = gradient.clone();
    flat.at("a.kernel").mutable_grad() = gradient.flatten(1).clone();
    of_kernel.step(n);
    of_flat.step(n);
  }
  EXPECT_TRUE(kernel.at("a.kernel").flatten(1).equal(flat.at("a.kernel")));
  EXPECT_FALSE(kernel.at("a.kernel").equal(kernel.at("a.other")));
  EXPECT_EQ(of_kernel.state().at("a.kernel").first.sizes(), start.sizes());
  EXPECT_TRUE(of_kernel.state().at("a.other").second.defined());
}

TEST(Muon, singular_values_become_about_one) {
  at::manual_seed(3);
  const at::Tensor x = nearly_orthogonal(at::randn({3, 24, 60}));
  const at::Tensor values = std::get<1>(at::linalg_svd(x, false));
  EXPECT_GT(values.min().item<double>(), 0.6);
  EXPECT_LT(values.max().item<double>(), 1.25);
}

// What a gradient looks like: a few strong directions, the rest down to a thousandth of them.
TEST(Muon, weak_directions_survive_rounding) {
  at::manual_seed(5);
  for (const auto& [rows, cols] : {std::pair{24, 60}, std::pair{60, 24}, std::pair{24, 30}}) {
    const auto [u, values, v] = at::linalg_svd(at::randn({rows, cols}), false);
    const at::Tensor fall = at::logspace(0, -3, values.size(0));
    const at::Tensor x = at::mm(u * fall, v);
    const Matrix expected = plain_orthogonal(plain_of(x));
    const at::Tensor got = nearly_orthogonal(x.unsqueeze(0))[0];
    double worst = 0;
    for (int i = 0; i < rows; ++i) {
      for (int j = 0; j < cols; ++j)
        worst =
            std::max(worst, std::fabs(got[i][j].item<double>() -
                                      expected[static_cast<size_t>(i)][static_cast<size_t>(j)]));
    }
    // The weakest has 1e-6 in A, which float32 knows to 1e-7.
    EXPECT_LT(worst, 0.02) << rows << " x " << cols;
  }
}

TEST(Muon, several_matrices_at_once_are_each_alone) {
  at::manual_seed(4);
  for (const auto& shape : {std::pair{24, 60}, std::pair{60, 24}}) {
    const at::Tensor x = at::randn({4, shape.first, shape.second});
    const at::Tensor all = nearly_orthogonal(x);
    for (int64_t i = 0; i < 4; ++i) {
      const at::Tensor alone = nearly_orthogonal(x[i].unsqueeze(0))[0];
      EXPECT_LT((all[i] - alone).abs().max().item<double>(), 2e-5);
    }
  }
}

TEST(Muon, a_gradient_of_zeros_moves_nothing) {
  at::Tensor w = at::ones({4, 5}), v = at::zeros({4, 5});
  muon({{w, at::zeros({4, 5}), v, 0.02}}, {});
  EXPECT_TRUE(w.equal(at::ones({4, 5})));
}

}  // namespace
}  // namespace kani::train
