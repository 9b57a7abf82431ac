// cpu_features.h - which instruction sets this CPU and this operating system offer, as an ordered
// list of levels.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

namespace kani::cpu {

/// Levels of one family are ordered: each includes those before it.  Those of ARM stand alone.
enum class Isa { kScalar, kAvx2, kAvx512, kAvx512Vnni, kAvx512Bf16, kNeon, kNeonDot };

std::string_view isa_name(Isa isa) noexcept;  // "scalar", "avx2", …
std::optional<Isa> isa_from_name(std::string_view name) noexcept;

/// All levels that this CPU can run, scalar first, best last.  avx2 = AVX2 + FMA + F16C; avx512 =
/// F, BW, VL, DQ; avx512vnni adds dot products of whole numbers, avx512bf16 those of BF16; neondot
/// = NEON with dot products of whole numbers.  Saved register state is checked too (XGETBV).
const std::vector<Isa>& available_isas();
inline Isa best_isa() { return available_isas().back(); }

/// True if kernels of level `kernel` may run when the program is limited to `limit`.
bool isa_allows(Isa limit, Isa kernel) noexcept;

/// How many bytes ahead a kernel that reads weights in order should ask for them; 0 = not at all.
/// A property of the processor, measured on weights in memory, one thread: on AMD's family 1Ah
/// (Zen 5) asking 4096 ahead reads 8 bits at 33 GB/s instead of 23 and 12 bits at 38 instead of 32;
/// on family 19h (Zen 4) it reads them at 16 to 22 instead of 30.
size_t weights_ahead() noexcept;

}  // namespace kani::cpu
