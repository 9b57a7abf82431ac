#include "kani/backend/cpu/weight_arena.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace kani::cpu {
namespace {

constexpr size_t kMega = size_t{1} << 20;

TEST(WeightArena, parts_lie_behind_each_other_and_are_zero) {
  WeightArena arena;
  const auto first = arena.take(100), second = arena.take(64), third = arena.take(1);
  EXPECT_EQ(second.get() - first.get(), 128);
  EXPECT_EQ(third.get() - second.get(), 64);
  for (const auto& part : {first, second, third})
    EXPECT_EQ(reinterpret_cast<uintptr_t>(part.get()) % 64, 0U);
  std::fill_n(first.get(), 100, uint8_t{7});
  EXPECT_EQ(std::count(second.get(), second.get() + 64, 0), 64);
}

TEST(WeightArena, a_full_piece_is_followed_by_another) {
  WeightArena arena;
  std::vector<std::shared_ptr<uint8_t>> parts;
  for (uint8_t i = 0; i < 9; ++i) {
    parts.push_back(arena.take(10 * kMega));
    std::fill_n(parts.back().get(), 10 * kMega, i);
  }
  for (uint8_t i = 0; i < 9; ++i)
    EXPECT_EQ(std::count(parts[i].get(), parts[i].get() + 10 * kMega, i), 10 * kMega);
}

TEST(WeightArena, what_is_larger_than_a_piece_stands_alone) {
  WeightArena arena;
  const auto small = arena.take(64);
  const auto large = arena.take(40 * kMega);
  large.get()[40 * kMega - 1] = 1;
  EXPECT_EQ(arena.take(64).get() - small.get(), 64) << "the piece in use stays in use";
}

TEST(WeightArena, parts_outlive_the_arena) {
  std::shared_ptr<uint8_t> part;
  {
    WeightArena arena;
    part = arena.take(1000);
    (void)arena.take(40 * kMega);
  }
  std::fill_n(part.get(), 1000, uint8_t{1});
  EXPECT_EQ(part.get()[999], 1);
}

}  // namespace
}  // namespace kani::cpu
