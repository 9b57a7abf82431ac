// narrow_loops.h - loops for convolutions of few channels over many steps, the steps outermost
// ([T, C], channels beside each other): what LibTorch's convolutions are slow at.  Plain pointers;
// one thread; nothing allocates.  C is a multiple of 8.
// Not here: nodes of the graph (narrow_conv.h).
#pragma once

#include <cstdint>

namespace kani::train::loops {

/// a = half-snake of x, [T, C] each; `snakes` channels have slopes, the rest is a leaky ReLU of
/// slope 0.01.
void half_snake(const float* x, const float* alpha, int64_t steps, int64_t channels, int64_t snakes,
                float* a) noexcept;
/// dx = da * slope of half_snake at x; dalpha [snakes] +=.
void half_snake_backward(const float* x, const float* alpha, const float* da, int64_t steps,
                         int64_t channels, int64_t snakes, float* dx, float* dalpha) noexcept;

/// y[t, o] += sum over k, i of w[k, i, o] * a[t + k * dilation, i] for t < steps.
///   a [steps + (taps - 1) * dilation, I]   w [taps, I, O]   y [steps, O]; O a multiple of 8
void convolve(const float* a, const float* w, int64_t steps, int64_t inputs, int64_t outputs,
              int64_t taps, int64_t dilation, float* y) noexcept;
/// dw[k, i, o] += sum over t of a[t + k * dilation, i] * dy[t, o].
void convolve_weights(const float* a, const float* dy, int64_t steps, int64_t inputs,
                      int64_t outputs, int64_t taps, int64_t dilation, float* dw) noexcept;

/// y[t r + p, o] = b[o] + a[t, 2o] w[2o, p] + a[t, 2o+1] w[2o+1, p] + the same of a[t - 1] and
/// w[·, p + r]; a[-1] is 0.  a [steps, 2 O], wide [2 r, 2, O] as pack() of narrow_conv.cc lays it
/// out, y [steps r, O].  `pairs` is room for 2 (steps + 1) O numbers.
void upsample(const float* pairs, const float* wide, const float* bias, int64_t steps,
              int64_t outputs, int64_t rate, float* y) noexcept;
/// dpairs, dwide, dbias += from dy; as upsample().
void upsample_backward(const float* pairs, const float* wide, const float* dy, int64_t steps,
                       int64_t outputs, int64_t rate, float* dpairs, float* dwide,
                       float* dbias) noexcept;
/// pairs [steps + 1, 2, O]: row 0 is 0, row t + 1 holds a[t] with even and odd channels apart; and
/// its gradient back.
void split_pairs(const float* a, int64_t steps, int64_t outputs, float* pairs) noexcept;
void join_pairs(const float* dpairs, int64_t steps, int64_t outputs, float* da) noexcept;

}  // namespace kani::train::loops
