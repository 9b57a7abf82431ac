// layout.cc - see layout.h.
#include "kani/quant/layout.h"

#include <cstring>

namespace kani {

void put_quant_row(float scale, QuantRow row, size_t r, bool q4, uint8_t* row_block) noexcept {
  std::memcpy(row_block + r * sizeof scale, &scale, sizeof scale);
  uint8_t* block = row_block + kRowScaleBytes;
  for (size_t b = 0; b < row.groups.size() / 2; ++b, block += q4 ? kQ4Bytes : kQ8Bytes) {
    const int8_t* from = row.q.data() + b * kQuantBlock;
    block[r] = static_cast<uint8_t>(row.groups[2 * b]);
    block[kQuantRows + r] = static_cast<uint8_t>(row.groups[2 * b + 1]);
    uint8_t* data = block + kGroupScaleBytes + r * 4;
    if (q4) {
      uint8_t both[kQuantGroup];
      for (size_t k = 0; k < kQuantGroup; ++k)
        both[k] = static_cast<uint8_t>(from[k] | from[k + kQuantGroup] << 4);
      for (size_t g = 0; g < 4; ++g) std::memcpy(data + g * kQuantRows * 4, both + g * 4, 4);
    } else {
      for (size_t g = 0; g < 8; ++g) std::memcpy(data + g * kQuantRows * 4, from + g * 4, 4);
    }
  }
}

}  // namespace kani
