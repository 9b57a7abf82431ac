// The generation loop on a reference model: greedy codes, limits, seeds.
#include "kani/lm/generator.h"

#include <gtest/gtest.h>

#include "kani/lm/golden_case.h"

namespace kani {
namespace {

class GeneratorTest : public testing::Test {
 protected:
  GoldenCase golden_{"b", cpu::best_isa()};
  const Json& prompt_ = golden_.golden["prompts"][0];
  std::vector<float> voice_ = golden_.voice_of(prompt_);
  std::vector<int32_t> ids_ = [this] {
    auto ids = prompt_["ids"].get<std::vector<int32_t>>();
    ids.push_back(golden_.layout.start_of_ai);
    ids.push_back(golden_.layout.start_of_speech);
    return ids;
  }();

  std::vector<std::vector<int32_t>> generate(const GenerationSettings& settings,
                                             bool* limit = nullptr) {
    FrameGenerator generator(*golden_.model, ids_, voice_, settings);
    std::vector<std::vector<int32_t>> frames;
    while (const auto frame = generator.next()) frames.emplace_back(frame->begin(), frame->end());
    EXPECT_FALSE(generator.next());
    EXPECT_EQ(generator.tokens(), frames.size() * 4);
    if (limit != nullptr) *limit = generator.limit_reached();
    return frames;
  }
};

// The reference excludes END_OF_SPEECH; ours may end where it would have been the largest, so only
// a prefix is compared.
TEST_F(GeneratorTest, greedy_frames_equal_the_reference) {
  for (const Json& trace : prompt_["traces"]) {
    const std::string name = trace["name"];
    if (name != "slots" && name != "slots_penalty") continue;
    const auto want = trace["codes"].get<std::vector<std::vector<int32_t>>>();
    const auto got =
        generate({.sampling = {.temperature = 0,
                               .repetition_penalty = trace["repetition_penalty"].get<double>()},
                  .max_frames = static_cast<int>(want.size())});
    ASSERT_GT(got.size(), 3u);
    for (size_t i = 0; i < got.size(); ++i) ASSERT_EQ(got[i], want[i]) << name << " frame " << i;
  }
}

TEST_F(GeneratorTest, limit_gives_whole_frames_and_says_so) {
  bool limit = false;
  EXPECT_EQ(
      generate({.sampling = {.temperature = 0, .repetition_penalty = 1}, .max_frames = 3}, &limit)
          .size(),
      3u);
  EXPECT_TRUE(limit);
}

TEST_F(GeneratorTest, utterances_together_say_what_each_says_alone) {
  std::vector<GenerationSettings> settings;
  for (uint64_t seed = 0; seed < 5; ++seed) {
    settings.push_back({.sampling = {.temperature = seed == 0 ? 0.0 : 1.0, .top_k = 0},
                        .seed = seed,
                        .max_frames = 3 + 4 * static_cast<int>(seed)});
  }
  std::vector<std::unique_ptr<FrameGenerator>> utterances;
  std::vector<FrameGenerator*> all;
  std::vector<std::vector<std::vector<int32_t>>> frames(settings.size());
  GenerationBatch batch(*golden_.model);
  for (int round = 0; round < 40; ++round) {
    // One more joins in each of the first rounds.
    if (utterances.size() < settings.size()) {
      utterances.push_back(std::make_unique<FrameGenerator>(*golden_.model, ids_, voice_,
                                                            settings[utterances.size()]));
      all.push_back(utterances.back().get());
    }
    batch.advance(all);
    for (size_t i = 0; i < all.size(); ++i) {
      if (const auto frame = all[i]->frame()) frames[i].emplace_back(frame->begin(), frame->end());
    }
  }
  for (size_t i = 0; i < settings.size(); ++i) {
    EXPECT_TRUE(all[i]->ended());
    EXPECT_EQ(frames[i], generate(settings[i])) << i;
  }
}

TEST_F(GeneratorTest, same_seed_gives_the_same_frames) {
  const GenerationSettings settings{.sampling = {.temperature = 1.0}, .seed = 3, .max_frames = 12};
  GenerationSettings other = settings;
  other.seed = 4;
  EXPECT_EQ(generate(settings), generate(settings));
  EXPECT_NE(generate(settings), generate(other));
}

TEST_F(GeneratorTest, codes_are_always_in_range_and_at_least_one_frame_comes) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const auto frames = generate(
        {.sampling = {.temperature = 5.0, .top_k = 0, .top_p = 1}, .seed = seed, .max_frames = 5});
    EXPECT_GE(frames.size(), 1u);
    for (const auto& frame : frames) {
      for (const int32_t code : frame)
        EXPECT_TRUE(code >= 0 && code < golden_.layout.codebook_size);
    }
  }
}

}  // namespace
}  // namespace kani
