// numpy_random.h - numpy's default_rng(seed).permutation(n), number by number: upstream's `max_len`
// takes a subset with it (training.md 5.2 step 7), and the same rows must come out.
// Sources: PCG64 (M. E. O'Neill 2014, XSL-RR 128/64), numpy's SeedSequence, and numbers with a
// bound by masking and trying again, which is what shuffling uses (numpy's integers() does it
// otherwise). Not here: any other distribution; kani's own random numbers are base/random.h.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

namespace kani {

/// One thread at a time.
class NumpyGenerator {
 public:
  explicit NumpyGenerator(uint64_t seed);

  uint64_t next_u64();
  /// Halves of 64-bit numbers, the lower one first.
  uint32_t next_u32();
  /// Uniform in 0 … `most`.
  uint64_t next_bounded(uint64_t most);
  /// 0 … count - 1 in random order.
  std::vector<uint64_t> permutation(uint64_t count);

 private:
  struct Wide {  // 128 bits
    uint64_t high = 0;
    uint64_t low = 0;
  };
  static Wide add(Wide a, Wide b);
  static Wide multiply(Wide a, Wide b);
  void step();

  Wide state_, increment_;
  std::optional<uint32_t> upper_half_;
};

/// The first `count` 32-bit numbers of SeedSequence(seed).generate_state().
std::vector<uint32_t> numpy_seed_words(uint64_t seed, size_t count);

}  // namespace kani
