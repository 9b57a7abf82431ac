// loops.h - what the fused operations do with rows of float32, in plain loops over a range, for one
// thread.  Compiled for several processors at once (loops.cc); the callers deal ranges out.
// Sums within a row run in lanes; sums over rows run in the order of rows, so that results do not
// depend on the number of threads.
// Legend: see ops.h.  Rows are contiguous.
#pragma once

#include <cstddef>
#include <cstdint>

namespace kani::train::loops {

/// y = x * inv * w, inv = 1 / sqrt(mean x^2 + eps), for rows [begin, end) of `width`.
void norm_forward(const float* x, const float* w, float eps, int64_t begin, int64_t end,
                  int64_t width, float* y, float* inv) noexcept;
/// dx for the same rows.
void norm_backward_x(const float* dy, const float* x, const float* w, const float* inv,
                     int64_t begin, int64_t end, int64_t width, float* dx) noexcept;
/// dw[begin … end) += sum over `rows` of dy * x * inv.
void norm_backward_w(const float* dy, const float* x, const float* inv, int64_t rows, int64_t width,
                     int64_t begin, int64_t end, float* dw) noexcept;

/// One element's heads turned: x, y [heads, D] with strides between elements, cos, sin [D/2].
struct RopeShape {
  int64_t heads, half;
};
void rope_forward(const float* normed, const float* cos, const float* sin, RopeShape shape,
                  int64_t begin, int64_t end, float* y) noexcept;
/// dn = the turn back of dy; dangle[n, k] = sum over heads of dy_b y_a - dy_a y_b.
void rope_backward(const float* dy, const float* y, const float* cos, const float* sin,
                   RopeShape shape, int64_t begin, int64_t end, float* dn, float* dangle) noexcept;

/// y = silu(g) u for numbers [begin, end).
void swiglu_forward(const float* g, const float* u, int64_t begin, int64_t end, float* y) noexcept;
void swiglu_backward(const float* dy, const float* g, const float* u, int64_t begin, int64_t end,
                     float* dg, float* du) noexcept;

/// Rows [begin, end) of one document that starts at row `start`: m = sum over taps of taps[l] *
/// (b x')[row - (L-1) + l], y = c * (m + bias).  bcx rows of 3H; taps [L][H]; m is kept.
struct ConvShape {
  int64_t width, taps;
};
void conv_forward(const float* bcx, const float* taps, const float* bias, ConvShape shape,
                  int64_t start, int64_t begin, int64_t end, float* m, float* y) noexcept;
/// dbcx of the same rows; `stop` is the document's end (dg reaches into later rows).
void conv_backward(const float* dy, const float* bcx, const float* m, const float* taps,
                   ConvShape shape, int64_t stop, int64_t begin, int64_t end, float* dbcx) noexcept;
/// dtaps[l][begin … end) and dbias, of columns [begin, end) over the rows of one document.
void conv_backward_taps(const float* dy, const float* bcx, ConvShape shape, int64_t start,
                        int64_t stop, int64_t begin, int64_t end, float* dtaps,
                        float* dbias) noexcept;

/// Logits of a row become scale * (p - one-hot); returns -log p[target].
float classify(float* logits, int64_t rows, int64_t target, float scale) noexcept;

/// Rows of a table that are sums (audio_table.h): `books` codebooks behind `text` rows of their
/// own, each with its own row and then those of its digits, `levels[d]` for digit d.
struct FactorShape {
  int64_t text, books, digits;
  const int64_t* levels;
};
inline constexpr int64_t kMostBooks = 32;
/// The same as classify() for logits of such a table's rows: -log p of `target`, an id, over all
/// ids that the sums make; the rows become the derivative by their logits.
float classify_sums(float* logits, FactorShape shape, int64_t target, float scale) noexcept;

/// out[n] = sum of the table's rows places[n, 0 … parts), without those that are -1, for n in
/// [begin, end).
void sum_rows(const float* table, const int64_t* places, int64_t parts, int64_t begin, int64_t end,
              int64_t width, float* out) noexcept;
/// The other way: table[places[n, i]] += rows[n] for all n < count.
void add_rows(const float* rows, const int64_t* places, int64_t parts, int64_t count, int64_t width,
              float* table) noexcept;

}  // namespace kani::train::loops
