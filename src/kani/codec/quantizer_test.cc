// The quantiser against upstream's, bit by bit where float32 decides it. tests/data/codec/README.md
#include "kani/codec/quantizer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "kani/base/error.h"
#include "kani/formats/safetensors.h"

namespace kani {
namespace {

constexpr double kCompressedLimit = 2e-6;
constexpr float kSureMargin = 1e-4F;

struct Case {
  const char* prefix;
  std::vector<int> levels;
};

class Quantizer : public testing::TestWithParam<Case> {
 protected:
  Quantizer()
      : file_(open_safetensors(std::filesystem::path(KANI_TEST_DATA) / "codec/fsq.safetensors")),
        quantizer_(GetParam().levels, 1e-3F) {}

  std::vector<float> golden(const std::string& name) const {
    const TensorInfo* tensor = file_->find(std::string(GetParam().prefix) + "." + name);
    if (tensor == nullptr) throw Error(ErrorCode::kNotFound, "no golden ", name);
    return tensor_to_f32(*tensor);
  }

  std::unique_ptr<TensorFile> file_;
  FiniteScalarQuantizer quantizer_;
};

TEST_P(Quantizer, table_is_upstreams_bit_by_bit) {
  const std::vector<float> table = golden("table");
  ASSERT_EQ(table.size(), static_cast<size_t>(quantizer_.size()) * 4);
  for (int32_t code = 0; code < quantizer_.size(); ++code) {
    for (size_t d = 0; d < 4; ++d) {
      ASSERT_EQ(quantizer_.vector(code)[d], table[static_cast<size_t>(code) * 4 + d]) << code;
    }
  }
}

TEST_P(Quantizer, upstream_wraps_what_the_decoder_refuses) {
  const std::vector<float> index = golden("wrap_index"), codes = golden("wrap_codes");
  ASSERT_EQ(codes.size(), index.size() * 4);
  for (size_t i = 0; i < index.size(); ++i) {
    const int64_t size = quantizer_.size();
    const int64_t wrapped = (static_cast<int64_t>(index[i]) % size + size) % size;
    for (size_t d = 0; d < 4; ++d) {
      EXPECT_EQ(quantizer_.vector(static_cast<int32_t>(wrapped))[d], codes[i * 4 + d]) << index[i];
    }
  }
}

TEST_P(Quantizer, sweep_is_compressed_and_rounded_like_upstream) {
  const std::vector<float> x = golden("sweep_x"), compressed = golden("sweep_compressed");
  const std::vector<float> codes = golden("sweep_codes"), index = golden("sweep_index");
  const std::vector<float> margin = golden("sweep_margin");
  const size_t n = x.size();
  size_t sure = 0;
  for (size_t i = 0; i < n; ++i) {
    const FiniteScalarQuantizer::Vector in{x[i], x[i], x[i], x[i]};
    const FiniteScalarQuantizer::Vector c = quantizer_.compress(in);
    bool all_sure = true;
    for (size_t d = 0; d < 4; ++d) {
      ASSERT_NEAR(c[d], compressed[d * n + i], kCompressedLimit) << x[i];
      all_sure = all_sure && margin[d * n + i] > kSureMargin;
    }
    const int32_t code = quantizer_.code(in);
    ASSERT_GE(code, 0);
    ASSERT_LT(code, quantizer_.size());
    if (!all_sure) continue;
    ++sure;
    ASSERT_EQ(code, static_cast<int32_t>(index[i])) << x[i];
    for (size_t d = 0; d < 4; ++d) {
      ASSERT_EQ(quantizer_.vector(code)[d], codes[d * n + i]) << x[i];
    }
  }
  EXPECT_GT(sure, n / 2);
}

TEST_P(Quantizer, every_vector_is_coded_as_itself) {
  for (int32_t code = 0; code < quantizer_.size(); ++code) {
    // Undo the compression: x such that scale * tanh(x + shift) - offset hits the level.
    FiniteScalarQuantizer::Vector x{};
    for (size_t d = 0; d < 4; ++d) {
      const int level = GetParam().levels[d];
      const double scale = (level - 1) / 2.0 * (1 - 1e-3), offset = level % 2 == 0 ? 0.5 : 0;
      const double target = static_cast<double>(quantizer_.vector(code)[d]) * (level / 2);
      const double inside = std::clamp((target + offset) / scale, -0.9999, 0.9999);
      x[d] = static_cast<float>(std::atanh(inside) - std::tan(offset / scale));
    }
    ASSERT_EQ(quantizer_.code(x), code);
  }
}

INSTANTIATE_TEST_SUITE_P(Levels, Quantizer,
                         testing::Values(Case{"fsq_9887", {9, 8, 8, 7}},
                                         Case{"fsq_8766", {8, 7, 6, 6}}));

TEST(QuantizerLevels, what_makes_no_quantiser_is_refused) {
  for (const std::vector<int>& levels :
       {std::vector<int>{9, 8, 8}, {9, 8, 8, 1}, {9, 8, 8, -7}, {2048, 2048, 2048, 2048}}) {
    EXPECT_THROW(FiniteScalarQuantizer(levels, 1e-3F), Error);
  }
  const std::vector<int> levels{9, 8, 8, 7};
  EXPECT_THROW(FiniteScalarQuantizer(levels, 0), Error);
  EXPECT_THROW(FiniteScalarQuantizer(levels, 0.5F), Error);
}

}  // namespace
}  // namespace kani
