// cpu_features.cc - CPUID through the compiler's builtins, which check the operating system's state
// saving as well; on ARM what the system says of the processor.
#include "kani/backend/cpu/cpu_features.h"

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

namespace kani::cpu {

std::string_view isa_name(Isa isa) noexcept {
  switch (isa) {
    case Isa::kScalar:
      return "scalar";
    case Isa::kAvx2:
      return "avx2";
    case Isa::kAvx512:
      return "avx512";
    case Isa::kAvx512Vnni:
      return "avx512vnni";
    case Isa::kAvx512Bf16:
      return "avx512bf16";
    case Isa::kNeon:
      return "neon";
    case Isa::kNeonDot:
      return "neondot";
  }
  return "scalar";
}

std::optional<Isa> isa_from_name(std::string_view name) noexcept {
  for (const Isa isa : {Isa::kScalar, Isa::kAvx2, Isa::kAvx512, Isa::kAvx512Vnni, Isa::kAvx512Bf16,
                        Isa::kNeon, Isa::kNeonDot}) {
    if (isa_name(isa) == name) return isa;
  }
  return std::nullopt;
}

const std::vector<Isa>& available_isas() {
  static const std::vector<Isa> levels = [] {
    std::vector<Isa> found{Isa::kScalar};
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
      found.push_back(Isa::kAvx2);
      if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
          __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq")) {
        found.push_back(Isa::kAvx512);
        if (__builtin_cpu_supports("avx512vnni")) {
          found.push_back(Isa::kAvx512Vnni);
          if (__builtin_cpu_supports("avx512bf16")) found.push_back(Isa::kAvx512Bf16);
        }
      }
    }
#elif defined(__aarch64__)
    found.push_back(Isa::kNeon);
    if ((getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0) found.push_back(Isa::kNeonDot);
#endif
    return found;
  }();
  return levels;
}

bool isa_allows(Isa limit, Isa kernel) noexcept {
  if (kernel == Isa::kScalar) return true;
  if ((limit >= Isa::kNeon) != (kernel >= Isa::kNeon)) return false;
  return static_cast<int>(kernel) <= static_cast<int>(limit);
}

size_t weights_ahead() noexcept {
  static const size_t ahead = [] {
#if defined(__x86_64__)
    __builtin_cpu_init();
    unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
    if (__builtin_cpu_is("amd") != 0 && __get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0) {
      const unsigned base = eax >> 8 & 15, family = base == 15 ? base + (eax >> 20 & 255) : base;
      if (family == 0x1A) return size_t{4096};
    }
#endif
    return size_t{0};
  }();
  return ahead;
}

}  // namespace kani::cpu
