// audio_table_test.cc - sums for rows: which digits an id has, the loss and its gradients against
// the table written out, the nearest sums of a table.
#include "kani/train/audio_table.h"

#include <gtest/gtest.h>

#include "kani/base/error.h"
#include "kani/train/ops.h"
#include "kani/train/ops_plain.h"
#include "kani/train/sequence.h"

namespace kani::train {
namespace {

const TableFactors kReal{410, 4, {9, 8, 8, 7}};
const TableFactors kSmall{13, 2, {5, 4, 3}};

double worst(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<double>() / (1e-6 + b.abs().max().item<double>());
}

TEST(AudioTable, has_132_rows_for_the_real_codebooks) {
  EXPECT_EQ(kReal.rows(), 410 + 132);
  EXPECT_EQ(kReal.ids(), 16538);
}

TEST(AudioTable, digits_are_those_of_the_codec) {
  // codec.md 3.1: code = n0 + 9 n1 + 72 n2 + 576 n3; here digits 3, 7, 2, 6 of the third codebook.
  int64_t rows[5];
  kReal.rows_of(410 + 2 * 4032 + 3 + 9 * 7 + 72 * 2 + 576 * 6, rows);
  const int64_t book = 410 + 2 * 33;
  EXPECT_EQ(
      std::vector<int64_t>(rows, rows + 5),
      (std::vector<int64_t>{book, book + 1 + 3, book + 10 + 7, book + 18 + 2, book + 26 + 6}));
  kReal.rows_of(409, rows);
  EXPECT_EQ(std::vector<int64_t>(rows, rows + 5), (std::vector<int64_t>{409, -1, -1, -1, -1}));
}

TEST(AudioTable, looked_up_rows_are_those_written_out) {
  at::manual_seed(1);
  std::vector<int64_t> ids;
  for (int64_t id = 0; id < kSmall.ids(); ++id) ids.push_back(id * 7 % kSmall.ids());
  const at::Tensor table = at::randn({kSmall.rows(), 20}).set_requires_grad(true);
  const at::Tensor twin = table.detach().clone().set_requires_grad(true);
  const at::Tensor a = table_rows(kSmall, table, ids);
  const at::Tensor b =
      written_out(kSmall, twin).index_select(0, at::tensor(at::IntArrayRef(ids), at::kLong));
  EXPECT_LT(worst(a, b), 1e-6);
  const at::Tensor direction = at::randn_like(a);
  (a * direction).sum().backward();
  (b * direction).sum().backward();
  EXPECT_LT(worst(table.grad(), twin.grad()), 1e-6);
}

// Values and gradients of the factored loss in float32 against the plain one over the written-out
// table in double: what is left is float32's rounding.
void expect_same_loss(const TableFactors& factors, int64_t width, double size) {
  at::manual_seed(3);
  const at::Tensor hidden = at::randn({61, width}).set_requires_grad(true);
  const at::Tensor table = (at::randn({factors.rows(), width}) * size).set_requires_grad(true);
  at::Tensor targets = at::randint(0, factors.ids(), {61}, at::kLong);
  targets[5] = kNoTarget;
  targets[6] = 3;
  targets[7] = factors.ids() - 1;
  targets[8] = factors.text_rows;
  const LossResult ours = cross_entropy(hidden, table, targets, 1.0 / 60, 16, factors);
  ours.loss.backward();
  const at::Tensor h = hidden.detach().to(at::kDouble).set_requires_grad(true);
  const at::Tensor t = table.detach().to(at::kDouble).set_requires_grad(true);
  const at::Tensor losses =
      at::cross_entropy_loss(at::matmul(h, written_out(factors, t).t()), targets, {},
                             at::Reduction::None, /*ignore_index=*/kNoTarget);
  (losses.sum() / 60).backward();
  EXPECT_LT(worst(ours.per_token.to(at::kDouble), losses), 1e-6);
  EXPECT_NEAR(ours.loss.item<double>(), losses.sum().item<double>() / 60,
              1e-6 * losses.sum().item<double>() / 60);
  EXPECT_LT(worst(hidden.grad().to(at::kDouble), h.grad()), 3e-6);
  EXPECT_LT(worst(table.grad().to(at::kDouble), t.grad()), 3e-6);
}

TEST(AudioTable, loss_and_gradients_are_those_over_all_ids) {
  expect_same_loss(kReal, 32, 0.1);
  expect_same_loss(kReal, 32, 1);  // logits of 20: a peaked softmax
  expect_same_loss(kSmall, 7, 0.3);
}

TEST(AudioTable, other_types_of_numbers_take_the_plain_way) {
  at::manual_seed(4);
  const at::Tensor hidden = at::randn({20, 8}, at::kDouble);
  const at::Tensor table = at::randn({kSmall.rows(), 8}, at::kDouble);
  const at::Tensor targets = at::randint(0, kSmall.ids(), {20}, at::kLong);
  const at::Tensor a = cross_entropy(hidden, table, targets, 1, 8, kSmall).per_token;
  const at::Tensor b =
      plain::cross_entropy(hidden, written_out(kSmall, table), targets, 1).per_token;
  EXPECT_LT(worst(a, b), 1e-6);
}

TEST(AudioTable, the_nearest_sums_of_sums_are_themselves) {
  at::manual_seed(5);
  const at::Tensor rows = written_out(kReal, at::randn({kReal.rows(), 6}));
  EXPECT_LT(worst(written_out(kReal, fitted_table(kReal, rows)), rows), 2e-6);
}

TEST(AudioTable, the_nearest_sums_are_nearer_than_any_beside_them) {
  at::manual_seed(6);
  const at::Tensor rows = at::randn({kSmall.ids(), 4}), best = fitted_table(kSmall, rows);
  const auto distance = [&](const at::Tensor& table) {
    return (written_out(kSmall, table) - rows).square().sum().item<double>();
  };
  for (int i = 0; i < 20; ++i)
    EXPECT_LT(distance(best), distance(best + 0.05 * at::randn_like(best)));
}

TEST(AudioTable, a_new_one_has_rows_of_the_deviation_and_is_a_function_of_the_seed) {
  const at::Tensor table = random_table(kReal, 64, 0.02, 1);
  const at::Tensor rows = written_out(kReal, table);
  EXPECT_NEAR(rows.slice(0, 0, 410).std().item<double>(), 0.02, 0.001);
  EXPECT_NEAR(rows.slice(0, 410).std().item<double>(), 0.02, 0.002);
  EXPECT_TRUE(table.equal(random_table(kReal, 64, 0.02, 1)));
  EXPECT_FALSE(table.equal(random_table(kReal, 64, 0.02, 2)));
}

TEST(AudioTable, levels_that_make_other_codebooks_are_refused) {
  Lfm2Config config;
  config.vocab_size = 650;
  config.audio_tokens_start = 410;
  EXPECT_EQ(TableFactors::of(config, {5, 4, 3}).rows(), 410 + 4 * 13);
  EXPECT_THROW(TableFactors::of(config, {9, 8, 8, 7}), Error);
}

}  // namespace
}  // namespace kani::train
