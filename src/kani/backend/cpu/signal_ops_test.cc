// The operations of signal_ops.h, on every level that this CPU has and on one to three threads,
// against loops written from their definitions.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include "kani/backend/cpu/signal_ops_cpu.h"
#include "kani/base/numbers.h"
#include "kani/base/random.h"

namespace kani::cpu {
namespace {

// A matrix with its memory.
class Signal {
 public:
  Signal(SignalOps& ops, size_t rows, size_t cols)
      : stride_(ops.row_stride(cols)),
        memory_(ops.allocate(rows * stride_)),
        view_(memory_->data(), rows, cols, stride_) {}
  Signal(SignalOps& ops, size_t rows, size_t cols, Random& random) : Signal(ops, rows, cols) {
    for (size_t r = 0; r < rows; ++r) {
      for (size_t c = 0; c < cols; ++c) {
        view_.at(r, c) = static_cast<float>(2 * random.next_uniform() - 1);
      }
    }
  }
  const Matrix& view() const { return view_; }
  float at(size_t r, size_t c) const { return view_.at(r, c); }

 private:
  size_t stride_;
  std::unique_ptr<SignalMemory> memory_;
  Matrix view_;
};

void expect_same_bits(ConstMatrix a, ConstMatrix b) {
  ASSERT_EQ(a.rows(), b.rows());
  ASSERT_EQ(a.cols(), b.cols());
  for (size_t r = 0; r < a.rows(); ++r) {
    for (size_t c = 0; c < a.cols(); ++c) {
      ASSERT_EQ(std::bit_cast<uint32_t>(a.at(r, c)), std::bit_cast<uint32_t>(b.at(r, c)))
          << r << ", " << c;
    }
  }
}

constexpr SignalType kTypes[] = {SignalType::kF32, SignalType::kBf16, SignalType::kI8};

// A channel's number at one time step of a signal of any type.
double number_at(SignalType type, ConstMatrix x, size_t channel, size_t t) {
  if (type == SignalType::kF32) return x.at(channel, t);
  const size_t per_cell = type == SignalType::kBf16 ? 2 : 4;
  const auto cell = std::bit_cast<uint32_t>(x.at(channel / per_cell, t));
  const uint32_t bits = cell >> (channel % per_cell * (32 / per_cell));
  if (type == SignalType::kBf16) return bf16_to_f32(static_cast<uint16_t>(bits));
  return (static_cast<double>(bits & 0xFF) - 128) * x.at(x.rows() - 1, t);
}

// The weight that remains of w in a row whose largest is `most`.
double rounded(SignalType type, float w, float most) {
  if (type == SignalType::kF32) return w;
  if (type == SignalType::kBf16) return bf16_to_f32(f32_to_bf16(w));
  return std::nearbyint(w * (127 / most)) * (most / 127);
}

// A convolution with its weights, and a snake for its output.
struct Layer {
  Layer(SignalOps& ops, const ConvShape& shape, Random& random)
      : weight(shape.outputs * shape.inputs * shape.taps), bias(shape.outputs) {
    for (float& w : weight) w = static_cast<float>(2 * random.next_uniform() - 1);
    for (float& b : bias) b = static_cast<float>(2 * random.next_uniform() - 1);
    memory = ops.allocate(ops.packed_size(shape));
    ops.pack_conv(shape, weight, bias, memory->data());
    conv = {.shape = shape, .packed = memory->data()};
    slopes.assign(shape.outputs / 2, 1.5F);
    inverses.assign(shape.outputs / 2, 0.66F);
    snake = {.channels = shape.outputs,
             .snakes = shape.outputs / 2,
             .alpha = slopes.data(),
             .inverse = inverses.data(),
             .type = shape.type};
  }
  double value(ConstMatrix x, size_t o, size_t t) const {
    const size_t terms = conv.shape.inputs * conv.shape.taps;
    const size_t missing = conv.shape.padded_taps() - conv.shape.taps;
    float most = 0;
    for (size_t k = 0; k < terms; ++k) most = std::max(most, std::fabs(weight[o * terms + k]));
    double v = bias[o];
    for (size_t i = 0; i < conv.shape.inputs; ++i) {
      for (size_t j = 0; j < conv.shape.taps; ++j) {
        v += rounded(conv.shape.type, weight[o * terms + i * conv.shape.taps + j], most) *
             number_at(conv.shape.type, x, i, t + (missing + j) * conv.shape.dilation);
      }
    }
    return v;
  }

  std::vector<float> weight, bias, slopes, inverses;
  std::unique_ptr<SignalMemory> memory;
  CausalConv conv;
  HalfSnake snake;
};

// Random numbers in the form that a layer reads.
Signal input_for(SignalOps& ops, const ConvShape& shape, size_t cols, Random& random) {
  const Signal numbers(ops, shape.inputs, cols, random);
  Signal cells(ops, signal_rows(shape.type, shape.inputs), cols);
  ops.half_snake({.channels = shape.inputs, .type = shape.type}, numbers.view(), cells.view());
  return cells;
}

class SignalOpsCpu : public testing::TestWithParam<std::tuple<Isa, int>> {
 protected:
  ThreadPool pool_{std::get<1>(GetParam())};
  std::unique_ptr<SignalOps> ops_ = make_signal_ops(pool_, std::get<0>(GetParam()));
  Random random_{3};
};

// Widths that fill blocks of rows, widths that do not, one that makes the work go block by block.
const ConvShape kShapes[] = {{16, 27, 7, 1}, {27, 27, 3, 5},  {5, 1, 3, 1},
                             {1, 20, 1, 1},  {54, 54, 11, 3}, {128, 130, 11, 5}};

// Each of them in every type, and split.
std::vector<ConvShape> all_shapes() {
  std::vector<ConvShape> all;
  for (const SignalType type : kTypes) {
    for (ConvShape shape : kShapes) {
      shape.type = type;
      all.push_back(shape);
    }
  }
  for (ConvShape shape : kShapes) {
    shape.split = true;
    all.push_back(shape);
  }
  return all;
}

TEST_P(SignalOpsCpu, convolution_is_the_sum_it_is_defined_as) {
  for (const ConvShape& shape : all_shapes()) {
    const Layer layer(*ops_, shape, random_);
    for (const size_t cols : {1, 7, 49, 100}) {
      const Signal x = input_for(*ops_, shape, shape.history() + cols, random_);
      const Signal y(*ops_, shape.outputs, cols);
      ops_->causal_conv(layer.conv, x.view(), {.y = y.view()});
      // Split: four of nine sums of a quarter of the terms, each of numbers up to four times four.
      const double terms = static_cast<double>(shape.inputs * shape.padded_taps()) + 1;
      const double limit = (shape.split ? 4 : 1) * terms * terms * 0x1p-24;
      for (size_t o = 0; o < shape.outputs; ++o) {
        for (size_t t = 0; t < cols; ++t) {
          ASSERT_NEAR(y.at(o, t), layer.value(x.view(), o, t), limit);
        }
      }
    }
  }
}

TEST_P(SignalOpsCpu, convolution_in_pieces_gives_the_same_bits) {
  for (const ConvShape& shape : all_shapes()) {
    const Layer layer(*ops_, shape, random_);
    const size_t cols = 101, history = shape.history();
    const Signal x = input_for(*ops_, shape, history + cols, random_);
    const Signal whole(*ops_, shape.outputs, cols), pieces(*ops_, shape.outputs, cols);
    ops_->causal_conv(layer.conv, x.view(), {.y = whole.view()});
    size_t first = 0;
    for (const size_t count : {1, 7, 49, 3, 41}) {
      ops_->causal_conv(layer.conv, x.view().cols(first, history + count),
                        {.y = pieces.view().cols(first, count), .first = first});
      first += count;
    }
    ASSERT_EQ(first, cols);
    expect_same_bits(whole.view(), pieces.view());
  }
}

TEST_P(SignalOpsCpu, threads_do_not_change_a_bit) {
  ThreadPool alone(1);
  const auto single = make_signal_ops(alone, std::get<0>(GetParam()));
  for (const ConvShape& shape : all_shapes()) {
    const Layer layer(*ops_, shape, random_);
    const Signal x = input_for(*ops_, shape, shape.history() + 150, random_);
    const size_t rows = signal_rows(shape.type, shape.outputs);
    const Signal a(*ops_, shape.outputs, 150), b(*ops_, rows, 150);
    const Signal c(*ops_, shape.outputs, 150), d(*ops_, rows, 150);
    ops_->causal_conv(layer.conv, x.view(),
                      {.y = a.view(), .activation = &layer.snake, .activated = b.view()});
    single->causal_conv(layer.conv, x.view(),
                        {.y = c.view(), .activation = &layer.snake, .activated = d.view()});
    expect_same_bits(a.view(), c.view());
    expect_same_bits(b.view(), d.view());
  }
}

TEST_P(SignalOpsCpu, what_is_fused_equals_the_steps_one_by_one) {
  for (const ConvShape& shape : all_shapes()) {
    const Layer layer(*ops_, shape, random_);
    const size_t cols = 60;
    const Signal x = input_for(*ops_, shape, shape.history() + cols, random_);
    const Signal add(*ops_, shape.outputs, cols, random_), sum(*ops_, shape.outputs, cols, random_);
    const Signal v(*ops_, shape.outputs, cols), y(*ops_, shape.outputs, cols);
    const size_t rows = signal_rows(shape.type, shape.outputs);
    const Signal activated(*ops_, rows, cols), only(*ops_, rows, cols);
    const Signal separate(*ops_, rows, cols);
    ops_->causal_conv(layer.conv, x.view(), {.y = v.view()});
    ops_->causal_conv(layer.conv, x.view(),
                      {.add = add.view(),
                       .sum = sum.view(),
                       .divisor = 3,
                       .y = y.view(),
                       .activation = &layer.snake,
                       .activated = activated.view()});
    for (size_t o = 0; o < shape.outputs; ++o) {
      for (size_t t = 0; t < cols; ++t) {
        const double expected = (static_cast<double>(v.at(o, t)) + add.at(o, t) + sum.at(o, t)) / 3;
        ASSERT_NEAR(y.at(o, t), expected, 4 * 0x1p-24 * (std::fabs(v.at(o, t)) + 2));
      }
    }
    ops_->half_snake(layer.snake, y.view(), separate.view());
    expect_same_bits(activated.view(), separate.view());
    if (shape.type != SignalType::kF32) continue;  // needs y
    ops_->causal_conv(layer.conv, x.view(), {.activation = &layer.snake, .activated = only.view()});
    ops_->half_snake(layer.snake, v.view(), separate.view());
    expect_same_bits(only.view(), separate.view());
  }
}

TEST_P(SignalOpsCpu, half_snake_splits_the_channels_where_it_says) {
  for (const size_t channels : {1, 2, 27, 54}) {
    for (const size_t snakes : {channels / 2, size_t{0}, channels}) {
      std::vector<float> alpha, inverse;
      for (size_t c = 0; c < snakes; ++c) {
        alpha.push_back(0.5F + 0.1F * static_cast<float>(c));
        inverse.push_back(1 / (alpha[c] + 1e-9F));
      }
      const HalfSnake snake{channels, snakes, alpha.data(), inverse.data()};
      const Signal x(*ops_, channels, 33, random_), y(*ops_, channels, 33);
      ops_->half_snake(snake, x.view(), y.view());
      for (size_t c = 0; c < channels; ++c) {
        for (size_t t = 0; t < 33; ++t) {
          const double v = x.at(c, t);
          const double s = c < snakes ? std::sin(alpha[c] * v) : 0;
          const double expected = c < snakes ? v + s * s * inverse[c] : v > 0 ? v : 0.01F * v;
          ASSERT_NEAR(y.at(c, t), expected, 1e-6) << c << ", " << snakes << " of " << channels;
        }
      }
    }
  }
}

TEST_P(SignalOpsCpu, an_activation_without_snakes_needs_no_slopes) {
  const Layer layer(*ops_, {27, 27, 3, 5}, random_);
  const HalfSnake leaky{.channels = 27};
  const Signal x(*ops_, 27, 10 + 60, random_), v(*ops_, 27, 60), activated(*ops_, 27, 60);
  ops_->causal_conv(layer.conv, x.view(),
                    {.y = v.view(), .activation = &leaky, .activated = activated.view()});
  for (size_t c = 0; c < 27; ++c) {
    for (size_t t = 0; t < 60; ++t) {
      ASSERT_EQ(activated.at(c, t), v.at(c, t) > 0 ? v.at(c, t) : 0.01F * v.at(c, t));
    }
  }
}

TEST_P(SignalOpsCpu, only_types_with_instructions_are_fast) {
  const Isa isa = std::get<0>(GetParam());
  const auto expected = [](bool fast, SignalType type) { return fast ? type : SignalType::kF32; };
  EXPECT_EQ(ops_->fast_type(SignalType::kF32), SignalType::kF32);
  EXPECT_EQ(ops_->fast_type(SignalType::kBf16),
            expected(isa == Isa::kAvx512Bf16, SignalType::kBf16));
  EXPECT_EQ(ops_->fast_type(SignalType::kI8),
            expected(isa == Isa::kAvx512Bf16 || isa == Isa::kAvx512Vnni, SignalType::kI8));
}

TEST_P(SignalOpsCpu, phases_are_every_rth_sample) {
  for (const size_t rate : {1, 2, 3, 7}) {
    const Signal x(*ops_, 5, 11 * rate, random_), y(*ops_, 5 * rate, 11);
    ops_->split_phases(x.view(), y.view());
    for (size_t row = 0; row < 5 * rate; ++row) {
      for (size_t t = 0; t < 11; ++t) {
        ASSERT_EQ(y.at(row, t), x.at(row / rate, t * rate + row % rate)) << rate;
      }
    }
  }
}

TEST_P(SignalOpsCpu, upsampling_is_a_transposed_convolution_without_its_tail) {
  const size_t outputs = 5, rate = 3, cols = 4;
  std::vector<float> weight(2 * outputs * 2 * rate), bias(outputs);
  for (float& w : weight) w = static_cast<float>(2 * random_.next_uniform() - 1);
  for (float& b : bias) b = static_cast<float>(random_.next_uniform());
  const Signal x(*ops_, 2 * outputs, 1 + cols, random_), y(*ops_, outputs, cols * rate);
  ops_->upsample({outputs, rate, weight.data(), bias.data()}, x.view(), y.view());
  for (size_t o = 0; o < outputs; ++o) {
    // The definition: every input sample adds its kernel at its place; column 0 of x lies at -rate.
    std::vector<double> full((cols + 2) * rate, bias[o]);
    for (size_t i = 2 * o; i < 2 * o + 2; ++i) {
      for (size_t t = 0; t <= cols; ++t) {
        for (size_t p = 0; p < 2 * rate; ++p) {
          full[t * rate + p] += static_cast<double>(weight[i * 2 * rate + p]) * x.at(i, t);
        }
      }
    }
    for (size_t t = 0; t < cols * rate; ++t) ASSERT_NEAR(y.at(o, t), full[rate + t], 2e-6);
  }
}

TEST_P(SignalOpsCpu, nothing_to_do_does_nothing) {
  const Layer layer(*ops_, {4, 4, 3, 1}, random_);
  const Signal x(*ops_, 4, 2), y(*ops_, 4, 1, random_);
  const float before = y.at(0, 0);
  ops_->causal_conv(layer.conv, x.view(), {.y = y.view().cols(0, 0)});
  ops_->half_snake(layer.snake, x.view().cols(0, 0), y.view().cols(0, 0));
  ops_->upsample({2, 3, nullptr, nullptr}, x.view().cols(0, 1), y.view().rows(0, 2).cols(0, 0));
  ops_->copy(x.view().cols(0, 0), y.view().cols(0, 0));
  ops_->split_phases(x.view().rows(0, 2).cols(0, 0), y.view().cols(0, 0));
  EXPECT_EQ(y.at(0, 0), before);
}

TEST_P(SignalOpsCpu, rows_are_spread_over_the_cache) {
  for (const size_t cols : {0, 1, 16, 112, 1024, 1728}) {
    const size_t stride = ops_->row_stride(cols);
    EXPECT_GE(stride, cols);
    EXPECT_LT(stride, cols + 48);
    EXPECT_EQ(stride % SignalOps::kAlignment, 0u);
    EXPECT_NE(stride % 32, 0u);
  }
}

std::string label(const testing::TestParamInfo<std::tuple<Isa, int>>& info) {
  return std::string(isa_name(std::get<0>(info.param))) + "_" +
         std::to_string(std::get<1>(info.param));
}
INSTANTIATE_TEST_SUITE_P(Isas, SignalOpsCpu,
                         testing::Combine(testing::ValuesIn(available_isas()),
                                          testing::Values(1, 2, 3)),
                         label);

}  // namespace
}  // namespace kani::cpu
