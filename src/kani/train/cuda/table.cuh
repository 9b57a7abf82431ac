// table.cuh - all kernels of a kind of device as the table of kernels.h.
#pragma once

#include "kani/train/cuda/attention.cuh"
#include "kani/train/cuda/loss.cuh"
#include "kani/train/cuda/mix.cuh"
#include "kani/train/cuda/norm.cuh"
#include "kani/train/cuda/rope.cuh"
#include "kani/train/cuda/update.cuh"

namespace kani::train::cuda {

template <typename Device>
constexpr Kernels kernel_table() {
  return {.norm_forward = norm_forward<Device>,
          .norm_backward = norm_backward<Device>,
          .rope_forward = rope_forward<Device>,
          .rope_backward = rope_backward<Device>,
          .swiglu_forward = swiglu_forward<Device>,
          .swiglu_backward = swiglu_backward<Device>,
          .conv_forward = conv_forward<Device>,
          .conv_backward = conv_backward<Device>,
          .classify = classify<Device>,
          .attention_forward = attention_forward<Device>,
          .attention_backward = attention_backward<Device>,
          .adamw = adamw<Device>,
          .square_sums = square_sums<Device>};
}

}  // namespace kani::train::cuda
