// Quantized products: every table of this CPU against the scalar one, bit-equal sums within blocks,
// batches equal to single tokens, and the whole against float32.
#include "kani/backend/cpu/quant_matrix.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include "kani/backend/cpu/language_ops_cpu.h"
#include "kani/base/random.h"
#include "kani/quant/blocks.h"

namespace kani::cpu {
namespace {

std::vector<float> normals(size_t n, Random& random, double size = 1) {
  std::vector<float> values(n);
  for (float& value : values) value = static_cast<float>(size * random.next_normal());
  return values;
}

std::string isa_label(const testing::TestParamInfo<Isa>& info) {
  return std::string(isa_name(info.param));
}

MatrixPart part_of(const std::vector<float>& w, size_t rows) {
  return {DType::kF32, std::as_bytes(std::span(w)), rows};
}

class QuantTest : public testing::TestWithParam<Isa> {
 protected:
  Random random_{3};
  ThreadPool pool_{2};
  QuantTable table_ = quant_table(GetParam());
};

TEST_P(QuantTest, activations_are_rounded_as_the_scalar_kernel_does) {
  for (const size_t n : {1u, 15u, 31u, 32u, 33u, 100u}) {
    const std::vector<float> x = normals(n, random_);
    const size_t blocks = (n + 31) / 32;
    std::vector<int8_t> got(blocks * 32, 99), want(got);
    std::vector<float> got_scale(blocks), want_scale(blocks);
    std::vector<int32_t> got_sum(blocks), want_sum(blocks);
    table_.quantize(x.data(), n, got.data(), got_scale.data(), got_sum.data());
    kQuantScalar.quantize(x.data(), n, want.data(), want_scale.data(), want_sum.data());
    EXPECT_EQ(got, want);
    EXPECT_EQ(got_scale, want_scale);
    EXPECT_EQ(got_sum, want_sum);
  }
}

TEST_P(QuantTest, products_equal_the_scalar_ones) {
  for (const MatrixType type : {MatrixType::kQ8, MatrixType::kQ4}) {
    for (const size_t rows : {1u, 15u, 64u}) {
      for (const size_t cols : {32u, 96u, 70u}) {
        const std::vector<float> w = normals(rows * cols, random_, 0.02);
        const MatrixPart part = part_of(w, rows);
        const QuantMatrix matrix({&part, 1}, cols, type, table_, pool_);
        for (const size_t tokens : {1u, 2u, 7u, 16u}) {
          const std::vector<float> x = normals(tokens * cols, random_);
          QuantActivations activations;
          activations.fill(ConstMatrix(x.data(), tokens, cols), table_, pool_);
          std::vector<float> got = normals(tokens * rows + 1, random_), want = got;
          for (const bool add : {false, true}) {
            QuantArgs args = activations.args(0, tokens);
            args.w = matrix.row_block(0);
            args.ldy = args.rows = rows;
            args.add = add;
            args.y = got.data();
            (type == MatrixType::kQ4 ? table_.gemm_q4 : table_.gemm_q8)(args);
            args.y = want.data();
            (type == MatrixType::kQ4 ? kQuantScalar.gemm_q4 : kQuantScalar.gemm_q8)(args);
            for (size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got[i], want[i], 2e-6F) << i;
          }
        }
      }
    }
  }
}

TEST_P(QuantTest, largest_numbers_do_not_overflow) {
  for (const MatrixType type : {MatrixType::kQ8, MatrixType::kQ4}) {
    const std::vector<float> w(64 * 64, -1.0F), x(64, 1.0F);
    const MatrixPart part = part_of(w, 64);
    const auto ops = make_language_ops(pool_, GetParam());
    const auto matrix = ops->pack({&part, 1}, 64, type);
    std::vector<float> y(64);
    ops->matmul(ConstMatrix(x.data(), 1, 64), *matrix, Matrix(y.data(), 1, 64));
    for (const float value : y) EXPECT_NEAR(value, -64, 0.1);
  }
}

TEST_P(QuantTest, a_batch_gives_the_bits_of_its_tokens_alone) {
  const size_t rows = 130, cols = 160, tokens = 19;
  const std::vector<float> w = normals(rows * cols, random_, 0.02);
  const std::vector<float> x = normals(tokens * cols, random_);
  const MatrixPart parts[] = {part_of(w, rows)};
  const auto ops = make_language_ops(pool_, GetParam());
  for (const MatrixType type : {MatrixType::kQ8, MatrixType::kQ4}) {
    const auto matrix = ops->pack(parts, cols, type);
    std::vector<float> together(tokens * rows), alone(tokens * rows);
    ops->matmul(ConstMatrix(x.data(), tokens, cols), *matrix,
                Matrix(together.data(), tokens, rows));
    for (size_t t = 0; t < tokens; ++t) {
      ops->matmul(ConstMatrix(x.data() + t * cols, 1, cols), *matrix,
                  Matrix(alone.data() + t * rows, 1, rows));
    }
    EXPECT_EQ(together, alone);
  }
}

TEST_P(QuantTest, eight_and_four_bits_are_as_close_as_they_can_be) {
  const size_t rows = 200, cols = 1024;
  const std::vector<float> w = normals(rows * cols, random_, 0.02), x = normals(cols, random_);
  const MatrixPart parts[] = {part_of(w, rows)};
  const auto ops = make_language_ops(pool_, GetParam());
  const auto exact = ops->pack(parts, cols, MatrixType::kF32);
  std::vector<float> want(rows), got(rows);
  const ConstMatrix in(x.data(), 1, cols);
  ops->matmul(in, *exact, Matrix(want.data(), 1, rows));
  for (const auto& [type, limit] : {std::pair{MatrixType::kQ8, 0.008}, {MatrixType::kQ4, 0.085}}) {
    ops->matmul(in, *ops->pack(parts, cols, type), Matrix(got.data(), 1, rows));
    double error = 0, size = 0;
    for (size_t r = 0; r < rows; ++r) {
      error += std::pow(got[r] - want[r], 2);
      size += std::pow(want[r], 2);
    }
    EXPECT_LT(std::sqrt(error / size), limit);
  }
}

INSTANTIATE_TEST_SUITE_P(Isas, QuantTest, testing::ValuesIn(available_isas()), isa_label);

}  // namespace
}  // namespace kani::cpu
