// numpy_random_test.cc - against numbers that numpy 2.4 gives, and the subset of the reference
// data.
#include "kani/dataset/numpy_random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "kani/base/file.h"
#include "kani/base/json.h"

namespace kani {
namespace {

TEST(NumpyGenerator, permutation_of_42_is_that_of_the_reference_data) {
  const Json json = parse_json(
      read_file(std::string(KANI_TEST_DATA) + "/training/goldens.json", 1 << 20), "the test");
  const Json& subset = json["max_len_subset"]["src2"];
  const auto rows = subset["rows_after_filter"].get<std::vector<uint64_t>>();
  const auto head = subset["permutation_head"].get<std::vector<uint64_t>>();
  std::vector<uint64_t> order = NumpyGenerator(42).permutation(rows.size());
  order.resize(head.size());
  EXPECT_EQ(order, head);
}

TEST(NumpyGenerator, permutation_has_every_number_once) {
  std::vector<uint64_t> order = NumpyGenerator(7).permutation(1000);
  std::sort(order.begin(), order.end());
  std::vector<uint64_t> expected(1000);
  std::iota(expected.begin(), expected.end(), uint64_t{0});
  EXPECT_EQ(order, expected);
}

TEST(NumpyGenerator, permutation_of_nothing_and_of_one) {
  EXPECT_TRUE(NumpyGenerator(42).permutation(0).empty());
  EXPECT_EQ(NumpyGenerator(42).permutation(1), std::vector<uint64_t>{0});
}

TEST(NumpyGenerator, seeds_are_spread_as_numpy_does) {
  EXPECT_EQ(numpy_seed_words(42, 8),
            (std::vector<uint32_t>{3444837047, 2669555309, 2046530742, 3581440988, 1691623607,
                                   2099784219, 1184028159, 862288241}));
  EXPECT_EQ(numpy_seed_words((uint64_t{1} << 40) + 7, 4),
            (std::vector<uint32_t>{238885397, 226915041, 1322230113, 2599373530}));
}

TEST(NumpyGenerator, raw_numbers_are_numpys) {
  NumpyGenerator generator(42);
  for (const uint64_t expected :
       {14276969152011380360u, 8095878257575067585u, 15838336090824644132u, 12864169557245331597u})
    EXPECT_EQ(generator.next_u64(), expected);
}

TEST(NumpyGenerator, permutations_are_numpys) {
  using Order = std::vector<uint64_t>;
  EXPECT_EQ(NumpyGenerator(42).permutation(20),
            (Order{15, 9, 14, 7, 12, 10, 6, 19, 3, 0, 16, 5, 11, 18, 2, 4, 17, 1, 13, 8}));
  EXPECT_EQ(NumpyGenerator(0).permutation(12), (Order{9, 2, 7, 4, 5, 11, 0, 3, 6, 10, 8, 1}));
  EXPECT_EQ(NumpyGenerator((uint64_t{1} << 40) + 7).permutation(9),
            (Order{2, 7, 8, 6, 3, 4, 1, 5, 0}));
}

TEST(NumpyGenerator, a_long_permutation_is_numpys_to_its_end) {
  const std::vector<uint64_t> order = NumpyGenerator(42).permutation(100'000);
  uint64_t sum = 0;
  for (uint64_t i = 0; i < order.size(); ++i) sum += order[i] * i % 1'000'003;
  EXPECT_EQ(sum, 50'067'448'952u);
  EXPECT_EQ(order.front(), 45'262u);
  EXPECT_EQ(order.back(), 75'400u);
}

}  // namespace
}  // namespace kani
