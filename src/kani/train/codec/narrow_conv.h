// narrow_conv.h - the layers of layers.h for few channels and many steps on a CPU, with channels
// beside each other ([B, T, C]): activation and convolution are one node, and twice as fast as
// LibTorch's.  Weights are as in the files.  Held against layers.h in tests.
// Widths are multiples of 8.
#pragma once

#include "kani/train/torch.h"

namespace kani::train {

/// y = b + residual + conv(act(x)); zeros before the start.  x [B, T, I], alpha [1, I / 2, 1],
/// w [O, I, K], residual [B, T, O] or undefined -> [B, T, O].
at::Tensor snake_conv(const at::Tensor& x, const at::Tensor& alpha, const at::Tensor& w,
                      const at::Tensor& b, const at::Tensor& residual, int64_t dilation);
/// The same with a leaky ReLU and the edges of its result repeated on both sides.
at::Tensor leaky_conv(const at::Tensor& x, const at::Tensor& w, const at::Tensor& b,
                      const at::Tensor& residual, int64_t dilation);
/// act, then the grouped transposed convolution.  x [B, T, 2 O], w [2 O, 1, 2 r] -> [B, T r, O].
at::Tensor snake_upsample(const at::Tensor& x, const at::Tensor& alpha, const at::Tensor& w,
                          const at::Tensor& b);
/// Half-snake alone, then a causal convolution to one channel: w [1, C, K] -> [B, T].
at::Tensor snake_to_sound(const at::Tensor& x, const at::Tensor& alpha, const at::Tensor& w,
                          const at::Tensor& b);

/// Symmetric convolution of one channel: sound [B, N], w [O, 1, K] -> [B, N, O].
at::Tensor sound_conv(const at::Tensor& sound, const at::Tensor& w, const at::Tensor& b);
/// Leaky ReLU and downsampling by r: x [B, T r, I], w [O, I, 2 r] -> [B, T, O]; edges repeated.
at::Tensor leaky_downsample(const at::Tensor& x, const at::Tensor& w, const at::Tensor& b);

}  // namespace kani::train
