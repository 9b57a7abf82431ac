// layout.h - how a matrix of 8 or 4 bits lies in memory and in files: the same for every processor.
// 64 rows lie together, those beyond the matrix' end are zeros; a row is filled up with zeros to
// whole blocks of 32.  Not here: what the numbers mean (blocks.h), names in files
// (formats/stored_matrix.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "kani/base/numbers.h"
#include "kani/quant/blocks.h"

namespace kani {

inline constexpr size_t kQuantRows = 64;
/// 64 rows: the rows' scales (float32, little endian), then their blocks.
inline constexpr size_t kRowScaleBytes = kQuantRows * sizeof(float);
/// A block: the scales of the groups [2][64], then the numbers,
///   8 bits: [8][64][4]: byte [g, r, i] is q of row r at 4g + i
///   4 bits: [4][64][4]: byte [g, r, i] has the code at 4g + i in its low half, at 16 + 4g + i in
///           its high half
inline constexpr size_t kGroupScaleBytes = kQuantRows * 2;
inline constexpr size_t kQ8Bytes = kGroupScaleBytes + 32 * kQuantRows;
inline constexpr size_t kQ4Bytes = kGroupScaleBytes + 16 * kQuantRows;

inline constexpr uint64_t quant_row_blocks(uint64_t rows) {
  return rows / kQuantRows + (rows % kQuantRows != 0 ? 1 : 0);
}
inline constexpr uint64_t quant_blocks(uint64_t cols) {
  return cols / kQuantBlock + (cols % kQuantBlock != 0 ? 1 : 0);
}

/// Bytes of a matrix of this shape; nothing if they do not fit in 64 bits.
inline std::optional<uint64_t> quant_bytes(uint64_t rows, uint64_t cols, bool q4) {
  const auto numbers = checked_mul(quant_blocks(cols), q4 ? kQ4Bytes : kQ8Bytes);
  const auto one = numbers ? checked_add(*numbers, kRowScaleBytes) : std::nullopt;
  return one ? checked_mul(*one, quant_row_blocks(rows)) : std::nullopt;
}

}  // namespace kani
