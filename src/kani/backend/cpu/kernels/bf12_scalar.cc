// bf12_scalar.cc - bf16 weights in 12 bits in plain loops: the definition of the layout.  Products
// are those of the bf16 kernel on expanded blocks, so there is no gemm here.
#include <cstring>

#include "kani/backend/cpu/kernels/bf12_kernels.h"
#include "kani/backend/cpu/kernels/language_kernels.h"

namespace kani::cpu {
namespace {

constexpr size_t kNumbers = kBlockRows * 2;  // of one pair of columns

// Where number `n` = 2 * row + column of a pair lies: the byte of its sign and fraction, counted
// from the first of them.
size_t place(size_t n) {
  const size_t half = n / 64, within = n % 64;
  const size_t lane = within % 32 / 8, second = within / 32;
  return half * 64 + lane * 16 + second * 8 + within % 8;
}

void expand(const Bf12Block& block, uint16_t* plain) noexcept {
  const uint8_t* pair = block.packed;
  for (size_t p = 0; p < block.pairs; ++p, pair += kBf12PairBytes, plain += kNumbers) {
    for (size_t n = 0; n < kNumbers; ++n) {
      const size_t at = place(n);
      const uint8_t rest = pair[64 + at];
      const int code = at < 64 ? pair[at] & 15 : pair[at - 64] >> 4;
      const int exponent = code == 15 ? 0 : block.lowest + code;
      plain[n] = static_cast<uint16_t>((rest & 0x80) << 8 | exponent << 7 | (rest & 0x7F));
    }
  }
}

size_t pack(const uint16_t* plain, size_t pairs, uint8_t lowest, uint8_t* packed, RareWeight* rare,
            size_t capacity) noexcept {
  size_t count = 0;
  for (size_t p = 0; p < pairs; ++p, packed += kBf12PairBytes, plain += kNumbers) {
    std::memset(packed, 0, 64);
    for (size_t n = 0; n < kNumbers; ++n) {
      const size_t at = place(n);
      const int exponent = plain[n] >> 7 & 0xFF;
      int rest = (plain[n] >> 8 & 0x80) | (plain[n] & 0x7F);
      int code = exponent - lowest;
      if (code < 0) {
        code = 15;
        if (exponent != 0) {
          if (count < capacity) {
            const uint32_t bits = static_cast<uint32_t>(plain[n]) << 16;
            rare[count] = {static_cast<uint32_t>(2 * p + n % 2), static_cast<uint32_t>(n / 2), 0};
            std::memcpy(&rare[count].value, &bits, sizeof bits);
          }
          ++count;
          rest = 0;
        }
      }
      packed[64 + at] = static_cast<uint8_t>(rest);
      packed[at % 64] = static_cast<uint8_t>(packed[at % 64] | (at < 64 ? code : code << 4));
    }
  }
  return count;
}

uint8_t largest_exponent(const uint16_t* numbers, size_t count) noexcept {
  int top = 0;
  for (size_t i = 0; i < count; ++i) top = top > (numbers[i] & 0x7F80) ? top : numbers[i] & 0x7F80;
  return static_cast<uint8_t>(top >> 7);
}

}  // namespace

constinit const Bf12Table kBf12Scalar{nullptr, 0, expand, pack, largest_exponent};

}  // namespace kani::cpu
