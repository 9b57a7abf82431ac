// Which codes count as those of an earlier clip.
#include "kani/dataset/near_duplicates.h"

#include <gtest/gtest.h>

#include "kani/base/random.h"

namespace kani {
namespace {

std::vector<int32_t> codes(uint64_t seed, size_t frames) {
  Random random(seed);
  std::vector<int32_t> out;
  for (size_t i = 0; i < frames; ++i) out.push_back(static_cast<int32_t>(random.next_u64() % 4032));
  return out;
}

std::vector<int32_t> joined(std::vector<int32_t> a, const std::vector<int32_t>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

std::vector<int32_t> part(const std::vector<int32_t>& all, size_t begin, size_t end) {
  return {all.begin() + static_cast<std::ptrdiff_t>(begin),
          all.begin() + static_cast<std::ptrdiff_t>(end)};
}

class Near : public testing::Test {
 protected:
  Near() { near_.add(codes(1, 70), 7); }
  bool known(const std::vector<int32_t>& of) const { return near_.find(of).has_value(); }
  NearDuplicates near_;
};

TEST_F(Near, the_same_codes_are_found_wherever_they_begin) {
  const auto found = near_.find(codes(1, 70));
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->owner, 7U);
  EXPECT_GE(found->share, 0.9);
  EXPECT_TRUE(known(joined(codes(2, 5), codes(1, 70))));
  EXPECT_TRUE(known(part(codes(1, 70), 3, 66)));
  EXPECT_TRUE(known(joined(codes(2, 300), codes(1, 70))));  // all of it, inside another
}

TEST_F(Near, some_changed_frames_do_not_hide_a_clip_and_others_are_not_taken_for_it) {
  std::vector<int32_t> changed = codes(1, 70);
  changed[20] = 0;
  EXPECT_TRUE(known(changed));
  for (uint64_t seed = 2; seed < 200; ++seed) EXPECT_FALSE(known(codes(seed, 70)));
  EXPECT_FALSE(known(joined(part(codes(1, 70), 0, 16), codes(3, 40))));  // the same first word
  EXPECT_FALSE(known({}));
}

TEST_F(Near, silence_and_held_sounds_make_no_duplicates) {
  near_.add(std::vector<int32_t>(60, 5), 8);
  EXPECT_FALSE(known(std::vector<int32_t>(60, 5)));
  EXPECT_FALSE(known(joined(std::vector<int32_t>(60, 5), codes(9, 30))));
}

TEST_F(Near, clips_shorter_than_a_window_must_be_equal) {
  near_.add(codes(20, 9), 9);
  EXPECT_TRUE(known(codes(20, 9)));
  EXPECT_FALSE(known(codes(20, 10)));
  EXPECT_FALSE(known(part(codes(20, 9), 0, 8)));
}

}  // namespace
}  // namespace kani
