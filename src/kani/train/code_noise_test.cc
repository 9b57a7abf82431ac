// code_noise_test.cc - shares, kinds and places of wrong codes; the same for the same key.
#include "kani/train/code_noise.h"

#include <gtest/gtest.h>

#include <cmath>

#include "kani/base/error.h"
#include "kani/base/random.h"

namespace kani::train {
namespace {

const std::vector<int64_t> kLevels{9, 8, 8, 7};

TokenLayout layout() {
  Lfm2Config config;
  config.vocab_size = 16538;
  config.audio_tokens_start = 410;
  return TokenLayout::of(config);
}

// Some text, then every code there is.
PackedBatch all_codes() {
  PackedBatch batch;
  Random random(1);
  for (int64_t i = 0; i < 100'000; ++i) {
    batch.ids.push_back(i % 100 == 0 ? i / 100 % 410
                                     : 410 + static_cast<int64_t>(random.next_u64() % (4 * 4032)));
    batch.targets.push_back(batch.ids.back());
  }
  return batch;
}

TEST(CodeNoise, tokens_behind_the_audio_ids_stay) {
  Lfm2Config config;
  config.vocab_size = 16539;  // a language's token is the last row
  config.audio_tokens_start = 410;
  PackedBatch batch;
  for (int i = 0; i < 1000; ++i) {
    batch.ids.push_back(i % 2 == 0 ? 16538 : 16537);
    batch.targets.push_back(batch.ids.back());
  }
  add_code_noise({.digit = 1}, TokenLayout::of(config), kLevels, 5, batch);
  for (size_t i = 0; i < batch.ids.size(); ++i) {
    if (i % 2 == 0) {
      EXPECT_EQ(batch.ids[i], 16538) << i;
    } else {
      EXPECT_NE(batch.ids[i], 16537) << i;
      EXPECT_LT(batch.ids[i], 16538) << i;
    }
  }
}

TEST(CodeNoise, moves_one_digit_by_one_in_its_share_and_draws_the_rest) {
  const PackedBatch clean = all_codes();
  PackedBatch noisy = clean;
  add_code_noise({.digit = 0.2, .random = 0.03}, layout(), kLevels, 5, noisy);
  EXPECT_EQ(noisy.targets, clean.targets);
  int64_t audio = 0, moved = 0, drawn = 0;
  std::vector<int64_t> of_digit(4);
  for (size_t i = 0; i < clean.ids.size(); ++i) {
    if (clean.ids[i] < 410) {
      EXPECT_EQ(noisy.ids[i], clean.ids[i]);
      continue;
    }
    ++audio;
    if (noisy.ids[i] == clean.ids[i]) continue;
    int64_t a = clean.ids[i] - 410, b = noisy.ids[i] - 410;
    ASSERT_EQ(a / 4032, b / 4032) << "another codebook";
    a %= 4032, b %= 4032;
    int64_t differ = 0, steps = 0, which = 0;
    for (size_t d = 0; d < 4; ++d) {
      const int64_t by = std::abs(a % kLevels[d] - b % kLevels[d]);
      if (by > 0) which = static_cast<int64_t>(d);
      differ += by > 0 ? 1 : 0;
      steps += by;
      a /= kLevels[d], b /= kLevels[d];
    }
    const bool one = differ == 1 && steps == 1;
    (one ? moved : drawn) += 1;
    if (one) ++of_digit[static_cast<size_t>(which)];
  }
  // Within five deviations of a count.  Of the drawn codes 1 in 600 is a neighbour and 1 in 4,032
  // the code itself.
  const auto n = static_cast<double>(audio);
  EXPECT_NEAR(static_cast<double>(moved), 0.2 * 0.97 * n, 5 * std::sqrt(0.194 * 0.806 * n) + 10);
  EXPECT_NEAR(static_cast<double>(drawn), 0.03 * n, 5 * std::sqrt(0.03 * 0.97 * n) + 10);
  for (const int64_t count : of_digit)
    EXPECT_NEAR(static_cast<double>(count), static_cast<double>(moved) / 4,
                5 * std::sqrt(static_cast<double>(moved) * 3 / 16));
}

TEST(CodeNoise, is_a_function_of_key_and_place) {
  PackedBatch a = all_codes(), b = a, other = a, shorter = a;
  shorter.ids.resize(500);
  const CodeNoise noise{.digit = 0.2, .random = 0.03};
  add_code_noise(noise, layout(), kLevels, 5, a);
  add_code_noise(noise, layout(), kLevels, 5, b);
  add_code_noise(noise, layout(), kLevels, 6, other);
  add_code_noise(noise, layout(), kLevels, 5, shorter);
  EXPECT_EQ(a.ids, b.ids);
  EXPECT_NE(a.ids, other.ids);
  EXPECT_TRUE(std::equal(shorter.ids.begin(), shorter.ids.end(), a.ids.begin()));
}

TEST(CodeNoise, none_changes_nothing) {
  const PackedBatch clean = all_codes();
  PackedBatch batch = clean;
  add_code_noise({}, layout(), kLevels, 5, batch);
  EXPECT_EQ(batch.ids, clean.ids);
}

TEST(CodeNoise, shares_beyond_one_are_refused) {
  EXPECT_THROW((CodeNoise{.digit = 1.1, .random = 0}).validate(), Error);
  EXPECT_THROW((CodeNoise{.digit = 0, .random = -0.1}).validate(), Error);
}

}  // namespace
}  // namespace kani::train
