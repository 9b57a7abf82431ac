// Split convolutions against sums in double for every number of taps, and what they promise: that
// no bit depends on how a signal is cut, on the number of threads, or on columns that are newer.
#include "kani/backend/cpu/split_conv.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include "kani/backend/cpu/signal_ops_cpu.h"
#include "kani/base/random.h"

namespace kani::cpu {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kMark = -12345.0F;

std::vector<float> random_values(Random& random, size_t count) {
  std::vector<float> out(count);
  for (float& value : out) value = static_cast<float>(2 * random.next_uniform() - 1);
  return out;
}

// A signal with its memory.
class Signal {
 public:
  Signal(size_t rows, size_t cols) : rows_(rows), cols_(cols), values_(rows * cols) {}
  Signal(size_t rows, size_t cols, Random& random)
      : rows_(rows), cols_(cols), values_(random_values(random, rows * cols)) {}
  Matrix view() { return {values_.data(), rows_, cols_}; }
  float& at(size_t row, size_t col) { return values_[row * cols_ + col]; }
  const std::vector<float>& values() const { return values_; }

 private:
  size_t rows_, cols_;
  std::vector<float> values_;
};

class SplitConvTest : public testing::TestWithParam<Isa> {
 protected:
  // A convolution in memory of its own.
  CausalConv pack(SignalOps& ops, ConvShape shape) {
    shape.split = true;
    weight_ = random_values(random_, shape.outputs * shape.inputs * shape.taps);
    bias_ = random_values(random_, shape.outputs);
    memory_ = ops.allocate(ops.packed_size(shape));
    ops.pack_conv(shape, weight_, bias_, memory_->data());
    return {.shape = shape, .packed = memory_->data()};
  }

  ThreadPool pool_{2};
  std::unique_ptr<SignalOps> ops_ = make_signal_ops(pool_, GetParam());
  Random random_{11};
  std::vector<float> weight_, bias_;
  std::unique_ptr<SignalMemory> memory_;
};

TEST_P(SplitConvTest, every_number_of_taps_dilation_and_odd_length_is_the_plain_sum) {
  const size_t inputs = 5, outputs = 7;
  for (size_t taps = 1; taps <= 13; ++taps) {
    for (size_t dilation = 1; dilation <= 5; ++dilation) {
      const CausalConv conv = pack(*ops_, {inputs, outputs, taps, dilation});
      const size_t history = conv.shape.history(), missing = conv.shape.padded_taps() - taps;
      for (const size_t cols : {1, 2, 31, 231}) {
        const size_t first = taps + cols;
        Signal x(inputs, history + cols, random_), y(outputs, cols);
        ops_->causal_conv(conv, x.view(), {.y = y.view(), .first = first});
        for (size_t o = 0; o < outputs; ++o) {
          for (size_t t = 0; t < cols; ++t) {
            double v = bias_[o];
            for (size_t i = 0; i < inputs; ++i) {
              for (size_t j = 0; j < taps; ++j) {
                v += static_cast<double>(weight_[(o * inputs + i) * taps + j]) *
                     x.at(i, t + (missing + j) * dilation);
              }
            }
            // Roundings of numbers that stay below 32: at most as many as there are terms.
            const double limit = static_cast<double>(inputs * (taps + 3)) * 32 * 0x1p-24;
            ASSERT_NEAR(y.at(o, t), v, limit)
                << taps << " taps, dilation " << dilation << ", column " << t << " of " << cols;
          }
        }
      }
    }
  }
}

TEST_P(SplitConvTest, cuts_and_threads_change_no_bit) {
  for (const ConvShape& shape : {ConvShape{27, 27, 11, 1}, ConvShape{54, 20, 7, 5},
                                 ConvShape{108, 30, 3, 3}, ConvShape{3, 3, 2, 2}}) {
    const CausalConv conv = pack(*ops_, shape);
    const size_t history = conv.shape.history(), cols = 1001;
    Signal x(shape.inputs, history + cols, random_), add(shape.outputs, cols, random_);
    Signal whole(shape.outputs, cols);
    ops_->causal_conv(conv, x.view(), {.add = add.view(), .y = whole.view(), .first = 3});
    for (const int threads : {1, 3}) {
      ThreadPool pool(threads);
      const auto ops = make_signal_ops(pool, GetParam());
      Signal pieces(shape.outputs, cols);
      size_t done = 0;
      for (const size_t count : {1, 2, 5, 7, 49, 294, 300, 3, 340}) {
        ops->causal_conv(conv, x.view().cols(done, history + count),
                         {.add = add.view().cols(done, count),
                          .y = pieces.view().cols(done, count),
                          .first = 3 + done});
        done += count;
      }
      ASSERT_EQ(done, cols);
      ASSERT_EQ(pieces.values(), whole.values())
          << threads << " threads, " << shape.taps << " taps";
    }
  }
}

// Not by weights that cancel either: what follows a column does not reach it as NaN.
TEST_P(SplitConvTest, no_output_reads_a_newer_column) {
  for (const size_t dilation : {1, 3}) {
    const CausalConv conv = pack(*ops_, {4, 4, 7, dilation});
    const size_t history = conv.shape.history(), cols = 40;
    Signal x(4, history + cols, random_), right(4, cols), y(4, cols);
    ops_->causal_conv(conv, x.view(), {.y = right.view()});
    for (size_t good = 0; good < cols; ++good) {
      Signal spoilt = x;
      for (size_t i = 0; i < 4; ++i) spoilt.at(i, history + good) = kNan;
      ops_->causal_conv(conv, spoilt.view(), {.y = y.view()});
      for (size_t o = 0; o < 4; ++o) {
        for (size_t t = 0; t < good; ++t) ASSERT_EQ(y.at(o, t), right.at(o, t)) << good;
        ASSERT_TRUE(std::isnan(y.at(o, good)));
      }
    }
  }
}

// Only additions and one division: the kernels have the bits of the plain loops.
TEST_P(SplitConvTest, kernels_equal_scalar) {
  const SignalTable table = signal_table(GetParam());
  for (const size_t d : {1, 2, 3, 5}) {
    for (size_t blocks = 1; blocks <= 35; ++blocks) {
      const size_t cols = blocks * d, stride = cols + d + 2 * kSplitWhole;
      const std::vector<float> x = random_values(random_, (blocks + 1) * kSplitPhases * d);
      std::vector<float> phases(kSplitPhases * stride);
      Signal v(kSplitSums, stride), expected(kSplitSums, stride);
      SplitRow row{.x = x.data(),
                   .dilation = d,
                   .cols = cols,
                   .v = v.view().data(),
                   .v_stride = stride,
                   .phases = phases.data(),
                   .phase_stride = stride};
      table.split(row);
      row.v = expected.view().data();
      kSignalScalar.split(row);
      for (size_t k = 0; k < kSplitSums; ++k) {
        for (size_t p = 0; p < cols; ++p) ASSERT_EQ(v.at(k, p), expected.at(k, p)) << d << " " << p;
      }
      const size_t skip = blocks % 4, y_cols = kSplitPhases * cols - skip - blocks % 3;
      const std::vector<float> add = random_values(random_, y_cols);
      const std::vector<float> sum = random_values(random_, y_cols);
      std::vector<float> line(kSplitPhases * cols), y(y_cols + 1, kMark), right = y;
      JoinRow join{.m = v.view().data(),
                   .m_stride = stride,
                   .dilation = d,
                   .cols = cols,
                   .phases = phases.data(),
                   .phase_stride = stride,
                   .line = line.data(),
                   .skip = skip,
                   .add = blocks % 2 == 0 ? add.data() : nullptr,
                   .sum = blocks % 5 == 0 ? sum.data() : nullptr,
                   .divisor = blocks % 5 == 0 ? 3.0F : 1.0F,
                   .y = y.data(),
                   .y_cols = y_cols};
      table.join(join);
      join.y = right.data();
      kSignalScalar.join(join);
      ASSERT_EQ(y, right) << d << " " << blocks;
    }
  }
}

TEST_P(SplitConvTest, it_pays_only_where_there_are_kernels) {
  const ConvShape shape{54, 54, 11, 1};
  EXPECT_EQ(ops_->split_pays(shape, 882), GetParam() != Isa::kScalar);
  EXPECT_FALSE(ops_->split_pays({54, 54, 11, 1, SignalType::kBf16}, 882));
  EXPECT_FALSE(ops_->split_pays({54, 54, 1, 1}, 882));
  EXPECT_FALSE(ops_->split_pays({432, 432, 11, 1}, 7));
  EXPECT_FALSE(ops_->split_pays({216, 216, 11, 3}, 49));
}

std::string isa_label(const testing::TestParamInfo<Isa>& info) {
  return std::string(isa_name(info.param));
}
INSTANTIATE_TEST_SUITE_P(Isas, SplitConvTest, testing::ValuesIn(available_isas()), isa_label);

}  // namespace
}  // namespace kani::cpu
