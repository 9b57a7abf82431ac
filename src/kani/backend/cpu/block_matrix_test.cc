// bf16 in 12 bits: nothing is lost, every instruction set writes the same bytes, and the products
// are those of bf16 bit for bit.
#include "kani/backend/cpu/block_matrix.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <string>
#include <tuple>

#include "kani/backend/cpu/language_ops_cpu.h"
#include "kani/base/numbers.h"
#include "kani/base/random.h"

namespace kani::cpu {
namespace {

constexpr size_t kNumbers = kBlockRows * 2;

std::string isa_label(const testing::TestParamInfo<Isa>& info) {
  return std::string(isa_name(info.param));
}

class Bf12Test : public testing::TestWithParam<Isa> {
 protected:
  const Bf12Table table_ = bf12_table(GetParam());
  Random random_{7};
};

// Weights as training leaves them, with zeros, subnormals and some that are very small.
std::vector<uint16_t> weights(size_t count, Random& random) {
  std::vector<uint16_t> numbers(count);
  for (uint16_t& number : numbers) {
    number = f32_to_bf16(static_cast<float>(0.02 * random.next_normal()));
    const double kind = random.next_uniform();
    if (kind < 0.01) number = 0;
    if (kind > 0.01 && kind < 0.02) number = 0x8000;
    if (kind > 0.02 && kind < 0.03) number = 0x0013;
    if (kind > 0.03 && kind < 0.035) number = f32_to_bf16(-1e-9F);
  }
  return numbers;
}

TEST_P(Bf12Test, packing_and_expanding_lose_nothing) {
  for (const size_t pairs : {1, 2, 7, 24}) {
    const std::vector<uint16_t> plain = weights(pairs * kNumbers, random_);
    const int top = table_.largest_exponent(plain.data(), plain.size());
    EXPECT_EQ(top, kBf12Scalar.largest_exponent(plain.data(), plain.size()));
    const auto lowest = static_cast<uint8_t>(top - 14);
    std::vector<uint8_t> packed(pairs * kBf12PairBytes + 1, 0xAA), expected(packed);
    std::vector<RareWeight> rare(plain.size()), expected_rare(plain.size());
    const size_t count =
        table_.pack(plain.data(), pairs, lowest, packed.data(), rare.data(), rare.size());
    const size_t expected_count = kBf12Scalar.pack(plain.data(), pairs, lowest, expected.data(),
                                                   expected_rare.data(), expected_rare.size());
    ASSERT_EQ(count, expected_count);
    EXPECT_EQ(packed, expected);
    std::vector<uint16_t> back(plain.size() + 1, 0x5555);
    table_.expand({packed.data(), pairs, lowest}, back.data());
    EXPECT_EQ(back.back(), 0x5555);
    for (size_t i = 0; i < count; ++i) {
      EXPECT_EQ(rare[i].column, expected_rare[i].column);
      EXPECT_EQ(rare[i].row, expected_rare[i].row);
      uint16_t& hole =
          back[(rare[i].column / 2 * kBlockRows + rare[i].row) * 2 + rare[i].column % 2];
      EXPECT_EQ(hole, 0);
      hole = f32_to_bf16(rare[i].value);
    }
    back.pop_back();
    EXPECT_EQ(back, plain);
  }
}

TEST_P(Bf12Test, any_exponent_may_be_the_largest) {
  for (int top = 0; top < 256; ++top) {
    std::vector<uint16_t> plain(kNumbers);
    for (size_t i = 0; i < plain.size(); ++i) {
      const int exponent = std::max(0, top - static_cast<int>(i % 15));
      plain[i] = static_cast<uint16_t>((i % 2) << 15 | static_cast<size_t>(exponent) << 7 | i);
    }
    ASSERT_EQ(table_.largest_exponent(plain.data(), plain.size()), top);
    const auto lowest = static_cast<uint8_t>(std::max(1, top - 14));
    std::vector<uint8_t> packed(kBf12PairBytes);
    ASSERT_EQ(table_.pack(plain.data(), 1, lowest, packed.data(), nullptr, 0), 0u);
    std::vector<uint16_t> back(plain.size());
    table_.expand({packed.data(), 1, lowest}, back.data());
    ASSERT_EQ(back, plain);
  }
}

TEST_P(Bf12Test, more_rare_weights_than_room_are_counted_and_not_written) {
  std::vector<uint16_t> plain(kNumbers, f32_to_bf16(1e-9F));
  plain[5] = f32_to_bf16(1);
  std::vector<uint8_t> packed(kBf12PairBytes);
  RareWeight rare[3] = {{}, {}, {.column = 99, .row = 99, .value = 99}};
  EXPECT_EQ(table_.pack(plain.data(), 1, 127 - 14, packed.data(), rare, 2), kNumbers - 1);
  EXPECT_EQ(rare[2].column, 99u);
}

TEST_P(Bf12Test, a_few_vectors_give_the_bits_of_the_plain_kernel) {
  const LanguageTable language = language_table(GetParam());
  for (const auto& [cols, rows, add] : {std::tuple<size_t, size_t, bool>{1, 64, false},
                                        {2, 1, true},
                                        {33, 63, false},
                                        {48, 17, true},
                                        {101, 40, true}}) {
    const size_t pairs = (cols + 1) / 2;
    std::vector<uint16_t> plain = weights(pairs * kNumbers, random_);
    if (cols % 2 != 0) {
      for (size_t r = 0; r < kBlockRows; ++r) plain[((pairs - 1) * kBlockRows + r) * 2 + 1] = 0;
    }
    const auto lowest =
        static_cast<uint8_t>(table_.largest_exponent(plain.data(), plain.size()) - 14);
    std::vector<uint8_t> packed(pairs * kBf12PairBytes);
    std::vector<RareWeight> rare(plain.size());
    table_.pack(plain.data(), pairs, lowest, packed.data(), rare.data(), rare.size());
    table_.expand({packed.data(), pairs, lowest}, plain.data());
    for (size_t tokens = 1; tokens <= table_.tokens; ++tokens) {  // none: products expand the block
      const size_t ldx = cols + 1, ldy = rows + 3;
      std::vector<float> x(tokens * ldx), y(tokens * ldy, 3), want(y);
      for (float& value : x) value = static_cast<float>(random_.next_normal());
      for (size_t t = 0; t < tokens; ++t) x[t * ldx + cols] = NAN;  // must not be read
      table_.gemm({.block = {packed.data(), pairs, lowest},
                   .x = x.data(),
                   .ldx = ldx,
                   .tokens = tokens,
                   .cols = cols,
                   .y = y.data(),
                   .ldy = ldy,
                   .rows = rows,
                   .add = add});
      language.gemm_bf16({.x = x.data(),
                          .ldx = ldx,
                          .tokens = tokens,
                          .cols = cols,
                          .w = plain.data(),
                          .y = want.data(),
                          .ldy = ldy,
                          .rows = rows,
                          .add = add});
      EXPECT_EQ(std::memcmp(y.data(), want.data(), y.size() * sizeof(float)), 0) << tokens;
    }
  }
}

TEST_P(Bf12Test, a_matrix_takes_three_quarters_and_one_without_a_common_size_is_refused) {
  ThreadPool pool(2);
  const size_t rows = 130, cols = 600;
  std::vector<uint16_t> numbers(rows * cols);
  for (uint16_t& number : numbers)
    number = f32_to_bf16(static_cast<float>(0.02 * random_.next_normal()));
  const MatrixPart part{DType::kBF16, std::as_bytes(std::span(numbers)), rows};
  const auto matrix = Bf12Matrix::pack({&part, 1}, cols, table_, pool);
  ASSERT_NE(matrix, nullptr);
  EXPECT_LT(matrix->bytes(), 192 * cols * 2 * 0.76);
  size_t rare = 0;
  for (size_t b = 0; b < matrix->blocks(); ++b) rare += matrix->rare(b).size();
  EXPECT_GT(rare, 0u);
  EXPECT_LT(rare, 100u);
  for (size_t i = 0; i < numbers.size(); ++i)
    numbers[i] = static_cast<uint16_t>(i * 40503 % 0x7F80);  // every exponent there is
  EXPECT_EQ(Bf12Matrix::pack({&part, 1}, cols, table_, pool), nullptr);
}

INSTANTIATE_TEST_SUITE_P(Isa, Bf12Test, testing::ValuesIn(available_isas()), isa_label);

}  // namespace
}  // namespace kani::cpu
