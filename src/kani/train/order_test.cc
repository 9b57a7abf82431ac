// order_test.cc - every clip once, rows nearly full, the same for the same seed and epoch.
#include "kani/train/order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "kani/base/error.h"
#include "kani/base/random.h"

namespace kani::train {
namespace {

// Log-normal lengths of clips, median 7 s (training.md 19.4).
std::vector<int64_t> natural_lengths(size_t count) {
  Random random(3);
  std::vector<int64_t> lengths;
  while (lengths.size() < count) {
    const double seconds = 7 * std::exp(0.6 * random.next_normal());
    if (seconds <= 40) lengths.push_back(static_cast<int64_t>(53.3 * seconds) + 10);
  }
  return lengths;
}

std::vector<uint32_t> all_of(const std::vector<Row>& rows) {
  std::vector<uint32_t> all;
  for (const Row& row : rows) all.insert(all.end(), row.begin(), row.end());
  std::sort(all.begin(), all.end());
  return all;
}

std::vector<uint32_t> counted(uint32_t count) {
  std::vector<uint32_t> all(count);
  std::iota(all.begin(), all.end(), 0u);
  return all;
}

TEST(BucketBatches, put_like_lengths_together_and_lose_nothing) {
  std::vector<uint32_t> order = shuffled(103, 1, 0);
  std::vector<int64_t> lengths;
  for (int64_t i = 0; i < 103; ++i) lengths.push_back(10 + (i * 37) % 200);
  const auto rows = bucket_batches(order, lengths, 4, 5, 7, 0);
  EXPECT_EQ(rows.size(), 26u);
  std::vector<int> seen(103);
  int64_t padding = 0, plain = 0;
  const auto waste = [&](const Row& row) {
    int64_t longest = 0, sum = 0;
    for (const uint32_t clip : row) {
      longest = std::max(longest, lengths[clip]);
      sum += lengths[clip];
    }
    return longest * static_cast<int64_t>(row.size()) - sum;
  };
  for (const Row& row : rows) {
    for (const uint32_t clip : row) ++seen[clip];
    padding += waste(row);
  }
  for (const Row& row : cut_batches(order, 4)) plain += waste(row);
  EXPECT_TRUE(std::all_of(seen.begin(), seen.end(), [](int n) { return n == 1; }));
  EXPECT_LT(padding, plain / 2);
  // A function of seed and epoch; the short batch of the end comes anywhere.
  EXPECT_EQ(rows, bucket_batches(order, lengths, 4, 5, 7, 0));
  EXPECT_NE(rows, bucket_batches(order, lengths, 4, 5, 7, 1));
  EXPECT_NE(rows, bucket_batches(order, lengths, 4, 5, 8, 0));
}

TEST(Order, an_epoch_holds_every_clip_once) {
  const auto lengths = natural_lengths(20000);
  const auto order = shuffled(20000, 1, 0);
  EXPECT_NE(order, counted(20000));
  const auto rows = pack_rows(order, lengths, {}, 1, 0);
  EXPECT_EQ(all_of(rows), counted(20000));
  for (const Row& row : rows) {
    int64_t sum = 0;
    for (const uint32_t clip : row) sum += lengths[clip];
    EXPECT_LE(sum, 16384);
  }
}

TEST(Order, rows_are_nearly_full_on_natural_lengths) {
  const auto lengths = natural_lengths(20000);
  for (const int64_t length : {4096, 8192, 16384}) {
    const auto rows = pack_rows(shuffled(20000, 1, 0), lengths, {length, 4096}, 1, 0);
    EXPECT_GE(fill(rows, lengths, length), 0.99) << length;
  }
}

TEST(Order, the_same_seed_and_epoch_are_the_same_rows_and_others_are_others) {
  const auto lengths = natural_lengths(500);
  const auto rows = [&](uint64_t seed, uint64_t epoch) {
    return pack_rows(shuffled(500, seed, epoch), lengths, {}, seed, epoch);
  };
  EXPECT_EQ(rows(1, 0), rows(1, 0));
  EXPECT_NE(rows(1, 0), rows(1, 1));
  EXPECT_NE(rows(1, 0), rows(2, 0));
}

TEST(Order, batches_of_upstream_end_short) {
  const auto order = counted(10);
  const auto rows = cut_batches(order, 4);
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[2], (Row{8, 9}));
}

// Worked out by hand from accelerate's rule.
TEST(Order, batches_of_upstream_for_several_ranks_are_filled_up_from_the_beginning) {
  EXPECT_EQ(cut_batches(counted(10), 4, 2),
            (std::vector<Row>{{0, 1, 2, 3}, {4, 5, 6, 7}, {8, 9, 0, 1}, {2, 3, 4, 5}}));
  EXPECT_EQ(cut_batches(counted(8), 4, 3),
            (std::vector<Row>{{0, 1, 2, 3}, {4, 5, 6, 7}, {0, 1, 2, 3}}));
  EXPECT_EQ(cut_batches(counted(8), 4, 2).size(), 2u);
  EXPECT_EQ(cut_batches(counted(6), 4, 2), (std::vector<Row>{{0, 1, 2, 3}, {4, 5, 0, 1}}));
  EXPECT_EQ(cut_batches(counted(3), 2, 4),  // fewer clips than one round takes
            (std::vector<Row>{{0, 1}, {2, 0}, {1, 2}, {0, 1}}));
  EXPECT_TRUE(cut_batches({}, 4, 2).empty());
}

TEST(Order, a_clip_that_fits_no_row_is_an_error) {
  const std::vector<int64_t> lengths{5, 11};
  EXPECT_THROW(pack_rows(counted(2), lengths, {10, 4}, 1, 0), Error);
  EXPECT_TRUE(pack_rows({}, {}, {}, 1, 0).empty());
}

TEST(Order, languages_get_the_share_that_temperature_and_weights_say) {
  const std::map<std::string, uint32_t> counts{{"en", 900}, {"ky", 100}};
  for (const auto& [language, factor] : language_factors(counts, 1, {}))
    EXPECT_DOUBLE_EQ(factor, 1) << language;
  const auto root = language_factors(counts, 0.5, {});  // 30 to 10
  EXPECT_DOUBLE_EQ(root.at("en") * 900, 750);
  EXPECT_DOUBLE_EQ(root.at("ky") * 100, 250);
  const auto half = language_factors(counts, 0, {});
  EXPECT_DOUBLE_EQ(half.at("ky") * 100, 500);
  const auto weighed = language_factors(counts, 1, {{"ky", 3}});  // 900 to 300
  EXPECT_DOUBLE_EQ(weighed.at("ky") * 100, 250);
  EXPECT_THROW(language_factors(counts, 1, {{"fr", 1}}), Error);
}

TEST(Order, a_factor_is_how_often_a_clip_is_seen) {
  std::vector<double> factors(100, 0.5);
  factors.resize(140, 2.25);
  std::vector<int> seen(factors.size());
  for (uint64_t epoch = 0; epoch < 40; ++epoch) {
    const auto order = repeated(factors, 7, epoch);
    EXPECT_EQ(order.size(), 50u + 90u);
    EXPECT_EQ(order, repeated(factors, 7, epoch));
    for (const uint32_t i : order) ++seen[i];
  }
  for (size_t i = 0; i < factors.size(); ++i) {
    const double expected = 40 * factors[i];
    EXPECT_NEAR(seen[i], expected, 4 * std::sqrt(40 * 0.25)) << i;
  }
  EXPECT_EQ(repeated(std::vector<double>(33, 1), 7, 2), shuffled(33, 7, 2));
}

}  // namespace
}  // namespace kani::train
