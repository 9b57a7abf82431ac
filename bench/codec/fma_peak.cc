// fma_peak.cc - twelve independent chains of fused multiply-adds per thread: enough to hide four
// cycles of latency on two pipes.
#include "fma_peak.h"

#include <algorithm>
#include <chrono>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace kani {
namespace {

constexpr int kChains = 12;
constexpr int kTurns = 200'000;

// In assembly: the compiler would see twelve equal sums and keep one.
#if defined(__x86_64__)
__attribute__((target("avx512f"))) void chains_avx512() {
  __m512 x = _mm512_set1_ps(1e-9F), a0 = x, a1 = x, a2 = x, a3 = x, a4 = x, a5 = x, a6 = x, a7 = x,
         a8 = x, a9 = x, a10 = x, a11 = x;
  for (int turn = 0; turn < kTurns; ++turn) {
    asm volatile(
        "vfmadd231ps %12, %12, %0\n"
        "vfmadd231ps %12, %12, %1\n"
        "vfmadd231ps %12, %12, %2\n"
        "vfmadd231ps %12, %12, %3\n"
        "vfmadd231ps %12, %12, %4\n"
        "vfmadd231ps %12, %12, %5\n"
        "vfmadd231ps %12, %12, %6\n"
        "vfmadd231ps %12, %12, %7\n"
        "vfmadd231ps %12, %12, %8\n"
        "vfmadd231ps %12, %12, %9\n"
        "vfmadd231ps %12, %12, %10\n"
        "vfmadd231ps %12, %12, %11\n"
        : "+v"(a0), "+v"(a1), "+v"(a2), "+v"(a3), "+v"(a4), "+v"(a5), "+v"(a6), "+v"(a7), "+v"(a8),
          "+v"(a9), "+v"(a10), "+v"(a11)
        : "v"(x));
  }
}

__attribute__((target("avx2,fma"))) void chains_avx2() {
  __m256 x = _mm256_set1_ps(1e-9F), a0 = x, a1 = x, a2 = x, a3 = x, a4 = x, a5 = x, a6 = x, a7 = x,
         a8 = x, a9 = x, a10 = x, a11 = x;
  for (int turn = 0; turn < kTurns; ++turn) {
    asm volatile(
        "vfmadd231ps %12, %12, %0\n"
        "vfmadd231ps %12, %12, %1\n"
        "vfmadd231ps %12, %12, %2\n"
        "vfmadd231ps %12, %12, %3\n"
        "vfmadd231ps %12, %12, %4\n"
        "vfmadd231ps %12, %12, %5\n"
        "vfmadd231ps %12, %12, %6\n"
        "vfmadd231ps %12, %12, %7\n"
        "vfmadd231ps %12, %12, %8\n"
        "vfmadd231ps %12, %12, %9\n"
        "vfmadd231ps %12, %12, %10\n"
        "vfmadd231ps %12, %12, %11\n"
        : "+x"(a0), "+x"(a1), "+x"(a2), "+x"(a3), "+x"(a4), "+x"(a5), "+x"(a6), "+x"(a7), "+x"(a8),
          "+x"(a9), "+x"(a10), "+x"(a11)
        : "x"(x));
  }
}
#elif defined(__aarch64__)
void chains_neon() {
  float32x4_t x = vdupq_n_f32(1e-9F), a0 = x, a1 = x, a2 = x, a3 = x, a4 = x, a5 = x, a6 = x,
              a7 = x, a8 = x, a9 = x, a10 = x, a11 = x;
  for (int turn = 0; turn < kTurns; ++turn) {
    asm volatile(
        "fmla %0.4s, %12.4s, %12.4s\n"
        "fmla %1.4s, %12.4s, %12.4s\n"
        "fmla %2.4s, %12.4s, %12.4s\n"
        "fmla %3.4s, %12.4s, %12.4s\n"
        "fmla %4.4s, %12.4s, %12.4s\n"
        "fmla %5.4s, %12.4s, %12.4s\n"
        "fmla %6.4s, %12.4s, %12.4s\n"
        "fmla %7.4s, %12.4s, %12.4s\n"
        "fmla %8.4s, %12.4s, %12.4s\n"
        "fmla %9.4s, %12.4s, %12.4s\n"
        "fmla %10.4s, %12.4s, %12.4s\n"
        "fmla %11.4s, %12.4s, %12.4s\n"
        : "+w"(a0), "+w"(a1), "+w"(a2), "+w"(a3), "+w"(a4), "+w"(a5), "+w"(a6), "+w"(a7), "+w"(a8),
          "+w"(a9), "+w"(a10), "+w"(a11)
        : "w"(x));
  }
}
#endif

struct Chains {
  void (*run)();
  double flops;  // of one run
};

Chains chains_for(cpu::Isa isa) {
  const double flops = 2.0 * kTurns;
#if defined(__x86_64__)
  if (isa == cpu::Isa::kAvx512 || isa == cpu::Isa::kAvx512Vnni || isa == cpu::Isa::kAvx512Bf16) {
    return {chains_avx512, flops * kChains * 16};
  }
  if (isa == cpu::Isa::kAvx2) return {chains_avx2, flops * kChains * 8};
#elif defined(__aarch64__)
  if (isa >= cpu::Isa::kNeon) return {chains_neon, flops * kChains * 4};
#endif
  return {nullptr, 0};
}

}  // namespace

double fma_peak_gflops(cpu::Isa isa, ThreadPool& pool) {
  const Chains chains = chains_for(isa);
  if (chains.run == nullptr) return 0;
  double best = 0;
  for (int attempt = 0; attempt < 8; ++attempt) {
    const auto start = std::chrono::steady_clock::now();
    pool.run([&](int) { chains.run(); });
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    best = std::max(best, chains.flops * pool.size() / taken.count() * 1e-9);
  }
  return best;
}

}  // namespace kani
