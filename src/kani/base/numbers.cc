// numbers.cc - conversions between number types.  Plain loops: the compiler vectorizes the ones
// that matter.
#include "kani/base/numbers.h"

#include <algorithm>
#include <cassert>
#include <cstdio>
#include <cstring>

namespace kani {
namespace {

struct TypeRow {
  DType type;
  size_t size;
  std::string_view name;
};

constexpr TypeRow kTypes[] = {
    {DType::kBool, 1, "BOOL"}, {DType::kU8, 1, "U8"},     {DType::kI8, 1, "I8"},
    {DType::kU16, 2, "U16"},   {DType::kI16, 2, "I16"},   {DType::kU32, 4, "U32"},
    {DType::kI32, 4, "I32"},   {DType::kU64, 8, "U64"},   {DType::kI64, 8, "I64"},
    {DType::kF16, 2, "F16"},   {DType::kBF16, 2, "BF16"}, {DType::kF32, 4, "F32"},
    {DType::kF64, 8, "F64"},
};

template <typename T, typename Convert>
void convert_each(const std::byte* bytes, std::span<float> out, Convert convert) {
  for (size_t i = 0; i < out.size(); ++i) {
    T value;
    std::memcpy(&value, bytes + i * sizeof(T), sizeof(T));
    out[i] = convert(value);
  }
}

template <typename T>
void convert_plain(const std::byte* bytes, std::span<float> out) {
  convert_each<T>(bytes, out, [](T value) { return static_cast<float>(value); });
}

}  // namespace

size_t dtype_size(DType type) noexcept { return kTypes[static_cast<size_t>(type)].size; }

std::string_view dtype_name(DType type) noexcept { return kTypes[static_cast<size_t>(type)].name; }

std::optional<DType> dtype_from_name(std::string_view name) noexcept {
  for (const TypeRow& row : kTypes) {
    if (row.name == name) return row.type;
  }
  return std::nullopt;
}

float f16_to_f32(uint16_t bits) noexcept {
  const uint32_t sign = static_cast<uint32_t>(bits & 0x8000u) << 16;
  const uint32_t exponent = (bits >> 10) & 0x1Fu;
  uint32_t mantissa = bits & 0x3FFu;
  if (exponent == 0x1F) return std::bit_cast<float>(sign | 0x7F800000u | (mantissa << 13));
  if (exponent != 0)
    return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (mantissa << 13));
  if (mantissa == 0) return std::bit_cast<float>(sign);
  uint32_t shift = 0;
  while ((mantissa & 0x400u) == 0) {
    mantissa <<= 1;
    ++shift;
  }
  return std::bit_cast<float>(sign | ((113 - shift) << 23) | ((mantissa & 0x3FFu) << 13));
}

uint16_t f32_to_f16(float value) noexcept {
  const auto bits = std::bit_cast<uint32_t>(value);
  const auto sign = static_cast<uint16_t>((bits >> 16) & 0x8000u);
  const uint32_t magnitude = bits & 0x7FFFFFFFu;
  if (magnitude > 0x7F800000u) return static_cast<uint16_t>(sign | 0x7E00u);
  if (magnitude >= 0x477FF000u) return static_cast<uint16_t>(sign | 0x7C00u);
  if (magnitude < 0x33000001u) return sign;  // below half of the smallest subnormal
  if (magnitude >= 0x38800000u) {            // normal
    const uint32_t rounded = magnitude + 0xFFFu + ((magnitude >> 13) & 1u);
    return static_cast<uint16_t>(sign | ((rounded - 0x38000000u) >> 13));
  }
  const uint32_t shift = 126 - (magnitude >> 23);  // 14 … 24
  const uint32_t mantissa = (magnitude & 0x7FFFFFu) | 0x800000u;
  const uint32_t half = 1u << (shift - 1);
  const uint32_t kept = mantissa >> shift;
  const uint32_t rest = mantissa & ((1u << shift) - 1);
  const bool up = rest > half || (rest == half && (kept & 1u));
  return static_cast<uint16_t>(sign | (kept + (up ? 1u : 0u)));
}

void to_f32(DType type, std::span<const std::byte> bytes, std::span<float> out) noexcept {
  assert(bytes.size() == out.size() * dtype_size(type));
  if (out.empty()) return;
  const std::byte* from = bytes.data();
  switch (type) {
    case DType::kF32:
      std::memcpy(out.data(), from, out.size() * sizeof(float));
      return;
    case DType::kBF16:
      return convert_each<uint16_t>(from, out, bf16_to_f32);
    case DType::kF16:
      return convert_each<uint16_t>(from, out, f16_to_f32);
    case DType::kF64:
      return convert_plain<double>(from, out);
    case DType::kBool:
    case DType::kU8:
      return convert_plain<uint8_t>(from, out);
    case DType::kI8:
      return convert_plain<int8_t>(from, out);
    case DType::kU16:
      return convert_plain<uint16_t>(from, out);
    case DType::kI16:
      return convert_plain<int16_t>(from, out);
    case DType::kU32:
      return convert_plain<uint32_t>(from, out);
    case DType::kI32:
      return convert_plain<int32_t>(from, out);
    case DType::kU64:
      return convert_plain<uint64_t>(from, out);
    case DType::kI64:
      return convert_plain<int64_t>(from, out);
  }
}

std::string fixed(double value, int digits) {
  char text[400];  // the largest double has 309 digits before the point
  const int length = std::snprintf(text, sizeof text, "%.*f", digits, value);
  return {text, std::min(static_cast<size_t>(std::max(length, 0)), sizeof text - 1)};
}

}  // namespace kani
