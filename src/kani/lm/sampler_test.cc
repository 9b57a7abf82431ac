// The sampler against upstream's library on fixed logits, and its own promises.
#include "kani/lm/sampler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/base/json.h"
#include "kani/formats/safetensors.h"

namespace kani {
namespace {

TEST(Sampler, processors_equal_upstreams) {
  const std::string folder = KANI_TEST_DATA "/lm/";
  const Json golden = parse_json(read_file(folder + "processors.json", 1 << 24), "processors.json");
  const auto tensors = open_safetensors(folder + "processors.safetensors");
  size_t index = 0;
  for (const Json& c : golden["cases"]) {
    SCOPED_TRACE(index);
    const std::vector<float> logits =
        tensor_to_f32(*tensors->find("logits." + c["logits"].get<std::string>()));
    std::vector<float> want =
        tensor_to_f32(*tensors->find("probabilities." + std::to_string(index++)));
    const Json& s = c["settings"];
    const Sampling settings{.temperature = s.value("temperature", 1.0),
                            .top_k = s.value("top_k", 0),
                            .top_p = s.value("top_p", 1.0),
                            .min_p = s.value("min_p", 0.0),
                            .repetition_penalty = s.value("repetition_penalty", 1.0)};
    const auto history = c["history"].get<std::vector<int32_t>>();
    const std::set<int32_t> distinct(history.begin(), history.end());
    Sampler sampler(settings, 1);
    const std::vector<int32_t> seen(distinct.begin(), distinct.end());
    const std::span<const Candidate> got = sampler.distribution(logits, seen);
    size_t kept = 0;  // -infinity logits count as dropped
    std::vector<float> dense(logits.size());
    for (const Candidate& candidate : got) {
      dense[static_cast<size_t>(candidate.index)] = candidate.probability;
      kept += std::isinf(logits[static_cast<size_t>(candidate.index)]) ? 0 : 1;
    }
    EXPECT_EQ(kept, c["kept"].get<size_t>());
    if (c.value("ties_free", false)) {
      std::sort(want.begin(), want.end());
      std::sort(dense.begin(), dense.end());
    }
    for (size_t i = 0; i < want.size(); ++i) ASSERT_NEAR(dense[i], want[i], 1e-6F) << "at " << i;
  }
  EXPECT_EQ(index, 217u);
}

TEST(Sampler, temperature_zero_takes_the_largest_logit_and_the_lowest_index_on_ties) {
  Sampler sampler({.temperature = 0, .repetition_penalty = 1}, 1);
  const float logits[] = {1, 3, 2, 3};
  EXPECT_EQ(sampler.pick(logits, {}), 1);
}

TEST(Sampler, same_seed_draws_the_same_tokens) {
  std::vector<float> logits(100);
  for (size_t i = 0; i < logits.size(); ++i) logits[i] = static_cast<float>(i % 7);
  const auto draw = [&](uint64_t seed) {
    Sampler sampler({.temperature = 1.0}, seed);
    std::vector<int32_t> drawn;
    for (int i = 0; i < 50; ++i) drawn.push_back(sampler.pick(logits, {}));
    return drawn;
  };
  EXPECT_EQ(draw(5), draw(5));
  EXPECT_NE(draw(5), draw(6));
}

// Pearson's test with 100,000 draws: for 9 degrees of freedom 27.9 is exceeded once in a thousand.
TEST(Sampler, draws_follow_the_distribution) {
  std::vector<float> logits;
  for (int i = 0; i < 10; ++i) logits.push_back(0.3F * static_cast<float>(i % 5));
  Sampler sampler({.temperature = 1, .top_k = 0, .top_p = 1, .repetition_penalty = 1}, 11);
  std::vector<float> probabilities;
  for (const Candidate& c : sampler.distribution(logits, {}))
    probabilities.push_back(c.probability);
  ASSERT_EQ(probabilities.size(), logits.size());
  constexpr int kDraws = 100000;
  std::vector<int> counts(logits.size());
  for (int i = 0; i < kDraws; ++i) ++counts[static_cast<size_t>(sampler.pick(logits, {}))];
  double chi_square = 0;
  for (size_t i = 0; i < counts.size(); ++i) {
    const double expected = kDraws * static_cast<double>(probabilities[i]);
    chi_square += (counts[i] - expected) * (counts[i] - expected) / expected;
  }
  EXPECT_LT(chi_square, 27.9);
}

TEST(Sampler, settings_out_of_range_are_refused) {
  EXPECT_THROW(Sampler({.temperature = -1}, 1), Error);
  EXPECT_THROW(Sampler({.temperature = std::nan("")}, 1), Error);
  EXPECT_THROW(Sampler({.top_k = -1}, 1), Error);
  EXPECT_THROW(Sampler({.top_p = 0}, 1), Error);
  EXPECT_THROW(Sampler({.min_p = 2}, 1), Error);
  EXPECT_THROW(Sampler({.repetition_penalty = 0}, 1), Error);
}

}  // namespace
}  // namespace kani
