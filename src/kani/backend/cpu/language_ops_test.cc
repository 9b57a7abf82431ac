// Every table of this CPU against the scalar one: odd sizes, odd alignment, NaN where nothing may
// be read.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "kani/backend/cpu/kernels/language_kernels.h"
#include "kani/backend/cpu/language_ops_cpu.h"
#include "kani/base/buffer.h"
#include "kani/base/random.h"

namespace kani::cpu {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

// n numbers with one float of misalignment in front and NaN on both sides.
class Guarded {
 public:
  Guarded(size_t n, Random& random) : data_(n + 34, kNan), n_(n) {
    for (size_t i = 0; i < n; ++i) data()[i] = static_cast<float>(random.next_normal());
  }
  explicit Guarded(size_t n) : data_(n + 34, kNan), n_(n) {}
  float* data() { return data_.data() + 1; }
  std::span<const float> span() const { return {data_.data() + 1, n_}; }
  bool untouched_outside() const {
    for (size_t i = 0; i < data_.size(); ++i) {
      if ((i < 1 || i > n_) && !std::isnan(data_[i])) return false;
    }
    return true;
  }

 private:
  std::vector<float> data_;
  size_t n_;
};

// Largest difference allowed for sums of n products of numbers around 1: n roundings of partial
// sums that grow like sqrt(n).
float sum_tolerance(size_t n) { return 4.0F * std::sqrt(static_cast<float>(n + 1)) * 1.2e-7F * 8; }

void expect_close(std::span<const float> got, std::span<const float> want, float tolerance) {
  ASSERT_EQ(got.size(), want.size());
  for (size_t i = 0; i < got.size(); ++i) {
    ASSERT_NEAR(got[i], want[i], tolerance * std::max(1.0F, std::fabs(want[i]))) << "at " << i;
  }
}

std::string isa_label(const testing::TestParamInfo<Isa>& info) {
  return std::string(isa_name(info.param));
}

class LanguageKernels : public testing::TestWithParam<Isa> {
 protected:
  Random random_{1};
  LanguageTable table_ = language_table(GetParam());
};

TEST_P(LanguageKernels, row_kernels_equal_the_scalar_ones) {
  for (size_t n = 1; n <= 70; ++n) {
    Guarded x(n, random_), w(n, random_), y(n), want(n);
    table_.rms_norm(x.data(), w.data(), 1e-5F, n, y.data());
    kLanguageScalar.rms_norm(x.data(), w.data(), 1e-5F, n, want.data());
    expect_close(y.span(), want.span(), 1e-6F);
    table_.silu_mul(x.data(), w.data(), n, y.data());
    kLanguageScalar.silu_mul(x.data(), w.data(), n, want.data());
    expect_close(y.span(), want.span(), 1e-6F);
    EXPECT_TRUE(y.untouched_outside());
  }
}

TEST_P(LanguageKernels, silu_is_right_far_from_zero) {
  const float gate[] = {-1e30F, -100.0F, -88.0F, -20.0F, 0.0F, 20.0F, 90.0F, 1e30F};
  const float up[] = {1, 1, 1, 1, 1, 1, 1, 1};
  float y[8];
  table_.silu_mul(gate, up, 8, y);
  EXPECT_NEAR(y[1], 0.0F, 1e-6F);
  EXPECT_NEAR(y[2], 0.0F, 1e-6F);
  EXPECT_NEAR(y[3], -20.0F * std::exp(-20.0F), 1e-12F);
  EXPECT_EQ(y[4], 0.0F);
  EXPECT_NEAR(y[5], 20.0F, 1e-5F);
  EXPECT_EQ(y[6], 90.0F);
  EXPECT_EQ(y[7], 1e30F);
}

TEST_P(LanguageKernels, norm_rope_equals_the_scalar_one) {
  for (size_t d = 2; d <= 140; d += 2) {
    Guarded x(d, random_), w(d, random_), cos(d / 2, random_), sin(d / 2, random_);
    Guarded want = x;
    table_.norm_rope(x.data(), w.data(), 1e-5F, cos.data(), sin.data(), d);
    kLanguageScalar.norm_rope(want.data(), w.data(), 1e-5F, cos.data(), sin.data(), d);
    expect_close(x.span(), want.span(), 2e-6F);
    EXPECT_TRUE(x.untouched_outside());
  }
}

TEST_P(LanguageKernels, conv_step_equals_the_scalar_one) {
  for (size_t n = 1; n <= 40; ++n) {
    for (size_t taps = 1; taps <= 4; ++taps) {
      Guarded b(n, random_), c(n, random_), x(n, random_), bias(n, random_), g(n), y(n), g2(n),
          y2(n);
      Guarded weights(n * taps, random_), past(n * 3, random_);
      const float* history[] = {past.data(), past.data() + n, past.data() + 2 * n};
      const float* maybe_bias = taps % 2 == 0 ? bias.data() : nullptr;
      table_.conv_step(b.data(), c.data(), x.data(), weights.data(), taps, maybe_bias, history, n,
                       g.data(), y.data());
      kLanguageScalar.conv_step(b.data(), c.data(), x.data(), weights.data(), taps, maybe_bias,
                                history, n, g2.data(), y2.data());
      expect_close(g.span(), g2.span(), 0.0F);
      expect_close(y.span(), y2.span(), 2e-6F);
      EXPECT_TRUE(y.untouched_outside() && g.untouched_outside());
    }
  }
}

TEST_P(LanguageKernels, attend_equals_the_scalar_one) {
  for (const size_t d : {1u, 6u, 8u, 12u, 16u, 24u, 64u}) {
    for (const size_t elements : {1u, 2u, 15u, 16u, 17u, 33u, 100u}) {
      const size_t group = 2, blocks = (elements + 15) / 16;
      Guarded q(group * d, random_), keys(blocks * 16 * d, random_), values(elements * d, random_);
      Guarded y(group * d), want(group * d);
      std::vector<float> scores(group * blocks * 16);
      AttendArgs args{q.data(), group,    d,    keys.data(),   values.data(),
                      d,        elements, 0.3F, scores.data(), y.data()};
      table_.attend(args);
      args.y = want.data();
      kLanguageScalar.attend(args);
      expect_close(y.span(), want.span(), 5e-6F);
      EXPECT_TRUE(y.untouched_outside());
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Isa, LanguageKernels, testing::ValuesIn(available_isas()), isa_label);

class LanguageOpsTest : public testing::TestWithParam<Isa> {
 protected:
  ThreadPool pool_{2};
  Random random_{2};
};

std::vector<float> matrix_numbers(size_t count, Random& random, DType type) {
  std::vector<float> numbers(count);
  for (float& number : numbers) {
    number = static_cast<float>(random.next_normal());
    if (type == DType::kBF16) number = bf16_to_f32(f32_to_bf16(number));
    if (type == DType::kF16) number = f16_to_f32(f32_to_f16(number));
  }
  return numbers;
}

std::vector<std::byte> stored(std::span<const float> numbers, DType type) {
  std::vector<std::byte> bytes(numbers.size() * dtype_size(type));
  for (size_t i = 0; i < numbers.size(); ++i) {
    if (type == DType::kF32) {
      std::memcpy(bytes.data() + i * 4, &numbers[i], 4);
    } else {
      const uint16_t bits = type == DType::kBF16 ? f32_to_bf16(numbers[i]) : f32_to_f16(numbers[i]);
      std::memcpy(bytes.data() + i * 2, &bits, 2);
    }
  }
  return bytes;
}

TEST_P(LanguageOpsTest, matmul_equals_double_sums_for_every_stored_type) {
  const auto ops = make_language_ops(pool_, GetParam());
  for (const DType type : {DType::kF32, DType::kBF16, DType::kF16}) {
    for (const auto& [rows, cols] :
         {std::pair<size_t, size_t>{1, 1}, {63, 7}, {64, 12}, {65, 48}, {130, 33}}) {
      const std::vector<float> numbers = matrix_numbers(rows * cols, random_, type);
      const std::vector<std::byte> bytes = stored(numbers, type);
      const MatrixPart part{type, bytes, rows};
      const auto matrix =
          ops->pack({&part, 1}, cols, type == DType::kBF16 ? MatrixType::kBF16 : MatrixType::kF32);
      for (size_t tokens = 1; tokens <= 14; ++tokens) {
        Guarded x(tokens * cols, random_), y(tokens * rows), twice(tokens * rows);
        ops->matmul({x.data(), tokens, cols}, *matrix, {y.data(), tokens, rows});
        std::copy(y.span().begin(), y.span().end(), twice.data());
        ops->matmul_add({x.data(), tokens, cols}, *matrix, {twice.data(), tokens, rows});
        for (size_t t = 0; t < tokens; ++t) {
          for (size_t r = 0; r < rows; ++r) {
            double want = 0;
            for (size_t k = 0; k < cols; ++k) {
              want += static_cast<double>(x.data()[t * cols + k]) *
                      static_cast<double>(numbers[r * cols + k]);
            }
            ASSERT_NEAR(y.data()[t * rows + r], want, sum_tolerance(cols));
            ASSERT_NEAR(twice.data()[t * rows + r], 2 * want, 2 * sum_tolerance(cols));
          }
        }
        EXPECT_TRUE(y.untouched_outside());
      }
    }
  }
}

TEST_P(LanguageOpsTest, a_row_does_not_depend_on_its_neighbours_or_on_threads) {
  ThreadPool three(3);
  const auto ops = make_language_ops(pool_, GetParam());
  const auto ops3 = make_language_ops(three, GetParam());
  const size_t rows = 200, cols = 50, tokens = 13;
  const std::vector<float> numbers = matrix_numbers(rows * cols, random_, DType::kBF16);
  const std::vector<std::byte> bytes = stored(numbers, DType::kBF16);
  const MatrixPart part{DType::kBF16, bytes, rows};
  const auto matrix = ops->pack({&part, 1}, cols, MatrixType::kBF16);
  Guarded x(tokens * cols, random_), together(tokens * rows), threads3(tokens * rows), alone(rows);
  ops->matmul({x.data(), tokens, cols}, *matrix, {together.data(), tokens, rows});
  ops3->matmul({x.data(), tokens, cols}, *matrix, {threads3.data(), tokens, rows});
  expect_close(threads3.span(), together.span(), 0.0F);
  for (size_t t = 0; t < tokens; ++t) {
    ops->matmul({x.data() + t * cols, 1, cols}, *matrix, {alone.data(), 1, rows});
    expect_close(alone.span(), together.span().subspan(t * rows, rows), 0.0F);
  }
}

TEST_P(LanguageOpsTest, parts_are_stacked_in_order) {
  const auto ops = make_language_ops(pool_, GetParam());
  const size_t cols = 9;
  const std::vector<float> a = matrix_numbers(70 * cols, random_, DType::kBF16);
  const std::vector<float> b = matrix_numbers(5 * cols, random_, DType::kF32);
  const std::vector<std::byte> a_bytes = stored(a, DType::kBF16), b_bytes = stored(b, DType::kF32);
  const MatrixPart parts[] = {{DType::kBF16, a_bytes, 70}, {DType::kF32, b_bytes, 5}};
  const auto matrix = ops->pack(parts, cols, MatrixType::kF32);
  Guarded y(75);
  for (size_t k = 0; k < cols; ++k) {
    std::vector<float> unit(cols);
    unit[k] = 1;
    ops->matmul({unit.data(), 1, cols}, *matrix, {y.data(), 1, 75});
    for (size_t r = 0; r < 70; ++r) ASSERT_EQ(y.data()[r], a[r * cols + k]);
    for (size_t r = 0; r < 5; ++r) ASSERT_EQ(y.data()[70 + r], b[r * cols + k]);
  }
}

TEST_P(LanguageOpsTest, attention_in_pieces_equals_attention_at_once) {
  const auto ops = make_language_ops(pool_, GetParam());
  const AttentionShape shape{6, 2, 8};
  const size_t tokens = 40;
  Guarded q(tokens * 48, random_), k(tokens * 16, random_), v(tokens * 16, random_),
      whole(tokens * 48), pieces(tokens * 48);
  const auto cache = ops->make_kv_cache(shape, tokens);
  ops->attention({q.data(), tokens, 48}, {k.data(), tokens, 16}, {v.data(), tokens, 16}, shape, 0,
                 *cache, {whole.data(), tokens, 48});
  const auto again = ops->make_kv_cache(shape, tokens);
  for (size_t t = 0; t < tokens; ++t) {
    ops->attention({q.data() + t * 48, 1, 48}, {k.data() + t * 16, 1, 16},
                   {v.data() + t * 16, 1, 16}, shape, t, *again, {pieces.data() + t * 48, 1, 48});
  }
  expect_close(pieces.span(), whole.span(), 0.0F);
  // The first element sees itself alone: its output is its value.
  for (size_t h = 0; h < 6; ++h) {
    for (size_t d = 0; d < 8; ++d)
      EXPECT_NEAR(whole.data()[h * 8 + d], v.data()[h / 3 * 8 + d], 1e-6F);
  }
  std::vector<float> key(16), value(16);
  ops->read_kv(*cache, shape, 17, key, value);
  EXPECT_EQ(key[9], k.data()[17 * 16 + 9]);
  EXPECT_EQ(value[3], v.data()[17 * 16 + 3]);
}

TEST_P(LanguageOpsTest, short_conv_carries_its_state_across_calls) {
  const auto ops = make_language_ops(pool_, GetParam());
  const size_t width = 21, tokens = 9, taps = 3;
  Guarded bcx(tokens * 3 * width, random_), weights(taps * width, random_);
  Guarded whole(tokens * width), pieces(tokens * width);
  std::vector<float> state(2 * width), state2(2 * width);
  ops->short_conv({bcx.data(), tokens, 3 * width}, {weights.data(), taps, width}, {},
                  {state.data(), 2, width}, {whole.data(), tokens, width});
  size_t first = 0;
  for (const size_t count : {1u, 0u, 3u, 5u}) {
    ops->short_conv({bcx.data() + first * 3 * width, count, 3 * width},
                    {weights.data(), taps, width}, {}, {state2.data(), 2, width},
                    {pieces.data() + first * width, count, width});
    first += count;
  }
  expect_close(pieces.span(), whole.span(), 0.0F);
  EXPECT_EQ(state, state2);
}

INSTANTIATE_TEST_SUITE_P(Isa, LanguageOpsTest, testing::ValuesIn(available_isas()), isa_label);

}  // namespace
}  // namespace kani::cpu
