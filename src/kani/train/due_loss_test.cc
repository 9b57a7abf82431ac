// The loss over what is due, against its definition in double.
#include "kani/train/due_loss.h"

#include <gtest/gtest.h>

#include "kani/base/error.h"

namespace kani::train {
namespace {

// 5 text ids, 3 control ids, two codebooks of 6, two text ids behind: 22 rows.
TokenLayout small_layout() {
  TokenLayout layout;
  layout.start_of_speech = 6;
  layout.end_of_speech = 7;
  layout.audio_start = 8;
  layout.codebook_size = 6;
  layout.codebooks = 2;
  layout.rows = 22;
  return layout;
}

TEST(DueLoss, is_its_definition) {
  at::manual_seed(3);
  // Text, the end of speech, codes of both codebooks, an id behind the codes, nothing.
  const std::vector<int64_t> targets{2, 7, 8, 13, 14, 19, 21, kNoTarget};
  // What may stand there: of the first codebook and, before its codes, the end of speech.
  const std::vector<int64_t> all{0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10,
                                 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21},
      first{7, 8, 9, 10, 11, 12, 13}, second{14, 15, 16, 17, 18, 19};
  const std::vector<std::vector<int64_t>> due{all, first, first, first, second, second, all};
  const at::Tensor hidden = at::randn({8, 5}).set_requires_grad(true),
                   head = at::randn({22, 5}).set_requires_grad(true), weights = at::rand({8});
  const at::Tensor h = hidden.detach().to(at::kDouble).set_requires_grad(true),
                   w = head.detach().to(at::kDouble).set_requires_grad(true);
  at::Tensor right = at::zeros({}, at::kDouble);
  const LossResult ours = due_cross_entropy(hidden, head, targets, 0.25, 3, small_layout(),
                                            {.label_smoothing = 0.1, .weights = weights});
  for (size_t n = 0; n < due.size(); ++n) {
    const auto place = static_cast<int64_t>(n);
    const at::Tensor rows = at::tensor(due[n], at::kLong);
    const at::Tensor p = at::log_softmax(at::matmul(w.index_select(0, rows), h[place]), -1);
    const auto wanted = std::find(due[n].begin(), due[n].end(), targets[n]) - due[n].begin();
    const at::Tensor surprise = -p[wanted];
    EXPECT_NEAR(ours.per_token[place].item<double>(), surprise.item<double>(), 1e-5) << n;
    right = right + (surprise * 0.9 - p.mean() * 0.1) * weights[place].item<double>() * 0.25;
  }
  EXPECT_EQ(ours.per_token[7].item<double>(), 0);
  ours.loss.backward();
  right.backward();
  EXPECT_NEAR(ours.loss.item<double>(), right.item<double>(), 1e-5);
  EXPECT_LT((hidden.grad() - h.grad()).abs().max().item<double>(), 1e-6);
  EXPECT_LT((head.grad() - w.grad()).abs().max().item<double>(), 1e-6);
}

TEST(DueLoss, needs_a_row_for_each_id) {
  EXPECT_THROW(due_cross_entropy(at::zeros({1, 5}), at::zeros({21, 5}), {0}, 1, 8, small_layout()),
               Error);
}

}  // namespace
}  // namespace kani::train
