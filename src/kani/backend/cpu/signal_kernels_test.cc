// Every kernel of every level that this CPU has, against the scalar one: all lengths around a
// register, odd alignment, NaN in what must not be read, marks in what must not be written.
#include "kani/backend/cpu/kernels/signal_kernels.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "kani/backend/cpu/signal_ops_cpu.h"
#include "kani/base/numbers.h"
#include "kani/base/random.h"

namespace kani::cpu {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kMark = -12345.0F;
constexpr size_t kMostLanes = 16;

// Rows in a sea of `fill`, starting at an odd address.
class Sea {
 public:
  Sea(size_t rows, size_t cols, float fill)
      : rows_(rows), cols_(cols), stride_(cols + 5), numbers_(3 + (rows + 1) * stride_, fill) {}
  float* data() { return numbers_.data() + 3; }
  const float* data() const { return numbers_.data() + 3; }
  size_t stride() const { return stride_; }
  float& at(size_t row, size_t col) { return data()[row * stride_ + col]; }
  float at(size_t row, size_t col) const { return data()[row * stride_ + col]; }
  void randomize(Random& random, double scale) {
    for (size_t r = 0; r < rows_; ++r) {
      for (size_t c = 0; c < cols_; ++c) {
        at(r, c) = static_cast<float>(scale * (2 * random.next_uniform() - 1));
      }
    }
  }
  // Everything outside the rows is still `fill`.
  bool untouched_outside(float fill) const {
    for (size_t i = 0; i < numbers_.size(); ++i) {
      const size_t at = i - 3;
      const bool inside = i >= 3 && at / stride_ < rows_ && at % stride_ < cols_;
      if (!inside && numbers_[i] != fill) return false;
    }
    return true;
  }

 private:
  size_t rows_, cols_, stride_;
  std::vector<float> numbers_;
};

class SignalKernels : public testing::TestWithParam<Isa> {
 protected:
  const SignalTable table_ = signal_table(GetParam());
  Random random_{7};
};

std::vector<float> random_values(Random& random, size_t count) {
  std::vector<float> out(count);
  for (float& value : out) value = static_cast<float>(2 * random.next_uniform() - 1);
  return out;
}

constexpr SignalType kTypes[] = {SignalType::kF32, SignalType::kBf16, SignalType::kI8};
const char* name_of(SignalType type) {
  return type == SignalType::kF32 ? "f32" : type == SignalType::kBf16 ? "bf16" : "i8";
}

const ConvKernel& conv_of(const SignalTable& table, SignalType type) {
  if (type == SignalType::kBf16) return table.conv_bf16;
  return type == SignalType::kI8 ? table.conv_i8 : table.conv;
}

float random_cell(Random& random, SignalType type) {
  const auto number = [&] { return static_cast<float>(2 * random.next_uniform() - 1); };
  if (type == SignalType::kF32) return number();
  if (type == SignalType::kBf16) {
    const uint32_t even = f32_to_bf16(number()), odd = f32_to_bf16(number());
    return std::bit_cast<float>(even | odd << 16);
  }
  return std::bit_cast<float>(static_cast<uint32_t>(random.next_u64()));
}

struct ConvCase {
  SignalType type;
  size_t rows, cols, inputs, taps, dilation;
  bool add, sum;
};

// Cells, then what the bytes' blocks hold besides.
std::vector<float> random_block(Random& random, const ConvCase& c) {
  std::vector<float> block;
  for (size_t i = 0; i < c.inputs * c.taps * c.rows; ++i) {
    block.push_back(random_cell(random, c.type));
  }
  if (c.type == SignalType::kI8) {
    for (size_t i = 0; i < c.taps * c.rows; ++i) {
      const auto offset = static_cast<int32_t>(65536 * (random.next_uniform() - 0.5));
      block.push_back(std::bit_cast<float>(offset));
    }
    for (size_t i = 0; i < c.rows; ++i) {
      block.push_back(static_cast<float>(random.next_uniform()));
    }
  }
  return block;
}

void check_conv(const SignalTable& table, Random& random, const ConvCase& c) {
  const size_t history = (c.taps - 1) * c.dilation;
  const bool scales = c.type == SignalType::kI8;
  Sea x(c.inputs + (scales ? 1 : 0), history + c.cols, kNan);
  for (size_t t = 0; t < history + c.cols; ++t) {
    for (size_t i = 0; i < c.inputs; ++i) x.at(i, t) = random_cell(random, c.type);
    if (scales) x.at(c.inputs, t) = static_cast<float>(0x1p-15 * random.next_uniform());
  }
  Sea add(c.rows, c.cols, kNan), sum(c.rows, c.cols, kNan);
  add.randomize(random, 1);
  sum.randomize(random, 1);
  Sea y(c.rows, c.cols, kMark), expected(c.rows, c.cols, kMark);
  const std::vector<float> weight = random_block(random, c);
  const std::vector<float> bias = random_values(random, c.rows);
  ConvTile tile{.weight = weight.data(),
                .bias = bias.data(),
                .x = x.data(),
                .x_stride = x.stride(),
                .inputs = c.inputs,
                .taps = c.taps,
                .dilation = c.dilation,
                .add = c.add ? add.data() : nullptr,
                .add_stride = add.stride(),
                .sum = c.sum ? sum.data() : nullptr,
                .sum_stride = sum.stride(),
                .divisor = c.sum ? 3.0F : 1.0F,
                .y = y.data(),
                .y_stride = y.stride(),
                .rows = c.rows,
                .cols = c.cols};
  conv_of(table, c.type).run(tile);
  tile.y = expected.data();
  conv_of(kSignalScalar, c.type).run(tile);
  // Each of n roundings is at most 2^-24 of a partial sum, which is below n + 1.  Sums of bytes are
  // scaled here to 4 a cell and a half a tap; half of the roundings are of whole sums.
  const double cells = static_cast<double>(c.inputs * c.taps);
  const double terms = cells * (c.type == SignalType::kF32    ? 1
                                : c.type == SignalType::kBf16 ? 2
                                                              : 4.5) +
                       3;
  const double limit = terms * terms * 0x1p-24;
  for (size_t r = 0; r < c.rows; ++r) {
    for (size_t t = 0; t < c.cols; ++t) {
      ASSERT_NEAR(y.at(r, t), expected.at(r, t), limit)
          << name_of(c.type) << " row " << r << " col " << t << " of " << c.rows << " x " << c.cols
          << ", inputs " << c.inputs << " taps " << c.taps << " dilation " << c.dilation;
    }
  }
  ASSERT_TRUE(y.untouched_outside(kMark)) << c.rows << " x " << c.cols;
}

TEST_P(SignalKernels, conv_equals_scalar_for_every_block_size) {
  for (const SignalType type : kTypes) {
    const ConvKernel& kernel = conv_of(table_, type);
    for (size_t rows = 1; rows <= kernel.rows; ++rows) {
      for (size_t cols = 1; cols <= kernel.cols; ++cols) {
        const bool odd = (rows + cols) % 2 == 1;
        check_conv(table_, random_,
                   {.type = type,
                    .rows = rows,
                    .cols = cols,
                    .inputs = 3,
                    .taps = 3,
                    .dilation = 2,
                    .add = odd,
                    .sum = cols % 3 == 0});
      }
    }
  }
}

TEST_P(SignalKernels, conv_equals_scalar_for_every_tap_and_dilation) {
  for (const SignalType type : kTypes) {
    const ConvKernel& kernel = conv_of(table_, type);
    for (const size_t taps : {1, 2, 3, 7, 11}) {
      for (const size_t dilation : {1, 3, 5}) {
        for (const size_t inputs : {1, 2, 27}) {
          check_conv(table_, random_,
                     {.type = type,
                      .rows = kernel.rows,
                      .cols = kernel.cols,
                      .inputs = inputs,
                      .taps = taps,
                      .dilation = dilation,
                      .add = true,
                      .sum = true});
        }
      }
    }
  }
}

// Sums of bytes are exact: whatever the order, nothing but the scaling rounds.
TEST_P(SignalKernels, sums_of_bytes_are_exact) {
  const size_t inputs = 108, cols = 33;
  Sea x(inputs + 1, cols, kNan), y(1, cols, kMark);
  for (size_t t = 0; t < cols; ++t) {
    for (size_t i = 0; i < inputs; ++i) x.at(i, t) = std::bit_cast<float>(0xFFFFFFFFu);
    x.at(inputs, t) = 1;
  }
  for (const uint32_t byte : {0x7Fu, 0x80u, 0x81u}) {
    std::vector<float> block(inputs, std::bit_cast<float>(byte * 0x01010101u));
    block.push_back(std::bit_cast<float>(int32_t{3}));
    block.push_back(1.0F);
    const float bias = 0;
    ConvTile tile{};
    tile.weight = block.data();
    tile.bias = &bias;
    tile.x = x.data();
    tile.x_stride = x.stride();
    tile.inputs = inputs;
    tile.taps = tile.dilation = tile.rows = 1;
    tile.divisor = 1;
    tile.y = y.data();
    tile.cols = cols;
    table_.conv_i8.run(tile);
    const int expected = 4 * 108 * 255 * static_cast<int8_t>(byte) + 3;
    for (size_t t = 0; t < cols; ++t) ASSERT_EQ(y.at(0, t), static_cast<float>(expected));
  }
}

TEST_P(SignalKernels, conv_may_write_over_what_it_adds) {
  const std::vector<float> weight{2.0F}, bias{1.0F};
  Sea x(1, table_.conv.cols, kNan), y(1, table_.conv.cols, kMark);
  x.randomize(random_, 1);
  y.randomize(random_, 1);
  const Sea before = y;
  ConvTile tile{};
  tile.weight = weight.data();
  tile.bias = bias.data();
  tile.x = x.data();
  tile.inputs = tile.taps = tile.dilation = tile.rows = 1;
  tile.add = tile.y = y.data();
  tile.divisor = 1;
  tile.cols = table_.conv.cols;
  table_.conv.run(tile);
  for (size_t t = 0; t < tile.cols; ++t) {
    EXPECT_NEAR(y.at(0, t), 1 + 2 * x.at(0, t) + before.at(0, t), 1e-6);
  }
}

TEST_P(SignalKernels, half_snake_equals_scalar_at_every_length) {
  for (size_t cols = 0; cols <= 2 * kMostLanes + 1; ++cols) {
    for (const size_t snakes : {0, 1, 2, 3}) {
      Sea x(3, cols, kNan), y(3, cols, kMark), expected(3, cols, kMark);
      x.randomize(random_, 4);
      const std::vector<float> alpha{0.7F, -2.5F, 9.0F}, inverse{1.43F, -0.4F, 0.11F};
      SnakeTile tile{.x = x.data(),
                     .x_stride = x.stride(),
                     .alpha = alpha.data(),
                     .inverse = inverse.data(),
                     .snakes = snakes,
                     .y = y.data(),
                     .y_stride = y.stride(),
                     .rows = 3,
                     .cols = cols};
      table_.half_snake(tile);
      tile.y = expected.data();
      kSignalScalar.half_snake(tile);
      for (size_t r = 0; r < 3; ++r) {
        for (size_t t = 0; t < cols; ++t) {
          // Two units of the square of the sine, one of the sum.
          const double limit = 2 * 0x1p-23 * std::fabs(inverse[r]) + 0x1p-24 * 6;
          ASSERT_NEAR(y.at(r, t), expected.at(r, t), limit) << cols << " " << r << " " << t;
        }
      }
      ASSERT_TRUE(y.untouched_outside(kMark)) << cols;
      tile.y = x.data();  // in place
      table_.half_snake(tile);
      for (size_t r = 0; r < 3; ++r) {
        for (size_t t = 0; t < cols; ++t) ASSERT_EQ(x.at(r, t), y.at(r, t));
      }
    }
  }
}

// Channels of half a pair, of one to three quarters of a quadruple; snakes that end inside one.
struct PackCase {
  size_t rows, snakes, cols;
};
const PackCase kPackCases[] = {{1, 0, 5},  {1, 1, 1},  {2, 1, 16},  {3, 1, 17}, {4, 2, 33},
                               {5, 2, 16}, {6, 5, 31}, {27, 13, 3}, {7, 7, 40}};

void check_pack(void (*pack)(const PackTile&) noexcept, void (*reference)(const PackTile&) noexcept,
                const PackCase& c, SignalType type, Random& random) {
  Sea x(c.rows, c.cols, kNan);
  x.randomize(random, 4);
  const size_t cells = channel_cells(type, c.rows), rows = signal_rows(type, c.rows);
  Sea y(rows, c.cols, kMark), expected(rows, c.cols, kMark);
  std::vector<float> alpha, inverse, room((c.rows + 1) * kPackLanes);
  for (size_t i = 0; i < c.snakes; ++i) {
    alpha.push_back(static_cast<float>(0.5 + 2 * random.next_uniform()));
    inverse.push_back(1 / alpha.back());
  }
  PackTile tile{.x = x.data(),
                .x_stride = x.stride(),
                .alpha = alpha.data(),
                .inverse = inverse.data(),
                .snakes = c.snakes,
                .y = y.data(),
                .y_stride = y.stride(),
                .rows = c.rows,
                .cols = c.cols,
                .room = room.data()};
  pack(tile);
  tile.y = expected.data();
  reference(tile);
  ASSERT_TRUE(y.untouched_outside(kMark));
  for (size_t t = 0; t < c.cols; ++t) {
    for (size_t cell = 0; cell < cells; ++cell) {
      const auto got = std::bit_cast<uint32_t>(y.at(cell, t));
      const auto right = std::bit_cast<uint32_t>(expected.at(cell, t));
      // The activations differ by a few units of float32, which now and then rounds to the
      // neighbour: one unit of bfloat16's 8 bits, one whole number of bytes.
      if (type == SignalType::kBf16) {
        for (const int shift : {0, 16}) {
          const float a = bf16_to_f32(static_cast<uint16_t>(got >> shift));
          const float b = bf16_to_f32(static_cast<uint16_t>(right >> shift));
          ASSERT_NEAR(a, b, std::fabs(b) * 0x1p-7) << c.rows << " " << cell << " " << t;
        }
      } else {
        for (const int shift : {0, 8, 16, 24}) {
          ASSERT_NEAR(static_cast<int>(got >> shift & 0xFF),
                      static_cast<int>(right >> shift & 0xFF), 1)
              << c.rows << " " << cell << " " << t;
        }
      }
    }
    if (rows > cells) {
      ASSERT_NEAR(y.at(cells, t), expected.at(cells, t), 0x1p-20 * expected.at(cells, t));
    }
  }
}

TEST_P(SignalKernels, packed_activations_equal_scalar_ones) {
  for (const PackCase& c : kPackCases) {
    check_pack(table_.pack_bf16, kSignalScalar.pack_bf16, c, SignalType::kBf16, random_);
    check_pack(table_.pack_i8, kSignalScalar.pack_i8, c, SignalType::kI8, random_);
  }
}

TEST_P(SignalKernels, bytes_of_a_silent_time_step_are_zero) {
  const std::vector<float> x{0, -0.0F, 1e-38F, 0, 0};
  std::vector<float> y(3, kMark), room(5 * kPackLanes);
  table_.pack_i8({.x = x.data(),
                  .x_stride = 1,
                  .alpha = nullptr,
                  .inverse = nullptr,
                  .snakes = 0,
                  .y = y.data(),
                  .y_stride = 1,
                  .rows = 5,
                  .cols = 1,
                  .room = room.data()});
  EXPECT_EQ(std::bit_cast<uint32_t>(y[0]), 0x80808080u);
  EXPECT_EQ(std::bit_cast<uint32_t>(y[1]), 0x80808080u);
  EXPECT_LT(y[2], 1e-38F);
}

// One row of the snake with inverse 1 on x, minus x where that is exact enough to show the square.
std::vector<float> snake(const SignalTable& table, float alpha, float inverse,
                         const std::vector<float>& x) {
  std::vector<float> y(x.size());
  table.half_snake({.x = x.data(),
                    .x_stride = 0,
                    .alpha = &alpha,
                    .inverse = &inverse,
                    .snakes = 1,
                    .y = y.data(),
                    .y_stride = 0,
                    .rows = 1,
                    .cols = x.size()});
  return y;
}

TEST_P(SignalKernels, squared_sine_is_accurate_to_two_units) {
  // A large factor lifts the square above x: y / inverse = sin^2 to within a rounding.
  for (const double reach : {0.01, 1.0, 3.2, 30.0, 1000.0, 60000.0, 70000.0, 1e9}) {
    std::vector<float> x;
    for (int i = 0; i < 4001; ++i) {
      x.push_back(static_cast<float>(reach * (2 * random_.next_uniform() - 1)));
    }
    const float alpha = 0.75F, inverse = 0x1p40F;
    const std::vector<float> y = snake(table_, alpha, inverse, x);
    for (size_t i = 0; i < x.size(); ++i) {
      const double s = std::sin(static_cast<double>(alpha) * x[i]);
      const double expected = s * s + static_cast<double>(x[i]) / inverse;
      const double got = static_cast<double>(y[i]) / inverse;
      // Relative: a rounding each of the reduced angle and of the sine, doubled by the square, one
      // of the square and one of the sum.  Absolute: range reduction, 2^-50 per period.
      const double absolute = 4 * std::fabs(s) * std::fabs(x[i]) * 0x1p-50;
      ASSERT_NEAR(got, expected, 6 * 0x1p-24 * expected + absolute + 1e-15) << x[i];
    }
  }
}

TEST_P(SignalKernels, snake_treats_what_is_no_number_like_the_scalar_one) {
  const float inf = std::numeric_limits<float>::infinity();
  const std::vector<float> x{kNan, inf, -inf, 0.0F, -0.0F, 1e30F, 1.0F};
  const std::vector<float> y = snake(table_, 2.0F, 0.5F, x);
  EXPECT_TRUE(std::isnan(y[0]) && std::isnan(y[1]) && std::isnan(y[2]));
  EXPECT_EQ(y[3], 0.0F);
  EXPECT_EQ(y[4], 0.0F);
  EXPECT_EQ(y[5], 1e30F);
  EXPECT_EQ(snake(table_, 0.0F, 1e9F, {3.5F})[0], 3.5F);
}

TEST_P(SignalKernels, upsample_equals_scalar_for_every_rate) {
  for (const size_t rate : {1, 2, 3, 6, 7, 8, 15, 16, 17, 33}) {
    for (const size_t cols : {0, 1, 2, 5}) {
      Sea x(2, 1 + cols, kNan), y(1, cols * rate, kMark), expected(1, cols * rate, kMark);
      x.randomize(random_, 1);
      const std::vector<float> weight = random_values(random_, 4 * rate);
      UpsampleRow row{.a = x.data(),
                      .b = x.data() + x.stride(),
                      .weight = weight.data(),
                      .bias = 0.25F,
                      .rate = rate,
                      .cols = cols,
                      .y = y.data()};
      table_.upsample(row);
      row.y = expected.data();
      kSignalScalar.upsample(row);
      for (size_t t = 0; t < cols * rate; ++t) {
        ASSERT_NEAR(y.at(0, t), expected.at(0, t), 5 * 4.25 * 0x1p-24) << rate << " " << t;
      }
      ASSERT_TRUE(y.untouched_outside(kMark)) << rate << " " << cols;
    }
  }
}

std::string isa_label(const testing::TestParamInfo<Isa>& info) {
  return std::string(isa_name(info.param));
}
INSTANTIATE_TEST_SUITE_P(Isas, SignalKernels, testing::ValuesIn(available_isas()), isa_label);

}  // namespace
}  // namespace kani::cpu
