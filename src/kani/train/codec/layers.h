// layers.h - the building blocks of a NanoCodec as operations on tensors with gradients.
// Source: codec.md 3.2 to 3.6.  Shapes: B items, C channels, T steps; weights as in the files.
// Not here: the network (codec_module.h), where the weights come from (codec_files.h).
#pragma once

#include "kani/train/torch.h"

namespace kani::train {

/// direction [N, …], gain [N, 1, 1] -> gain * direction / |direction|, the length over all
/// dimensions but the first.
at::Tensor weight_norm(const at::Tensor& direction, const at::Tensor& gain);

/// x [B, C, T], alpha [1, C / 2, 1] -> [B, C, T]: snake on the first C / 2 channels, leaky ReLU of
/// slope 0.01 on the rest.  Keeps x alone for the backward pass.
at::Tensor half_snake(const at::Tensor& x, const at::Tensor& alpha);
/// Leaky ReLU of slope 0.01.
at::Tensor leaky(const at::Tensor& x);

/// x [B, I, T], w [O, I, K], b [O] -> [B, O, T]; zeros before the start.
at::Tensor causal_conv(const at::Tensor& x, const at::Tensor& w, const at::Tensor& b,
                       int64_t dilation);
/// x [B, 2O, T], w [2O, 1, 2r], b [O] -> [B, O, T r]; output o is fed by inputs 2o and 2o + 1.
at::Tensor causal_upsample(const at::Tensor& x, const at::Tensor& w, const at::Tensor& b);
/// x [B, I, T] with the edges repeated; stride 1, or the stride r = K / 2 of a downsampling.
at::Tensor symmetric_conv(const at::Tensor& x, const at::Tensor& w, const at::Tensor& b,
                          int64_t stride, int64_t dilation);

}  // namespace kani::train
