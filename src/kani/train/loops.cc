// loops.cc - see loops.h.  Written so that the compiler turns them into vectors; it does so once
// for each generation of processors and picks at start.
#include "kani/train/loops.h"

#include <bit>
#include <cmath>

#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__)
#define KANI_EVERY_PROCESSOR \
  __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define KANI_EVERY_PROCESSOR
#endif
#define KANI_LANES _Pragma("omp simd")
#define KANI_SUM(name) _Pragma(KANI_TEXT(omp simd reduction(+ : name)))
#define KANI_TEXT(x) #x

namespace kani::train::loops {
namespace {

constexpr int64_t kMostHalf = 512;  // spec/lfm2.h: heads of at most 1,024

// e^x to 1e-7 relative for |x| < 87, clamped there: 2^n times a polynomial on half an octave.
[[gnu::always_inline]] inline float exp_of(float x) noexcept {
  x = x < -87.0F ? -87.0F : x > 87.0F ? 87.0F : x;
  const float n = __builtin_floorf(x * 1.44269504F + 0.5F);
  const float r = (x - n * 0.693359375F) + n * 2.12194440e-4F;
  float p = 1.9875691500e-4F;
  p = p * r + 1.3981999507e-3F;
  p = p * r + 8.3334519073e-3F;
  p = p * r + 4.1665795894e-2F;
  p = p * r + 1.6666665459e-1F;
  p = p * r + 5.0000001201e-1F;
  p = p * r * r + r + 1.0F;
  return p * std::bit_cast<float>((static_cast<int32_t>(n) + 127) << 23);
}

}  // namespace

KANI_EVERY_PROCESSOR
void norm_forward(const float* x, const float* w, float eps, int64_t begin, int64_t end,
                  int64_t width, float* y, float* inv) noexcept {
  for (int64_t n = begin; n < end; ++n) {
    const float* row = x + n * width;
    float* out = y + n * width;
    double sum = 0;
    KANI_SUM(sum)
    for (int64_t i = 0; i < width; ++i)
      sum += static_cast<double>(row[i]) * static_cast<double>(row[i]);
    const float scale = static_cast<float>(
        1.0 / std::sqrt(sum / static_cast<double>(width) + static_cast<double>(eps)));
    inv[n] = scale;
    KANI_LANES
    for (int64_t i = 0; i < width; ++i) out[i] = row[i] * scale * w[i];
  }
}

KANI_EVERY_PROCESSOR
void norm_backward_x(const float* dy, const float* x, const float* w, const float* inv,
                     int64_t begin, int64_t end, int64_t width, float* dx) noexcept {
  for (int64_t n = begin; n < end; ++n) {
    const float *row = x + n * width, *d = dy + n * width;
    float* out = dx + n * width;
    float dot = 0;
    KANI_SUM(dot)
    for (int64_t i = 0; i < width; ++i) dot += d[i] * w[i] * row[i];
    const float scale = inv[n], back = dot * scale * scale * scale / static_cast<float>(width);
    KANI_LANES
    for (int64_t i = 0; i < width; ++i) out[i] = d[i] * w[i] * scale - row[i] * back;
  }
}

KANI_EVERY_PROCESSOR
void norm_backward_w(const float* dy, const float* x, const float* inv, int64_t rows, int64_t width,
                     int64_t begin, int64_t end, float* dw) noexcept {
  for (int64_t n = 0; n < rows; ++n) {
    const float *row = x + n * width, *d = dy + n * width;
    const float scale = inv[n];
    KANI_LANES
    for (int64_t i = begin; i < end; ++i) dw[i] += d[i] * row[i] * scale;
  }
}

KANI_EVERY_PROCESSOR
void rope_forward(const float* normed, const float* cos, const float* sin, RopeShape shape,
                  int64_t begin, int64_t end, float* y) noexcept {
  const int64_t half = shape.half, width = 2 * half;
  for (int64_t n = begin; n < end; ++n) {
    const float *c = cos + n * half, *s = sin + n * half;
    for (int64_t h = 0; h < shape.heads; ++h) {
      const float* in = normed + (n * shape.heads + h) * width;
      float* out = y + (n * shape.heads + h) * width;
      KANI_LANES
      for (int64_t k = 0; k < half; ++k) {
        const float a = in[k], b = in[half + k];
        out[k] = a * c[k] - b * s[k];
        out[half + k] = b * c[k] + a * s[k];
      }
    }
  }
}

KANI_EVERY_PROCESSOR
void rope_backward(const float* dy, const float* y, const float* cos, const float* sin,
                   RopeShape shape, int64_t begin, int64_t end, float* dn, float* dangle) noexcept {
  const int64_t half = shape.half, width = 2 * half;
  for (int64_t n = begin; n < end; ++n) {
    const float *c = cos + n * half, *s = sin + n * half;
    float* angle = dangle + n * half;
    // The factor of learnable RoPE hangs on small differences of these: summed in double.
    double sums[kMostHalf];
    for (int64_t k = 0; k < half; ++k) sums[k] = 0;
    for (int64_t h = 0; h < shape.heads; ++h) {
      const float* d = dy + (n * shape.heads + h) * width;
      const float* out = y + (n * shape.heads + h) * width;
      float* back = dn + (n * shape.heads + h) * width;
      KANI_LANES
      for (int64_t k = 0; k < half; ++k) {
        const float a = d[k], b = d[half + k];
        back[k] = a * c[k] + b * s[k];
        back[half + k] = b * c[k] - a * s[k];
        sums[k] += static_cast<double>(b) * static_cast<double>(out[k]) -
                   static_cast<double>(a) * static_cast<double>(out[half + k]);
      }
    }
    for (int64_t k = 0; k < half; ++k) angle[k] = static_cast<float>(sums[k]);
  }
}

KANI_EVERY_PROCESSOR
void swiglu_forward(const float* g, const float* u, int64_t begin, int64_t end, float* y) noexcept {
  KANI_LANES
  for (int64_t i = begin; i < end; ++i) y[i] = g[i] / (1.0F + exp_of(-g[i])) * u[i];
}

KANI_EVERY_PROCESSOR
void swiglu_backward(const float* dy, const float* g, const float* u, int64_t begin, int64_t end,
                     float* dg, float* du) noexcept {
  KANI_LANES
  for (int64_t i = begin; i < end; ++i) {
    const float s = 1.0F / (1.0F + exp_of(-g[i]));
    dg[i] = dy[i] * u[i] * s * (1.0F + g[i] * (1.0F - s));
    du[i] = dy[i] * g[i] * s;
  }
}

KANI_EVERY_PROCESSOR
void conv_forward(const float* bcx, const float* taps, const float* bias, ConvShape shape,
                  int64_t start, int64_t begin, int64_t end, float* m, float* y) noexcept {
  const int64_t width = shape.width;
  for (int64_t n = begin; n < end; ++n) {
    float *sum = m + n * width, *out = y + n * width;
    if (bias != nullptr) {
      for (int64_t i = 0; i < width; ++i) sum[i] = bias[i];
    } else {
      for (int64_t i = 0; i < width; ++i) sum[i] = 0;
    }
    for (int64_t l = 0; l < shape.taps; ++l) {
      const int64_t from = n - (shape.taps - 1) + l;
      if (from < start) continue;
      const float *b = bcx + from * 3 * width, *x = b + 2 * width, *tap = taps + l * width;
      KANI_LANES
      for (int64_t i = 0; i < width; ++i) sum[i] += tap[i] * (b[i] * x[i]);
    }
    const float* c = bcx + n * 3 * width + width;
    KANI_LANES
    for (int64_t i = 0; i < width; ++i) out[i] = c[i] * sum[i];
  }
}

KANI_EVERY_PROCESSOR
void conv_backward(const float* dy, const float* bcx, const float* m, const float* taps,
                   ConvShape shape, int64_t stop, int64_t begin, int64_t end,
                   float* dbcx) noexcept {
  const int64_t width = shape.width;
  for (int64_t n = begin; n < end; ++n) {
    const float *b = bcx + n * 3 * width, *x = b + 2 * width;
    float *db = dbcx + n * 3 * width, *dc = db + width, *dx = dc + width;
    const float *d = dy + n * width, *sum = m + n * width;
    KANI_LANES
    for (int64_t i = 0; i < width; ++i) {
      dc[i] = d[i] * sum[i];
      db[i] = 0;
    }
    // d(b x') in db first: this row is seen by itself and by the rows behind it.
    for (int64_t l = 0; l < shape.taps; ++l) {
      const int64_t to = n + (shape.taps - 1) - l;
      if (to >= stop) continue;
      const float *later = dy + to * width, *c = bcx + to * 3 * width + width,
                  *tap = taps + l * width;
      KANI_LANES
      for (int64_t i = 0; i < width; ++i) db[i] += tap[i] * (later[i] * c[i]);
    }
    KANI_LANES
    for (int64_t i = 0; i < width; ++i) {
      const float g = db[i];
      db[i] = g * x[i];
      dx[i] = g * b[i];
    }
  }
}

KANI_EVERY_PROCESSOR
void conv_backward_taps(const float* dy, const float* bcx, ConvShape shape, int64_t start,
                        int64_t stop, int64_t begin, int64_t end, float* dtaps,
                        float* dbias) noexcept {
  const int64_t width = shape.width;
  for (int64_t n = start; n < stop; ++n) {
    const float *d = dy + n * width, *c = bcx + n * 3 * width + width;
    for (int64_t l = 0; l < shape.taps; ++l) {
      const int64_t from = n - (shape.taps - 1) + l;
      if (from < start) continue;
      const float *b = bcx + from * 3 * width, *x = b + 2 * width;
      float* out = dtaps + l * width;
      KANI_LANES
      for (int64_t i = begin; i < end; ++i) out[i] += d[i] * c[i] * (b[i] * x[i]);
    }
    if (dbias == nullptr) continue;
    KANI_LANES
    for (int64_t i = begin; i < end; ++i) dbias[i] += d[i] * c[i];
  }
}

KANI_EVERY_PROCESSOR
float classify(float* logits, int64_t rows, int64_t target, float scale) noexcept {
  float top = logits[0];
  _Pragma("omp simd reduction(max : top)") for (int64_t i = 0; i < rows; ++i) top =
      logits[i] > top ? logits[i] : top;
  const float wanted = logits[target];
  // Lanes add up a few numbers each, the rest is added in double: 80,538 of them.
  constexpr int64_t kPart = 1024;
  double sum = 0;
  for (int64_t first = 0; first < rows; first += kPart) {
    const int64_t last = first + kPart < rows ? first + kPart : rows;
    float part = 0;
    KANI_SUM(part)
    for (int64_t i = first; i < last; ++i) {
      logits[i] = exp_of(logits[i] - top);
      part += logits[i];
    }
    sum += static_cast<double>(part);
  }
  const auto factor = static_cast<float>(static_cast<double>(scale) / sum);
  KANI_LANES
  for (int64_t i = 0; i < rows; ++i) logits[i] *= factor;
  logits[target] -= scale;
  return static_cast<float>(std::log(sum) + static_cast<double>(top) - static_cast<double>(wanted));
}

// exp(x - top) in place; returns top and the sum.
namespace {
struct Peak {
  float top;
  double sum;
};
[[gnu::always_inline]] inline Peak to_powers(float* x, int64_t count) noexcept {
  float top = x[0];
  for (int64_t i = 1; i < count; ++i) top = x[i] > top ? x[i] : top;
  double sum = 0;
  for (int64_t i = 0; i < count; ++i) {
    x[i] = exp_of(x[i] - top);
    sum += static_cast<double>(x[i]);
  }
  return {top, sum};
}
}  // namespace

// With s_k = g_k + sum over digits of log-sum-exp of their logits, p(codebook k) = e^s_k / Z and,
// within it, the digits are independent of each other.
KANI_EVERY_PROCESSOR
float classify_sums(float* logits, FactorShape shape, int64_t target, float scale) noexcept {
  double wanted = 0;
  int64_t code = -1, wanted_book = -1, codes = 1, block = 1;
  for (int64_t d = 0; d < shape.digits; ++d) {
    codes *= shape.levels[d];
    block += shape.levels[d];
  }
  if (target < shape.text) {
    wanted = static_cast<double>(logits[target]);
  } else {
    wanted_book = (target - shape.text) / codes;
    code = (target - shape.text) % codes;
  }
  // Books first: each becomes one number, its digits become shares.
  double scores[kMostBooks];
  double top = -1e30;
  for (int64_t k = 0; k < shape.books; ++k) {
    float* row = logits + shape.text + k * block;
    double score = static_cast<double>(*row);
    if (k == wanted_book) wanted = score;
    ++row;
    int64_t rest = code;
    for (int64_t d = 0; d < shape.digits; ++d) {
      const int64_t level = shape.levels[d];
      if (k == wanted_book) wanted += static_cast<double>(row[rest % level]);
      rest /= level;
      const Peak peak = to_powers(row, level);
      score += static_cast<double>(peak.top) + std::log(peak.sum);
      const auto share = static_cast<float>(1 / peak.sum);
      for (int64_t i = 0; i < level; ++i) row[i] *= share;
      row += level;
    }
    scores[k] = score;
    top = score > top ? score : top;
  }
  float text_top = -1e30F;
  _Pragma("omp simd reduction(max : text_top)") for (int64_t i = 0; i < shape.text; ++i) text_top =
      logits[i] > text_top ? logits[i] : text_top;
  top = static_cast<double>(text_top) > top ? static_cast<double>(text_top) : top;
  const auto shift = static_cast<float>(top);
  float part = 0;
  KANI_SUM(part)
  for (int64_t i = 0; i < shape.text; ++i) {
    logits[i] = exp_of(logits[i] - shift);
    part += logits[i];
  }
  double sum = static_cast<double>(part);
  for (int64_t k = 0; k < shape.books; ++k) sum += std::exp(scores[k] - static_cast<double>(shift));
  const auto factor = static_cast<float>(static_cast<double>(scale) / sum);
  KANI_LANES
  for (int64_t i = 0; i < shape.text; ++i) logits[i] *= factor;
  for (int64_t k = 0; k < shape.books; ++k) {
    float* row = logits + shape.text + k * block;
    const auto share = static_cast<float>(std::exp(scores[k] - static_cast<double>(shift)) *
                                          static_cast<double>(scale) / sum);
    row[0] = share;
    for (int64_t i = 1; i < block; ++i) row[i] *= share;
  }
  if (wanted_book < 0) {
    logits[target] -= scale;
  } else {
    float* row = logits + shape.text + wanted_book * block;
    *row++ -= scale;
    for (int64_t d = 0; d < shape.digits; ++d) {
      row[code % shape.levels[d]] -= scale;
      code /= shape.levels[d];
      row += shape.levels[d];
    }
  }
  return static_cast<float>(std::log(sum) + static_cast<double>(shift) - wanted);
}

KANI_EVERY_PROCESSOR
void sum_rows(const float* table, const int64_t* places, int64_t parts, int64_t begin, int64_t end,
              int64_t width, float* out) noexcept {
  for (int64_t n = begin; n < end; ++n) {
    const int64_t* place = places + n * parts;
    float* to = out + n * width;
    const float* first = table + place[0] * width;
    for (int64_t i = 0; i < width; ++i) to[i] = first[i];
    for (int64_t p = 1; p < parts; ++p) {
      if (place[p] < 0) break;
      const float* row = table + place[p] * width;
      KANI_LANES
      for (int64_t i = 0; i < width; ++i) to[i] += row[i];
    }
  }
}

KANI_EVERY_PROCESSOR
void add_rows(const float* rows, const int64_t* places, int64_t parts, int64_t count, int64_t width,
              float* table) noexcept {
  for (int64_t n = 0; n < count; ++n) {
    const float* from = rows + n * width;
    for (int64_t p = 0; p < parts; ++p) {
      const int64_t place = places[n * parts + p];
      if (place < 0) break;
      float* to = table + place * width;
      KANI_LANES
      for (int64_t i = 0; i < width; ++i) to[i] += from[i];
    }
  }
}

}  // namespace kani::train::loops
