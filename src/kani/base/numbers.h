// numbers.h - number types as they occur in files, conversions between them, checked arithmetic on
// sizes, numbers for people.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace kani {

enum class DType { kBool, kU8, kI8, kU16, kI16, kU32, kI32, kU64, kI64, kF16, kBF16, kF32, kF64 };

size_t dtype_size(DType type) noexcept;
/// Name as safetensors writes it: "F32", "BF16", "I64", …
std::string_view dtype_name(DType type) noexcept;
std::optional<DType> dtype_from_name(std::string_view name) noexcept;

inline float bf16_to_f32(uint16_t bits) noexcept {
  return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
}
/// Round to nearest, ties to even; NaN stays NaN.
inline uint16_t f32_to_bf16(float value) noexcept {
  const auto bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7FFFFFFFu) > 0x7F800000u) return static_cast<uint16_t>((bits >> 16) | 0x40u);
  return static_cast<uint16_t>((bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16);
}
float f16_to_f32(uint16_t bits) noexcept;
/// Round to nearest, ties to even; overflow gives infinity.
uint16_t f32_to_f16(float value) noexcept;

/// Reads `out.size()` numbers of type `type` from `bytes` (any alignment, little endian) as
/// float32. `bytes` must hold exactly that many.  Integers are converted by value.
void to_f32(DType type, std::span<const std::byte> bytes, std::span<float> out) noexcept;

/// a * b, a + b; nothing on overflow.
inline std::optional<uint64_t> checked_mul(uint64_t a, uint64_t b) noexcept {
  uint64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product)) return std::nullopt;
  return product;
}
inline std::optional<uint64_t> checked_add(uint64_t a, uint64_t b) noexcept {
  uint64_t sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) return std::nullopt;
  return sum;
}

/// With so many digits behind the point: fixed(2.5, 2) is "2.50".
std::string fixed(double value, int digits);

}  // namespace kani
