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
  WeightArena arena_;
  QuantTable table_ = quant_table(GetParam());
};

TEST_P(QuantTest, activations_are_rounded_as_the_scalar_kernel_does) {
  for (const size_t n : {1u, 15u, 31u, 32u, 33u, 100u}) {
    for (const bool fine : {false, true}) {
      const std::vector<float> x = normals(n, random_);
      const size_t blocks = (n + 31) / 32;
      struct Rounded {
        std::vector<int8_t> high, low;
        std::vector<float> scale;
        std::vector<int32_t> sums;
      };
      const auto rounded = [&](const QuantTable& table) {
        Rounded r{std::vector<int8_t>(blocks * 32, 99), std::vector<int8_t>(blocks * 32, 99),
                  std::vector<float>(blocks), std::vector<int32_t>(blocks * 2)};
        table.quantize(
            x.data(), n,
            {r.high.data(), fine ? r.low.data() : nullptr, r.scale.data(), r.sums.data()});
        return r;
      };
      const Rounded got = rounded(table_), want = rounded(kQuantScalar);
      EXPECT_EQ(got.high, want.high);
      EXPECT_EQ(got.low, want.low);
      EXPECT_EQ(got.scale, want.scale);
      EXPECT_EQ(got.sums, want.sums);
      for (size_t i = 0; fine && i < n; ++i) {
        const float back = got.scale[i / 32] * static_cast<float>(128 * got.high[i] + got.low[i]);
        EXPECT_NEAR(back, x[i], got.scale[i / 32] * 0.51F);
      }
    }
  }
}

TEST_P(QuantTest, rows_are_rounded_to_the_bits_of_the_definition) {
  for (const size_t groups : {2u, 16u, 18u, 72u}) {
    std::vector<float> w = normals(groups * 16, random_, 0.02);
    for (size_t i = 0; i < 16; ++i) w[16 + i] = i % 3 == 0 ? 1.0F : 0.0F;  // a coarse group
    for (size_t i = 0; i < 16; ++i) w[i] = 0;
    for (const auto member : {&QuantTable::quantize_row_q8, &QuantTable::quantize_row_q4}) {
      std::vector<int8_t> got_groups(groups), want_groups(groups), got(w.size()), want(w.size());
      const float got_scale = (table_.*member)(w.data(), groups, got_groups.data(), got.data());
      const float scale = (kQuantScalar.*member)(w.data(), groups, want_groups.data(), want.data());
      EXPECT_EQ(got_scale, scale);
      EXPECT_EQ(got_groups, want_groups);
      EXPECT_EQ(got, want);
    }
  }
}

TEST_P(QuantTest, a_row_of_zeros_stays_one) {
  const std::vector<float> w(64);
  for (const auto member : {&QuantTable::quantize_row_q8, &QuantTable::quantize_row_q4}) {
    std::vector<int8_t> groups(4, 9), q(64, 9);
    EXPECT_EQ((table_.*member)(w.data(), 4, groups.data(), q.data()), 0.0F);
    EXPECT_EQ(groups, std::vector<int8_t>(4));
  }
}

TEST_P(QuantTest, a_matrix_can_be_used_where_another_was_written) {
  const size_t rows = 70, cols = 100;
  const std::vector<float> w = normals(rows * cols, random_, 0.02), x = normals(cols, random_);
  const MatrixPart parts[] = {part_of(w, rows)};
  const auto ops = make_language_ops(pool_, GetParam());
  for (const MatrixType type : {MatrixType::kQ8, MatrixType::kQ4}) {
    const auto matrix = ops->pack(parts, cols, type);
    EXPECT_EQ(matrix->layout().size(), quant_bytes(rows, cols, type == MatrixType::kQ4));
    // One byte off any boundary.
    std::vector<std::byte> stored(matrix->layout().size() + 1);
    std::memcpy(stored.data() + 1, matrix->layout().data(), matrix->layout().size());
    const auto adopted = ops->adopt(std::span(stored).subspan(1), rows, cols, type);
    std::vector<float> y(rows), z(rows);
    ops->matmul(ConstMatrix(x.data(), 1, cols), *matrix, Matrix(y.data(), 1, rows));
    ops->matmul(ConstMatrix(x.data(), 1, cols), *adopted, Matrix(z.data(), 1, rows));
    EXPECT_EQ(y, z);
  }
  EXPECT_FALSE(quant_bytes(uint64_t{1} << 40, uint64_t{1} << 40, /*q4=*/false));
}

TEST_P(QuantTest, products_equal_the_scalar_ones) {
  for (const MatrixType type : {MatrixType::kQ8, MatrixType::kQ4}) {
    for (const size_t rows : {1u, 15u, 64u}) {
      for (const size_t cols : {32u, 96u, 70u}) {
        const std::vector<float> w = normals(rows * cols, random_, 0.02);
        const MatrixPart part = part_of(w, rows);
        const QuantMatrix matrix({&part, 1}, cols, type, table_, arena_, pool_);
        for (const size_t tokens : {1u, 2u, 7u, 16u}) {
          const std::vector<float> x = normals(tokens * cols, random_);
          QuantActivations activations;
          activations.fill(ConstMatrix(x.data(), tokens, cols), type == MatrixType::kQ8, table_,
                           pool_);
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
  for (const auto& [type, limit] : {std::pair{MatrixType::kQ8, 0.0056}, {MatrixType::kQ4, 0.066}}) {
    ops->matmul(in, *ops->pack(parts, cols, type), Matrix(got.data(), 1, rows));
    double error = 0, size = 0;
    for (size_t r = 0; r < rows; ++r) {
      error += std::pow(got[r] - want[r], 2);
      size += std::pow(want[r], 2);
    }
    EXPECT_LT(std::sqrt(error / size), limit);
  }
}

TEST_P(QuantTest, weights_that_are_no_numbers_are_rounded_to_something) {
  std::vector<float> w = normals(2 * 64, random_);
  w[3] = std::numeric_limits<float>::quiet_NaN();
  w[64] = std::numeric_limits<float>::infinity();
  w[100] = -std::numeric_limits<float>::infinity();
  const MatrixPart part = part_of(w, 2);
  for (const MatrixType type : {MatrixType::kQ8, MatrixType::kQ4}) {
    const QuantMatrix matrix({&part, 1}, 64, type, table_, arena_,
                             pool_);  // the sanitizers look on
    EXPECT_EQ(matrix.rows(), 2u);
  }
}

INSTANTIATE_TEST_SUITE_P(Isas, QuantTest, testing::ValuesIn(available_isas()), isa_label);

}  // namespace
}  // namespace kani::cpu
