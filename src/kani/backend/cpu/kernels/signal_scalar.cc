// signal_scalar.cc - the codec's kernels in plain loops: what "right" means, and the fallback on
// CPUs that have nothing better.  Sums run in double.
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "kani/backend/cpu/kernels/signal_kernels.h"
#include "kani/base/numbers.h"

namespace kani::cpu {
namespace {

constexpr size_t kRows = 4;
constexpr size_t kCols = 64;

// y = ((v + add) + sum) / divisor for one row.
void put_row(const ConvTile& a, size_t row, double* v) noexcept {
  for (size_t t = 0; t < a.cols; ++t) {
    if (a.add != nullptr) v[t] += a.add[row * a.add_stride + t];
    if (a.sum != nullptr) v[t] += a.sum[row * a.sum_stride + t];
    a.y[row * a.y_stride + t] = static_cast<float>(v[t] / a.divisor);
  }
}

void conv_columns(const ConvTile& a) noexcept {
  for (size_t row = 0; row < a.rows; ++row) {
    double v[kCols];
    for (size_t t = 0; t < a.cols; ++t) v[t] = a.bias[row];
    for (size_t i = 0; i < a.inputs; ++i) {
      for (size_t j = 0; j < a.taps; ++j) {
        const double w = a.weight[(i * a.taps + j) * a.rows + row];
        const float* x = a.x + i * a.x_stride + j * a.dilation;
        for (size_t t = 0; t < a.cols; ++t) v[t] += w * x[t];
      }
    }
    put_row(a, row, v);
  }
}

void conv(const ConvTile& a) noexcept {
  ConvTile part = a;
  for (size_t col = 0; col < a.cols; col += kCols) {
    part.cols = a.cols - col < kCols ? a.cols - col : kCols;
    part.x = a.x + col;
    part.add = a.add == nullptr ? nullptr : a.add + col;
    part.sum = a.sum == nullptr ? nullptr : a.sum + col;
    part.y = a.y + col;
    conv_columns(part);
  }
}

void split(const SplitRow& a) noexcept {
  const size_t d = a.dilation;
  for (size_t p = 0; p < a.cols; ++p) {
    const float* x = a.x + p / d * kSplitPhases * d + p % d;
    const auto half = [&](size_t k, float one, float two, float three) {
      a.v[k * a.v_stride + p] = one - two;
      a.v[(k + 1) * a.v_stride + p] = two;
      a.v[(k + 2) * a.v_stride + p] = two - three;
    };
    half(0, x[0] - x[2 * d], x[d] - x[3 * d], x[2 * d] - x[4 * d]);
    half(3, x[2 * d], x[3 * d], x[4 * d]);
    half(6, x[2 * d] - x[4 * d], x[3 * d] - x[5 * d], x[4 * d] - x[6 * d]);
  }
}

void join(const JoinRow& a) noexcept {
  const size_t d = a.dilation;
  for (size_t p = 0; p < a.cols; ++p) {
    float* line = a.line + p / d * kSplitPhases * d + p % d;
    const auto m = [&](size_t k) { return a.m[k * a.m_stride + p]; };
    const auto early = [&](size_t k) { return m(k) + m(k + 1); };
    const auto late = [&](size_t k) { return m(k + 1) - m(k + 2); };
    line[0] = early(0) + early(3);
    line[d] = late(0) + late(3);
    line[2 * d] = early(3) - early(6);
    line[3 * d] = late(3) - late(6);
  }
  for (size_t t = 0; t < a.y_cols; ++t) {
    float v = a.line[a.skip + t];
    if (a.add != nullptr) v += a.add[t];
    if (a.sum != nullptr) v += a.sum[t];
    a.y[t] = v / a.divisor;
  }
}

struct Bf16Pair {
  float even, odd;
};
Bf16Pair pair_of(const float& cell) noexcept {
  const auto bits = std::bit_cast<uint32_t>(cell);
  return {bf16_to_f32(static_cast<uint16_t>(bits)), bf16_to_f32(static_cast<uint16_t>(bits >> 16))};
}

void conv_bf16(const ConvTile& a) noexcept {
  for (size_t row = 0; row < a.rows; ++row) {
    double v[kCols];
    for (size_t t = 0; t < a.cols; ++t) v[t] = a.bias[row];
    for (size_t i = 0; i < a.inputs; ++i) {
      for (size_t j = 0; j < a.taps; ++j) {
        const Bf16Pair w = pair_of(a.weight[(i * a.taps + j) * a.rows + row]);
        const float* x = a.x + i * a.x_stride + j * a.dilation;
        for (size_t t = 0; t < a.cols; ++t) {
          const Bf16Pair s = pair_of(x[t]);
          v[t] += static_cast<double>(w.even) * s.even + static_cast<double>(w.odd) * s.odd;
        }
      }
    }
    put_row(a, row, v);
  }
}

struct Bytes {
  uint8_t at[4];
};

// Sum of the products of one cell.
int32_t products(const float& weight, const float& x) noexcept {
  const auto w = std::bit_cast<Bytes>(weight), s = std::bit_cast<Bytes>(x);
  int32_t sum = 0;
  for (size_t i = 0; i < 4; ++i) sum += static_cast<int8_t>(w.at[i]) * s.at[i];
  return sum;
}

void conv_i8(const ConvTile& a) noexcept {
  const float* offset = a.weight + a.taps * a.inputs * a.rows;
  const float* row_scale = offset + a.taps * a.rows;
  for (size_t row = 0; row < a.rows; ++row) {
    double v[kCols] = {};
    for (size_t j = 0; j < a.taps; ++j) {
      const float* x = a.x + j * a.dilation;
      const float* scale = x + a.inputs * a.x_stride;
      for (size_t t = 0; t < a.cols; ++t) {
        auto sum = std::bit_cast<int32_t>(offset[j * a.rows + row]);
        for (size_t i = 0; i < a.inputs; ++i) {
          sum += products(a.weight[(j * a.inputs + i) * a.rows + row], x[i * a.x_stride + t]);
        }
        v[t] += static_cast<double>(scale[t]) * sum;
      }
    }
    for (size_t t = 0; t < a.cols; ++t) v[t] = v[t] * row_scale[row] + a.bias[row];
    put_row(a, row, v);
  }
}

void half_snake(const SnakeTile& a) noexcept {
  for (size_t row = 0; row < a.rows; ++row) {
    const float* x = a.x + row * a.x_stride;
    float* y = a.y + row * a.y_stride;
    if (row < a.snakes) {
      const double alpha = a.alpha[row];
      const double inverse = a.inverse[row];
      for (size_t t = 0; t < a.cols; ++t) {
        const double s = std::sin(alpha * x[t]);
        y[t] = static_cast<float>(x[t] + inverse * (s * s));
      }
    } else {
      for (size_t t = 0; t < a.cols; ++t) y[t] = x[t] > 0 ? x[t] : 0.01F * x[t];
    }
  }
}

// One time step of a channel after the activation.
float activated(const PackTile& a, size_t row, size_t t) noexcept {
  float y;
  half_snake({.x = a.x + row * a.x_stride + t,
              .x_stride = a.x_stride,
              .alpha = a.alpha + (row < a.snakes ? row : 0),
              .inverse = a.inverse + (row < a.snakes ? row : 0),
              .snakes = row < a.snakes ? size_t{1} : 0,
              .y = &y,
              .y_stride = 1,
              .rows = 1,
              .cols = 1});
  return y;
}

void pack_bf16(const PackTile& a) noexcept {
  for (size_t row = 0; row < a.rows; row += 2) {
    for (size_t t = 0; t < a.cols; ++t) {
      const uint32_t even = f32_to_bf16(activated(a, row, t));
      const uint32_t odd = row + 1 < a.rows ? f32_to_bf16(activated(a, row + 1, t)) : 0;
      const uint32_t cell = even | odd << 16;
      std::memcpy(&a.y[row / 2 * a.y_stride + t], &cell, sizeof cell);
    }
  }
}

void pack_i8(const PackTile& a) noexcept {
  const size_t cells = (a.rows + 3) / 4;
  for (size_t t = 0; t < a.cols; ++t) {
    float most = 0;
    for (size_t row = 0; row < a.rows; ++row) {
      a.room[row] = activated(a, row, t);
      most = std::fmax(most, std::fabs(a.room[row]));
    }
    const float factor = most > 1e-30F ? 127 / most : 0.0F;
    for (size_t cell = 0; cell < cells; ++cell) {
      Bytes bytes{{128, 128, 128, 128}};
      for (size_t i = 0; i < 4 && 4 * cell + i < a.rows; ++i) {
        const float value = std::fmin(std::fmax(a.room[4 * cell + i] * factor, -127.0F), 127.0F);
        const float whole = std::nearbyint(value);
        bytes.at[i] = static_cast<uint8_t>(static_cast<int>(whole) + 128);
      }
      std::memcpy(&a.y[cell * a.y_stride + t], &bytes, sizeof bytes);
    }
    a.y[cells * a.y_stride + t] = most * (1 / 127.0F);
  }
}

void upsample(const UpsampleRow& a) noexcept {
  const float* w0 = a.weight;
  const float* w1 = a.weight + 2 * a.rate;
  for (size_t t = 0; t < a.cols; ++t) {
    for (size_t p = 0; p < a.rate; ++p) {
      double v = a.bias;
      v += static_cast<double>(w0[p]) * a.a[t + 1];
      v += static_cast<double>(w0[p + a.rate]) * a.a[t];
      v += static_cast<double>(w1[p]) * a.b[t + 1];
      v += static_cast<double>(w1[p + a.rate]) * a.b[t];
      a.y[t * a.rate + p] = static_cast<float>(v);
    }
  }
}

}  // namespace

constinit const SignalTable kSignalScalar{.conv = {conv, kRows, kCols},
                                          .split = split,
                                          .join = join,
                                          .half_snake = half_snake,
                                          .upsample = upsample,
                                          .conv_bf16 = {conv_bf16, kRows, kCols},
                                          .pack_bf16 = pack_bf16,
                                          .conv_i8 = {conv_i8, kRows, kCols},
                                          .pack_i8 = pack_i8};

}  // namespace kani::cpu
