// narrow_loops.cc - see narrow_loops.h.  Written in the compiler's vectors, once for each
// generation of processors; how large a block of sums is follows from the number of its registers
// (16 up to AVX2, 32 with AVX-512): one that does not fit is slower by ten.
#include "kani/train/codec/narrow_loops.h"

#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__)
#define KANI_EVERY_PROCESSOR \
  __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define KANI_EVERY_PROCESSOR
#endif
#if defined(__GNUC__) && defined(__x86_64__)
#define KANI_X86 1
#define KANI_AVX2 __attribute__((target("arch=x86-64-v3")))
#define KANI_AVX512 __attribute__((target("arch=x86-64-v4")))
#else
#define KANI_X86 0
#endif
#define KANI_INLINE [[gnu::always_inline]] static inline

namespace kani::train::loops {
namespace {

typedef float Vector16 __attribute__((vector_size(64), aligned(4), may_alias));
typedef float Vector8 __attribute__((vector_size(32), aligned(4), may_alias));
typedef float Vector4 __attribute__((vector_size(16), aligned(4), may_alias));

constexpr float kSlope = 0.01F, kTiny = 1e-9F;
constexpr float kInversePi = 0.318309886F;
constexpr float kPiHigh = 3.140625F, kPiLow = 9.67653590e-4F;  // pi in two parts

// sin of what is left of z after whole turns of pi: right up to its sign, which squares and
// products with the cosine of the same forget.
KANI_INLINE float folded(float z) {
  const float turns = __builtin_rintf(z * kInversePi);
  return (z - turns * kPiHigh) - turns * kPiLow;
}
KANI_INLINE float sine(float r) {
  const float s = r * r;
  return r * (1.0F + s * (-1.6666667e-1F +
                          s * (8.3333333e-3F + s * (-1.9841270e-4F + s * 2.7557319e-6F))));
}
KANI_INLINE float cosine(float r) {
  const float s = r * r;
  return 1.0F + s * (-0.5F + s * (4.1666668e-2F +
                                  s * (-1.3888889e-3F + s * (2.4801587e-5F - s * 2.7557319e-7F))));
}

// From and to any address; an attribute of alignment does not outlive a template's argument.
template <typename V>
KANI_INLINE void load(const float* from, V& to) {
  __builtin_memcpy(&to, from, sizeof to);
}
template <typename V>
KANI_INLINE void store(const V& from, float* to) {
  __builtin_memcpy(to, &from, sizeof from);
}

// y[first … first + Steps)[out … out + Vectors * lanes) += …
template <typename V, int Vectors, int Steps>
KANI_INLINE void block(const float* a, const float* w, int64_t inputs, int64_t outputs,
                       int64_t taps, int64_t dilation, float* y) {
  constexpr int kLanes = static_cast<int>(sizeof(V) / sizeof(float));
  V sum[Steps][Vectors];
  for (int t = 0; t < Steps; ++t)
    for (int v = 0; v < Vectors; ++v) load(y + t * outputs + v * kLanes, sum[t][v]);
  for (int64_t k = 0; k < taps; ++k) {
    const float* row = a + k * dilation * inputs;
    const float* weight = w + k * inputs * outputs;
    for (int64_t i = 0; i < inputs; ++i, weight += outputs) {
      V part[Vectors];
      for (int v = 0; v < Vectors; ++v) load(weight + v * kLanes, part[v]);
      for (int t = 0; t < Steps; ++t)
        for (int v = 0; v < Vectors; ++v) sum[t][v] += row[t * inputs + i] * part[v];
    }
  }
  for (int t = 0; t < Steps; ++t)
    for (int v = 0; v < Vectors; ++v) store(sum[t][v], y + t * outputs + v * kLanes);
}

template <typename V, int Vectors, int Steps>
KANI_INLINE void convolve_columns(const float* a, const float* w, int64_t steps, int64_t inputs,
                                  int64_t outputs, int64_t taps, int64_t dilation, float* y,
                                  int64_t from) {
  int64_t t = 0;
  for (; t + Steps <= steps; t += Steps)
    block<V, Vectors, Steps>(a + t * inputs, w + from, inputs, outputs, taps, dilation,
                             y + t * outputs + from);
  for (; t < steps; ++t)
    block<V, Vectors, 1>(a + t * inputs, w + from, inputs, outputs, taps, dilation,
                         y + t * outputs + from);
}

// dw[k][i … i + Rows)[o … o + Vectors * lanes) += over a piece of time.
template <typename V, int Vectors, int Rows>
KANI_INLINE void weight_block(const float* a, const float* dy, int64_t steps, int64_t inputs,
                              int64_t outputs, float* dw) {
  constexpr int kLanes = static_cast<int>(sizeof(V) / sizeof(float));
  V sum[Rows][Vectors];
  for (int i = 0; i < Rows; ++i)
    for (int v = 0; v < Vectors; ++v) load(dw + i * outputs + v * kLanes, sum[i][v]);
  for (int64_t t = 0; t < steps; ++t) {
    V part[Vectors];
    for (int v = 0; v < Vectors; ++v) load(dy + t * outputs + v * kLanes, part[v]);
    for (int i = 0; i < Rows; ++i)
      for (int v = 0; v < Vectors; ++v) sum[i][v] += a[t * inputs + i] * part[v];
  }
  for (int i = 0; i < Rows; ++i)
    for (int v = 0; v < Vectors; ++v) store(sum[i][v], dw + i * outputs + v * kLanes);
}

template <typename V, int Vectors, int Rows>
KANI_INLINE void weight_columns(const float* a, const float* dy, int64_t steps, int64_t inputs,
                                int64_t outputs, int64_t taps, int64_t dilation, float* dw,
                                int64_t from) {
  constexpr int64_t kPiece = 256;  // steps whose inputs and gradients stay in the caches
  for (int64_t begin = 0; begin < steps; begin += kPiece) {
    const int64_t length = steps - begin < kPiece ? steps - begin : kPiece;
    for (int64_t k = 0; k < taps; ++k) {
      const float* rows = a + (begin + k * dilation) * inputs;
      const float* out = dy + begin * outputs + from;
      float* target = dw + k * inputs * outputs + from;
      int64_t i = 0;
      for (; i + Rows <= inputs; i += Rows)
        weight_block<V, Vectors, Rows>(rows + i, out, length, inputs, outputs,
                                       target + i * outputs);
      for (; i < inputs; ++i)
        weight_block<V, Vectors, 1>(rows + i, out, length, inputs, outputs, target + i * outputs);
    }
  }
}

}  // namespace

KANI_EVERY_PROCESSOR
void half_snake(const float* x, const float* alpha, int64_t steps, int64_t channels, int64_t snakes,
                float* a) noexcept {
  for (int64_t t = 0; t < steps; ++t, x += channels, a += channels) {
#pragma omp simd
    for (int64_t c = 0; c < snakes; ++c) {
      const float s = sine(folded(alpha[c] * x[c]));
      a[c] = x[c] + s * s / (alpha[c] + kTiny);
    }
#pragma omp simd
    for (int64_t c = snakes; c < channels; ++c) a[c] = x[c] > 0 ? x[c] : kSlope * x[c];
  }
}

KANI_EVERY_PROCESSOR
void half_snake_backward(const float* x, const float* alpha, const float* da, int64_t steps,
                         int64_t channels, int64_t snakes, float* __restrict dx,
                         float* __restrict dalpha) noexcept {
  for (int64_t t = 0; t < steps; ++t, x += channels, da += channels, dx += channels) {
#pragma omp simd
    for (int64_t c = 0; c < snakes; ++c) {
      const float inverse = 1.0F / (alpha[c] + kTiny);
      const float r = folded(alpha[c] * x[c]), s = sine(r), twice = 2.0F * s * cosine(r);
      dx[c] = da[c] * (1.0F + twice * alpha[c] * inverse);
      dalpha[c] += da[c] * inverse * (x[c] * twice - s * s * inverse);
    }
#pragma omp simd
    for (int64_t c = snakes; c < channels; ++c) dx[c] = da[c] * (x[c] > 0 ? 1.0F : kSlope);
  }
}

namespace {

struct Sizes {
  int64_t steps, inputs, outputs, taps, dilation;
};

template <typename V, int Vectors, int Steps>
KANI_INLINE int64_t all_columns(const float* a, const float* w, const Sizes& s, float* y,
                                int64_t from) {
  constexpr int64_t kWidth = Vectors * static_cast<int64_t>(sizeof(V) / sizeof(float));
  for (; from + kWidth <= s.outputs; from += kWidth)
    convolve_columns<V, Vectors, Steps>(a, w, s.steps, s.inputs, s.outputs, s.taps, s.dilation, y,
                                        from);
  return from;
}

template <typename V, int Vectors, int Rows>
KANI_INLINE int64_t all_weights(const float* a, const float* dy, const Sizes& s, float* dw,
                                int64_t from) {
  constexpr int64_t kWidth = Vectors * static_cast<int64_t>(sizeof(V) / sizeof(float));
  for (; from + kWidth <= s.outputs; from += kWidth)
    weight_columns<V, Vectors, Rows>(a, dy, s.steps, s.inputs, s.outputs, s.taps, s.dilation, dw,
                                     from);
  return from;
}

void convolve_any(const float* a, const float* w, const Sizes& s, float* y) noexcept {
  all_columns<Vector4, 2, 6>(a, w, s, y, 0);
}
void weights_any(const float* a, const float* dy, const Sizes& s, float* dw) noexcept {
  all_weights<Vector4, 2, 4>(a, dy, s, dw, 0);
}

#if KANI_X86
KANI_AVX2 void convolve_avx2(const float* a, const float* w, const Sizes& s, float* y) noexcept {
  const int64_t from = all_columns<Vector8, 2, 6>(a, w, s, y, 0);
  all_columns<Vector8, 1, 12>(a, w, s, y, from);
}
KANI_AVX2 void weights_avx2(const float* a, const float* dy, const Sizes& s, float* dw) noexcept {
  const int64_t from = all_weights<Vector8, 2, 4>(a, dy, s, dw, 0);
  all_weights<Vector8, 1, 8>(a, dy, s, dw, from);
}
KANI_AVX512 void convolve_avx512(const float* a, const float* w, const Sizes& s,
                                 float* y) noexcept {
  int64_t from = all_columns<Vector16, 4, 6>(a, w, s, y, 0);
  from = all_columns<Vector16, 2, 10>(a, w, s, y, from);
  from = all_columns<Vector16, 1, 14>(a, w, s, y, from);
  all_columns<Vector8, 1, 14>(a, w, s, y, from);
}
KANI_AVX512 void weights_avx512(const float* a, const float* dy, const Sizes& s,
                                float* dw) noexcept {
  int64_t from = all_weights<Vector16, 2, 8>(a, dy, s, dw, 0);
  from = all_weights<Vector16, 1, 8>(a, dy, s, dw, from);
  all_weights<Vector8, 1, 8>(a, dy, s, dw, from);
}
#endif

}  // namespace

void convolve(const float* a, const float* w, int64_t steps, int64_t inputs, int64_t outputs,
              int64_t taps, int64_t dilation, float* y) noexcept {
  const Sizes sizes{steps, inputs, outputs, taps, dilation};
#if KANI_X86
  if (__builtin_cpu_supports("x86-64-v4")) return convolve_avx512(a, w, sizes, y);
  if (__builtin_cpu_supports("x86-64-v3")) return convolve_avx2(a, w, sizes, y);
#endif
  convolve_any(a, w, sizes, y);
}

void convolve_weights(const float* a, const float* dy, int64_t steps, int64_t inputs,
                      int64_t outputs, int64_t taps, int64_t dilation, float* dw) noexcept {
  const Sizes sizes{steps, inputs, outputs, taps, dilation};
#if KANI_X86
  if (__builtin_cpu_supports("x86-64-v4")) return weights_avx512(a, dy, sizes, dw);
  if (__builtin_cpu_supports("x86-64-v3")) return weights_avx2(a, dy, sizes, dw);
#endif
  weights_any(a, dy, sizes, dw);
}

KANI_EVERY_PROCESSOR
void split_pairs(const float* a, int64_t steps, int64_t outputs, float* pairs) noexcept {
  for (int64_t o = 0; o < 2 * outputs; ++o) pairs[o] = 0;
  for (int64_t t = 0; t < steps; ++t) {
    const float* row = a + t * 2 * outputs;
    float *even = pairs + (t + 1) * 2 * outputs, *odd = even + outputs;
    for (int64_t o = 0; o < outputs; ++o) {
      even[o] = row[2 * o];
      odd[o] = row[2 * o + 1];
    }
  }
}

KANI_EVERY_PROCESSOR
void join_pairs(const float* dpairs, int64_t steps, int64_t outputs, float* da) noexcept {
  for (int64_t t = 0; t < steps; ++t) {
    const float *even = dpairs + (t + 1) * 2 * outputs, *odd = even + outputs;
    float* row = da + t * 2 * outputs;
    for (int64_t o = 0; o < outputs; ++o) {
      row[2 * o] = even[o];
      row[2 * o + 1] = odd[o];
    }
  }
}

KANI_EVERY_PROCESSOR
void upsample(const float* pairs, const float* wide, const float* bias, int64_t steps,
              int64_t outputs, int64_t rate, float* y) noexcept {
  for (int64_t t = 0; t < steps; ++t) {
    const float *before = pairs + t * 2 * outputs, *now = before + 2 * outputs;
    for (int64_t p = 0; p < rate; ++p, y += outputs) {
      const float *w = wide + p * 2 * outputs, *old = w + rate * 2 * outputs;
#pragma omp simd
      for (int64_t o = 0; o < outputs; ++o)
        y[o] = bias[o] + now[o] * w[o] + now[outputs + o] * w[outputs + o] + before[o] * old[o] +
               before[outputs + o] * old[outputs + o];
    }
  }
}

KANI_EVERY_PROCESSOR
void upsample_backward(const float* pairs, const float* wide, const float* dy, int64_t steps,
                       int64_t outputs, int64_t rate, float* dpairs, float* dwide,
                       float* dbias) noexcept {
  const int64_t row = 2 * outputs;
  for (int64_t t = 0; t < steps; ++t) {
    const float *before = pairs + t * row, *now = before + row;
    float *dbefore = dpairs + t * row, *dnow = dbefore + row;
    for (int64_t p = 0; p < rate; ++p, dy += outputs) {
      const float *w = wide + p * row, *old = w + rate * row;
      float *dw = dwide + p * row, *dold = dw + rate * row;
      for (int64_t o = 0; o < outputs; ++o) dbias[o] += dy[o];
      for (int64_t half = 0; half < row; half += outputs) {
#pragma omp simd
        for (int64_t o = 0; o < outputs; ++o) {
          dnow[half + o] += dy[o] * w[half + o];
          dbefore[half + o] += dy[o] * old[half + o];
          dw[half + o] += dy[o] * now[half + o];
          dold[half + o] += dy[o] * before[half + o];
        }
      }
    }
  }
}

}  // namespace kani::train::loops
