// number.cuh - the types that tensors have on the device, float32 and bf16, read and written as
// float32, one by one or in packs that are one access to memory.
#pragma once

#include <string.h>

#include "kani/train/cuda/block.cuh"

namespace kani::train::cuda {

/// bf16: the upper half of a float32.
struct Bf16 {
  uint16_t bits;
};

KANI_KERNEL float to_float(float x) { return x; }
KANI_KERNEL float to_float(Bf16 x) {
  const uint32_t wide = static_cast<uint32_t>(x.bits) << 16;
  float out;
  memcpy(&out, &wide, sizeof out);
  return out;
}

template <typename T>
KANI_KERNEL T from_float(float x);
template <>
KANI_KERNEL float from_float<float>(float x) {
  return x;
}
/// Rounds to the nearest, halves to even; NaN stays NaN.
template <>
KANI_KERNEL Bf16 from_float<Bf16>(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  const bool is_nan = (bits & 0x7fffffffU) > 0x7f800000U;
  bits = is_nan ? bits | 0x400000U : bits + 0x7fffU + ((bits >> 16) & 1U);
  return {static_cast<uint16_t>(bits >> 16)};
}

/// kPack numbers side by side; aligned as a whole.
template <typename T, int kPack>
struct alignas(sizeof(T) * kPack) Packed {
  T at[kPack];
};

template <int kPack, typename T>
KANI_KERNEL Several<float, kPack> load(const T* from) {
  const Packed<T, kPack> packed = *reinterpret_cast<const Packed<T, kPack>*>(from);
  Several<float, kPack> out;
  KANI_UNROLL
  for (int i = 0; i < kPack; ++i) out[i] = to_float(packed.at[i]);
  return out;
}

template <int kPack, typename T>
KANI_KERNEL void store(T* to, const Several<float, kPack>& values) {
  Packed<T, kPack> packed;
  KANI_UNROLL
  for (int i = 0; i < kPack; ++i) packed.at[i] = from_float<T>(values[i]);
  *reinterpret_cast<Packed<T, kPack>*>(to) = packed;
}

}  // namespace kani::train::cuda
