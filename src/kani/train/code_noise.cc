// code_noise.cc - see code_noise.h.
#include "kani/train/code_noise.h"

#include "kani/base/error.h"
#include "kani/base/random.h"

namespace kani::train {
namespace {

// A digit of the code one up or down, where it can go.
int64_t with_moved_digit(int64_t code, std::span<const int64_t> levels, Random& random) {
  const size_t which = random.next_u64() % levels.size();
  int64_t base = 1;
  for (size_t d = 0; d < which; ++d) base *= levels[d];
  const int64_t digit = code / base % levels[which];
  const bool up = digit == 0 || (digit + 1 < levels[which] && random.next_u64() % 2 == 0);
  return code + (up ? base : -base);
}

}  // namespace

void CodeNoise::validate() const {
  require(digit >= 0 && digit <= 1, "code_noise_digit is ", digit, ", must be 0 to 1");
  require(random >= 0 && random <= 1, "code_noise_random is ", random, ", must be 0 to 1");
}

void add_code_noise(const CodeNoise& noise, const TokenLayout& layout,
                    std::span<const int64_t> levels, uint64_t key, PackedBatch& batch) {
  if (!noise.on()) return;
  for (size_t n = 0; n < batch.ids.size(); ++n) {
    if (!layout.is_audio(static_cast<int32_t>(batch.ids[n]))) continue;
    const int64_t place = batch.ids[n] - layout.audio_start;
    Random random(key ^ splitmix64(n));
    const int64_t code = place % layout.codebook_size;
    if (random.next_uniform() < noise.random) {
      batch.ids[n] +=
          static_cast<int64_t>(random.next_u64() % static_cast<uint64_t>(layout.codebook_size)) -
          code;
    } else if (random.next_uniform() < noise.digit) {
      batch.ids[n] += with_moved_digit(code, levels, random) - code;
    }
  }
}

}  // namespace kani::train
