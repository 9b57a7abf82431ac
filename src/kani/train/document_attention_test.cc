// document_attention_test.cc - values and gradients against attention written out in double
// precision, whatever documents there are; the same bits with any number of threads.
#include "kani/train/document_attention.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace kani::train {
namespace {

constexpr int64_t kHeads = 4, kKvHeads = 2, kWidth = 24;

at::Tensor written_out(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                       const std::vector<int64_t>& starts) {
  std::vector<at::Tensor> out;
  for (size_t d = 0; d + 1 < starts.size(); ++d) {
    const auto heads_first = [&](const at::Tensor& x) {
      return x.slice(0, starts[d], starts[d + 1])
          .repeat_interleave(q.size(1) / x.size(1), 1)
          .transpose(0, 1);
    };
    const at::Tensor scores = at::bmm(heads_first(q), heads_first(k).transpose(1, 2)) /
                              std::sqrt(static_cast<double>(q.size(2)));
    const at::Tensor future = at::ones_like(scores, at::kBool).triu(1);
    const at::Tensor weights =
        at::softmax(scores.masked_fill(future, -std::numeric_limits<double>::infinity()), -1);
    out.push_back(at::bmm(weights, heads_first(v)).transpose(0, 1));
  }
  return at::cat(out, 0);
}

struct Result {
  at::Tensor y, dq, dk, dv;
};

Result attend(const std::vector<at::Tensor>& inputs, const at::Tensor& direction,
              const std::vector<int64_t>& starts, at::ScalarType type) {
  std::vector<at::Tensor> x;
  for (const at::Tensor& one : inputs)
    x.push_back(one.detach().to(type, /*non_blocking=*/false, /*copy=*/true).requires_grad_());
  const at::Tensor y = type == at::kDouble ? written_out(x[0], x[1], x[2], starts)
                                           : document_attention(x[0], x[1], x[2], starts);
  (y * direction.to(type)).sum().backward();
  return {y.detach(), x[0].grad(), x[1].grad(), x[2].grad()};
}

double worst(const at::Tensor& a, const at::Tensor& b) {
  return (a.to(at::kDouble) - b).abs().max().item<double>() / b.abs().max().item<double>();
}

class DocumentAttention : public testing::TestWithParam<std::vector<int64_t>> {
 protected:
  std::vector<int64_t> starts_ = GetParam();
  int64_t rows_ = starts_.back();
  std::vector<at::Tensor> inputs_ = {at::randn({rows_, kHeads, kWidth}),
                                     at::randn({rows_, kKvHeads, kWidth}),
                                     at::randn({rows_, kKvHeads, kWidth})};
  at::Tensor direction_ = at::randn({rows_, kHeads, kWidth});
};

TEST_P(DocumentAttention, IsAttentionWithinEach) {
  const Result wanted = attend(inputs_, direction_, starts_, at::kDouble);
  for (const auto& [type, bound] : {std::pair{at::kFloat, 1e-5}, std::pair{at::kBFloat16, 3e-2}}) {
    const Result got = attend(inputs_, direction_, starts_, type);
    EXPECT_LT(worst(got.y, wanted.y), bound);
    EXPECT_LT(worst(got.dq, wanted.dq), bound);
    EXPECT_LT(worst(got.dk, wanted.dk), bound);
    EXPECT_LT(worst(got.dv, wanted.dv), bound);
  }
}

TEST_P(DocumentAttention, DoesNotDependOnThreads) {
  const int before = at::get_num_threads();
  at::set_num_threads(1);
  const Result one = attend(inputs_, direction_, starts_, at::kFloat);
  at::set_num_threads(2);
  const Result two = attend(inputs_, direction_, starts_, at::kFloat);
  at::set_num_threads(before);
  EXPECT_TRUE(at::equal(one.y, two.y));
  EXPECT_TRUE(at::equal(one.dq, two.dq));
  EXPECT_TRUE(at::equal(one.dk, two.dk));
  EXPECT_TRUE(at::equal(one.dv, two.dv));
}

// Of one row, empty, of like lengths side by side and apart, longer than the kernel's blocks.
INSTANTIATE_TEST_SUITE_P(Documents, DocumentAttention,
                         testing::Values(std::vector<int64_t>{0, 40},
                                         std::vector<int64_t>{0, 16, 32, 48},
                                         std::vector<int64_t>{0, 1, 8, 8, 15, 700},
                                         std::vector<int64_t>{0, 3, 12, 21, 30, 31, 64, 97}));

TEST(DocumentAttentionViews, TakesWhatIsNotContiguous) {
  const std::vector<int64_t> starts = {0, 5, 17};
  const at::Tensor all = at::randn({17, kWidth, 2 * kHeads}).transpose(1, 2);
  const std::vector<at::Tensor> views = {all.slice(1, 0, kHeads), all.slice(1, 2, 2 + kKvHeads),
                                         all.slice(1, 5, 5 + kKvHeads)};
  const at::Tensor direction = at::randn({17, kWidth, kHeads}).transpose(1, 2);
  const Result got = attend(views, direction, starts, at::kFloat);
  const Result wanted = attend(views, direction, starts, at::kDouble);
  EXPECT_LT(worst(got.y, wanted.y), 1e-5);
  EXPECT_LT(worst(got.dv, wanted.dv), 1e-5);
}

}  // namespace
}  // namespace kani::train
