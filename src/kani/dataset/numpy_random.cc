// numpy_random.cc - see numpy_random.h.
#include "kani/dataset/numpy_random.h"

#include <bit>
#include <numeric>
#include <utility>

namespace kani {
namespace {

constexpr size_t kPoolWords = 4;

/// SeedSequence's hash: its multiplier changes with every use.
struct SeedHash {
  uint32_t constant;
  uint32_t multiplier;

  uint32_t operator()(uint32_t value) {
    value ^= constant;
    constant *= multiplier;
    value *= constant;
    return value ^ value >> 16;
  }
};

uint32_t mixed(uint32_t x, uint32_t y) {
  const uint32_t value = x * 0xCA01F9DDu - y * 0x4973F715u;
  return value ^ value >> 16;
}

}  // namespace

std::vector<uint32_t> numpy_seed_words(uint64_t seed, size_t count) {
  const std::array<uint32_t, 2> entropy = {static_cast<uint32_t>(seed),
                                           static_cast<uint32_t>(seed >> 32)};
  std::array<uint32_t, kPoolWords> pool{};
  SeedHash hash{0x43B0D7E5u, 0x931E8875u};
  for (size_t i = 0; i < kPoolWords; ++i) pool[i] = hash(i < entropy.size() ? entropy[i] : 0);
  for (size_t from = 0; from < kPoolWords; ++from) {
    for (size_t to = 0; to < kPoolWords; ++to) {
      if (from != to) pool[to] = mixed(pool[to], hash(pool[from]));
    }
  }
  SeedHash out{0x8B51F9DDu, 0x58F38DEDu};
  std::vector<uint32_t> words(count);
  for (size_t i = 0; i < count; ++i) words[i] = out(pool[i % kPoolWords]);
  return words;
}

NumpyGenerator::Wide NumpyGenerator::add(Wide a, Wide b) {
  const uint64_t low = a.low + b.low;
  return {a.high + b.high + (low < a.low ? 1 : 0), low};
}

// Modulo 2^128, from 32-bit halves: C++20 has no 128-bit type.
NumpyGenerator::Wide NumpyGenerator::multiply(Wide a, Wide b) {
  const uint64_t a0 = a.low & 0xFFFFFFFFu, a1 = a.low >> 32;
  const uint64_t b0 = b.low & 0xFFFFFFFFu, b1 = b.low >> 32;
  const uint64_t low = a0 * b0;
  const uint64_t middle = a1 * b0 + (low >> 32);
  const uint64_t other = a0 * b1 + (middle & 0xFFFFFFFFu);
  const uint64_t carry = a1 * b1 + (middle >> 32) + (other >> 32);
  return {carry + a.high * b.low + a.low * b.high, a.low * b.low};
}

NumpyGenerator::NumpyGenerator(uint64_t seed) {
  const std::vector<uint32_t> words = numpy_seed_words(seed, 8);
  const auto number = [&](size_t i) { return uint64_t{words[2 * i + 1]} << 32 | words[2 * i]; };
  const Wide start{number(0), number(1)}, sequence{number(2), number(3)};
  increment_ = {sequence.high << 1 | sequence.low >> 63, sequence.low << 1 | 1};
  step();
  state_ = add(state_, start);
  step();
}

void NumpyGenerator::step() {
  constexpr Wide kMultiplier{2549297995355413924u, 4865540595714422341u};
  state_ = add(multiply(state_, kMultiplier), increment_);
}

uint64_t NumpyGenerator::next_u64() {
  step();
  return std::rotr(state_.high ^ state_.low, static_cast<int>(state_.high >> 58));
}

uint32_t NumpyGenerator::next_u32() {
  if (upper_half_) return *std::exchange(upper_half_, std::nullopt);
  const uint64_t number = next_u64();
  upper_half_ = static_cast<uint32_t>(number >> 32);
  return static_cast<uint32_t>(number);
}

uint64_t NumpyGenerator::next_bounded(uint64_t most) {
  if (most == 0) return 0;
  const uint64_t mask = ~uint64_t{0} >> std::countl_zero(most);
  for (;;) {
    const uint64_t number = (most <= 0xFFFFFFFFu ? next_u32() : next_u64()) & mask;
    if (number <= most) return number;
  }
}

std::vector<uint64_t> NumpyGenerator::permutation(uint64_t count) {
  std::vector<uint64_t> order(count);
  std::iota(order.begin(), order.end(), uint64_t{0});
  for (uint64_t i = count; i-- > 1;) std::swap(order[i], order[next_bounded(i)]);
  return order;
}

}  // namespace kani
