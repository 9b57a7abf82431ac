// Every table of this CPU against the scalar one, and the operations against plain loops: odd
// sizes, overlapping windows, files in 16 bits, NaN where nothing may be read.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "kani/backend/cpu/encoder_ops_cpu.h"
#include "kani/backend/cpu/kernels/encoder_kernels.h"
#include "kani/base/random.h"

namespace kani::cpu {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

std::vector<float> normals(size_t n, Random& random) {
  std::vector<float> values(n);
  for (float& value : values) value = static_cast<float>(random.next_normal());
  return values;
}

// Sums of n products of numbers around 1.
float sum_tolerance(size_t n) { return 4.0F * std::sqrt(static_cast<float>(n + 1)) * 1e-6F; }

std::string isa_label(const testing::TestParamInfo<Isa>& info) {
  return std::string(isa_name(info.param));
}

class EncoderKernels : public testing::TestWithParam<Isa> {
 protected:
  Random random_{7};
  EncoderTable table_ = encoder_table(GetParam());
};

TEST_P(EncoderKernels, panels_of_every_number_of_rows) {
  for (size_t rows = 1; rows <= 27; ++rows) {
    for (const size_t cols : {1u, 10u, 65u}) {
      const size_t step = cols > 4 ? cols - 3 : cols;  // windows that overlap
      const std::vector<float> x = normals((rows - 1) * step + cols, random_);
      const std::vector<float> panel = normals(cols * kPanel, random_);
      std::vector<float> got = normals(rows * kPanel + 1, random_), want = got;
      got.back() = want.back() = kNan;
      for (const bool resume : {false, true}) {
        PanelArgs args{x.data(), step, rows, cols, panel.data(), got.data(), resume};
        table_.panel_f32(args);
        args.v = want.data();
        kEncoderScalar.panel_f32(args);
        for (size_t i = 0; i < rows * kPanel; ++i)
          ASSERT_NEAR(got[i], want[i], sum_tolerance(cols) * 4) << rows << " " << cols << " " << i;
        EXPECT_TRUE(std::isnan(got.back()));
      }
    }
  }
}

TEST_P(EncoderKernels, whole_numbers_are_the_same_and_fill_their_range) {
  for (const size_t n : {1u, 15u, 128u, 129u, 300u}) {
    std::vector<float> x = normals(n, random_);
    for (size_t i = 128; i < std::min<size_t>(n, 256); ++i) x[i] = 0;  // a group of zeros
    const size_t groups = (n + kFixedGroup - 1) / kFixedGroup;
    std::vector<int16_t> got(groups * kFixedGroup, 77), want(got);
    std::vector<float> got_scale(groups), want_scale(groups);
    table_.to_fixed16(x.data(), n, got.data(), got_scale.data());
    kEncoderScalar.to_fixed16(x.data(), n, want.data(), want_scale.data());
    EXPECT_EQ(got, want);
    EXPECT_EQ(got_scale, want_scale);
    EXPECT_EQ(std::abs(*std::max_element(got.begin(), got.begin() + kFixedGroup,
                                         [](int a, int b) { return std::abs(a) < std::abs(b); })),
              kFixedMax);
    for (size_t i = 0; i < n; ++i)
      ASSERT_NEAR(got[i] * got_scale[i / kFixedGroup], x[i], got_scale[i / kFixedGroup] * 0.51F);
  }
}

TEST_P(EncoderKernels, panels_of_whole_numbers_even_at_their_largest) {
  for (const bool largest : {false, true}) {
    for (const size_t rows : {1u, 5u, 12u, 25u}) {
      const size_t groups = 3;
      std::vector<int16_t> x(rows * groups * kFixedGroup), w(groups * kFixedGroup * kPanel);
      const auto fill = [&](std::vector<int16_t>& list) {
        for (int16_t& value : list) {
          const int random = static_cast<int>(random_.next_u64() % (2 * kFixedMax + 1)) - kFixedMax;
          value = static_cast<int16_t>(largest ? kFixedMax : random);
        }
      };
      fill(x);
      fill(w);
      const std::vector<float> x_scale(rows * groups, 1e-3F), scale(groups * kPanel, 2e-3F);
      std::vector<float> got(rows * kPanel), want(rows * kPanel);
      FixedPanelArgs args{x.data(), groups * kFixedGroup, x_scale.data(), rows, groups,
                          w.data(), scale.data(),         got.data()};
      table_.panel_fixed16(args);
      args.v = want.data();
      kEncoderScalar.panel_fixed16(args);
      for (size_t i = 0; i < got.size(); ++i)
        ASSERT_NEAR(got[i], want[i], 1e-5F * std::max(1.0F, std::fabs(want[i])));
    }
  }
}

TEST_P(EncoderKernels, rows_of_every_length) {
  for (size_t n = 1; n <= 70; ++n) {
    const std::vector<float> x = normals(n, random_), w = normals(n, random_),
                             b = normals(n, random_);
    std::vector<float> got(n + 1, kNan), want(n + 1, kNan);
    const auto expect_same = [&](float tolerance) {
      for (size_t i = 0; i < n; ++i) ASSERT_NEAR(got[i], want[i], tolerance) << n << " " << i;
      EXPECT_TRUE(std::isnan(got[n]));
    };
    for (const bool gelu : {false, true}) {
      table_.layer_norm(x.data(), w.data(), b.data(), 1e-5F, gelu, n, got.data());
      kEncoderScalar.layer_norm(x.data(), w.data(), b.data(), 1e-5F, gelu, n, want.data());
      expect_same(4e-6F);
    }
    for (const RowEnd end : {RowEnd::kStore, RowEnd::kGelu, RowEnd::kAdd, RowEnd::kGeluAdd}) {
      if (n > kPanel) continue;
      FinishArgs args{x.data(), n % 2 == 0 ? b.data() : nullptr, 1, n, end, got.data(), n};
      table_.finish(args);
      args.y = want.data();
      kEncoderScalar.finish(args);
      expect_same(2e-6F);
    }
    std::copy(x.begin(), x.end(), got.begin());
    std::copy(x.begin(), x.end(), want.begin());
    const float sum = table_.biased_softmax(got.data(), n, 0.3F, 1.7F, b.data());
    const float reference = kEncoderScalar.biased_softmax(want.data(), n, 0.3F, 1.7F, b.data());
    EXPECT_NEAR(sum, reference, 2e-6F * reference);
    expect_same(2e-6F);
    table_.scale(x.data(), 0.37F, n, got.data());
    kEncoderScalar.scale(x.data(), 0.37F, n, want.data());
    expect_same(0);
    EXPECT_NEAR(table_.dot(x.data(), w.data(), n), kEncoderScalar.dot(x.data(), w.data(), n),
                sum_tolerance(n));
  }
}

TEST_P(EncoderKernels, panels_are_the_rows_turned) {
  for (const size_t rows : {1u, 3u, 4u, 30u, 32u}) {
    for (const size_t cols : {1u, 4u, 7u, 64u}) {
      const std::vector<float> w = normals(rows * (cols + 1), random_);
      std::vector<float> got(cols * kPanel, kNan), want(cols * kPanel, kNan);
      table_.to_panel(w.data(), cols + 1, rows, cols, got.data());
      kEncoderScalar.to_panel(w.data(), cols + 1, rows, cols, want.data());
      EXPECT_EQ(0, std::memcmp(got.data(), want.data(), got.size() * sizeof(float)));
    }
    std::vector<int16_t> q(rows * kFixedGroup), got(kFixedGroup * kPanel), want(got);
    for (size_t i = 0; i < q.size(); ++i) q[i] = static_cast<int16_t>(i * 7);
    table_.to_pairs(q.data(), kFixedGroup, rows, got.data());
    kEncoderScalar.to_pairs(q.data(), kFixedGroup, rows, want.data());
    EXPECT_EQ(got, want);
  }
}

TEST_P(EncoderKernels, gelu_is_exact_everywhere) {
  std::vector<float> x;
  for (double value = -12; value <= 12; value += 1e-3) x.push_back(static_cast<float>(value));
  x.insert(x.end(), {0.0F, -0.0F, 1e-30F, -1e-30F, 1e30F, -1e30F});
  x.resize((x.size() + kPanel - 1) / kPanel * kPanel);
  std::vector<float> y(x.size());
  table_.finish({x.data(), nullptr, x.size() / kPanel, kPanel, RowEnd::kGelu, y.data(), kPanel});
  for (size_t i = 0; i < x.size(); ++i) {
    const double want = 0.5 * x[i] * (1 + std::erf(x[i] * std::sqrt(0.5)));
    ASSERT_NEAR(y[i], want, 2.5e-7 * std::max(1.0, std::fabs(want))) << x[i];
  }
}

class EncoderOpsTest : public testing::TestWithParam<Isa> {
 protected:
  Random random_{11};
  ThreadPool pool_{3};
  std::unique_ptr<EncoderOps> ops_ = make_encoder_ops(pool_, GetParam());

  static FileMatrix file(DType type, const std::vector<std::byte>& bytes, size_t rows,
                         size_t cols) {
    return {type, bytes, rows, cols};
  }
};

// The file's bytes at an odd address, as they may lie in a map.
std::vector<std::byte> bytes_of(DType type, const std::vector<float>& values) {
  std::vector<std::byte> bytes(values.size() * dtype_size(type));
  for (size_t i = 0; i < values.size(); ++i) {
    const uint16_t half = type == DType::kBF16 ? f32_to_bf16(values[i]) : f32_to_f16(values[i]);
    if (type == DType::kF32) {
      std::memcpy(bytes.data() + i * 4, &values[i], 4);
    } else {
      std::memcpy(bytes.data() + i * 2, &half, 2);
    }
  }
  return bytes;
}

TEST_P(EncoderOpsTest, products_of_any_shape_and_file_type) {
  const struct {
    size_t rows, outputs, cols;
  } shapes[] = {{1, 1, 1}, {5, 33, 70}, {13, 64, 600}, {40, 7, 1030}, {2, 100, 3}};
  for (const auto& [rows, outputs, cols] : shapes) {
    for (const DType type : {DType::kF32, DType::kF16, DType::kBF16}) {
      const size_t step = cols > 6 ? cols - 5 : cols;
      const std::vector<float> x = normals((rows - 1) * step + cols, random_);
      std::vector<float> w = normals(outputs * cols, random_);
      const std::vector<float> bias = normals(outputs, random_);
      const std::vector<std::byte> bytes = bytes_of(type, w);
      to_f32(type, bytes, w);
      const FileMatrix matrix = file(type, bytes, outputs, cols);
      const std::vector<float> before = normals(rows * (outputs + 2), random_);
      std::vector<float> want = before;
      for (size_t t = 0; t < rows; ++t) {
        for (size_t n = 0; n < outputs; ++n) {
          double total = bias[n];
          for (size_t k = 0; k < cols; ++k)
            total += static_cast<double>(x[t * step + k]) * w[n * cols + k];
          want[t * (outputs + 2) + n] += static_cast<float>(total);
        }
      }
      const Windows windows(x.data(), rows, cols, step);
      for (const ProductPrecision precision :
           {ProductPrecision::kF32, ProductPrecision::kFixed16}) {
        const float tolerance = precision == ProductPrecision::kF32
                                    ? 4 * sum_tolerance(cols)
                                    : 1e-3F * std::sqrt(static_cast<float>(cols)) * 2;  // 13 bits
        std::vector<float> got = before;
        const Matrix y(got.data(), rows, outputs, outputs + 2);
        ops_->product(windows, matrix, precision, bias, ProductEnd::kAdd, y);
        std::vector<float> packed = before;
        ops_->product(windows, *ops_->pack(matrix, precision), bias, ProductEnd::kAdd,
                      Matrix(packed.data(), rows, outputs, outputs + 2));
        EXPECT_EQ(got, packed);
        for (size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got[i], want[i], tolerance) << i;
      }
    }
  }
}

TEST_P(EncoderOpsTest, attention_with_a_gated_bias) {
  for (const size_t frames : {1u, 2u, 31u, 80u}) {
    for (const size_t width : {4u, 33u}) {
      const size_t heads = 3, all = heads * width;
      const std::vector<float> q = normals(frames * all, random_),
                               k = normals(frames * all, random_),
                               v = normals(frames * all, random_),
                               gate = normals(frames * heads, random_),
                               bias = normals(heads * (2 * frames - 1), random_);
      std::vector<float> got(frames * all, kNan);
      ops_->biased_attention(
          ConstMatrix(q.data(), frames, all), ConstMatrix(k.data(), frames, all),
          ConstMatrix(v.data(), frames, all), heads, ConstMatrix(gate.data(), frames, heads),
          ConstMatrix(bias.data(), heads, 2 * frames - 1), Matrix(got.data(), frames, all));
      for (size_t h = 0; h < heads; ++h) {
        for (size_t i = 0; i < frames; ++i) {
          std::vector<double> p(frames);
          double total = 0;
          for (size_t j = 0; j < frames; ++j) {
            double score = 0;
            for (size_t d = 0; d < width; ++d)
              score += double{q[i * all + h * width + d]} * k[j * all + h * width + d];
            p[j] = std::exp(score / std::sqrt(static_cast<double>(width)) +
                            gate[i * heads + h] * bias[h * (2 * frames - 1) + frames - 1 + j - i]);
            total += p[j];
          }
          for (size_t d = 0; d < width; ++d) {
            double want = 0;
            for (size_t j = 0; j < frames; ++j) want += p[j] / total * v[j * all + h * width + d];
            ASSERT_NEAR(got[i * all + h * width + d], want, 1e-5) << h << " " << i << " " << d;
          }
        }
      }
    }
  }
}

TEST_P(EncoderOpsTest, the_gate_is_wavlms) {
  const size_t frames = 20, heads = 3, width = 5;
  const std::vector<float> n = normals(frames * heads * width, random_),
                           wa = normals(width, random_), wb = normals(width, random_),
                           c = normals(heads, random_);
  std::vector<float> got(frames * heads);
  ops_->gate(ConstMatrix(n.data(), frames, heads * width), {wa, wb, 0.3F, -0.2F, c},
             Matrix(got.data(), frames, heads));
  for (size_t t = 0; t < frames; ++t) {
    for (size_t h = 0; h < heads; ++h) {
      double a = 0.3, b = -0.2;
      for (size_t d = 0; d < width; ++d) {
        a += double{wa[d]} * n[t * heads * width + h * width + d];
        b += double{wb[d]} * n[t * heads * width + h * width + d];
      }
      a = 1 / (1 + std::exp(-a));
      b = 1 / (1 + std::exp(-b));
      ASSERT_NEAR(got[t * heads + h], a * (b * c[h] - 1) + 2, 1e-5);
    }
  }
}

TEST_P(EncoderOpsTest, nothing_is_done_for_no_rows) {
  const std::vector<std::byte> bytes = bytes_of(DType::kF32, normals(6, random_));
  ops_->product(Windows(nullptr, 0, 3, 3), file(DType::kF32, bytes, 2, 3), ProductPrecision::kF32,
                {}, ProductEnd::kStore, Matrix(nullptr, 0, 2));
  ops_->biased_attention({}, {}, {}, 1, Matrix(nullptr, 0, 1), Matrix(nullptr, 1, 0), {});
}

INSTANTIATE_TEST_SUITE_P(Isas, EncoderKernels, testing::ValuesIn(available_isas()), isa_label);
INSTANTIATE_TEST_SUITE_P(Isas, EncoderOpsTest, testing::ValuesIn(available_isas()), isa_label);

}  // namespace
}  // namespace kani::cpu
