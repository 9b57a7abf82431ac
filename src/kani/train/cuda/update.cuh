// update.cuh - the update of all parameters in one start: AdamW (Loshchilov & Hutter 2019) with the
// factor of clipping on the way and copies in bf16 for the products; and the sums of squares from
// which the gradient's norm is made.
#pragma once

#include "kani/train/cuda/sums.cuh"

namespace kani::train::cuda {

constexpr int kUpdateThreads = 256;

/// The last tensor whose first block is not behind `block`.
KANI_KERNEL const AdamwTensor& tensor_of(const AdamwTensor* tensors, int64_t count, int64_t block) {
  int64_t low = 0, high = count;
  while (high - low > 1) {
    const int64_t middle = (low + high) / 2;
    if (tensors[middle].block <= block) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return tensors[low];
}

struct AdamwBlock {
  Adamw a;

  template <typename AnyBlock>
  KANI_KERNEL void operator()(AnyBlock& block) const {
    const AdamwTensor& x = tensor_of(a.tensors, a.tensor_count, block.index());
    const int64_t begin = (block.index() - x.block) * kAdamwNumbers;
    const int64_t end = begin + kAdamwNumbers < x.count ? begin + kAdamwNumbers : x.count;
    const float rate = a.rate[x.group], decay = a.decay[x.group];
    block.phase([&](int t, float* shared) {
      if (t != 0) return;
      const auto steps = static_cast<double>(*x.steps);
      shared[0] = static_cast<float>(1 / (1 - pow(static_cast<double>(a.beta1), steps)));
      shared[1] = static_cast<float>(1 / sqrt(1 - pow(static_cast<double>(a.beta2), steps)));
    });
    block.phase([&](int t, const float* shared) {
      KANI_UNROLL
      for (int64_t i = begin + t; i < end; i += block.threads()) {
        const float g = x.gradient[i] * a.factor;
        const float m = x.first[i] + (1 - a.beta1) * (g - x.first[i]);
        const float v = a.beta2 * x.second[i] + (1 - a.beta2) * g * g;
        x.first[i] = m;
        x.second[i] = v;
        const float p = x.parameter[i] * (1 - rate * decay) -
                        rate * (m * shared[0]) / (sqrtf(v) * shared[1] + a.eps);
        x.parameter[i] = p;
        if (x.copy != nullptr) static_cast<Bf16*>(x.copy)[i] = from_float<Bf16>(p);
      }
    });
  }
};

struct SquareSumsBlock {
  SquareSums a;

  template <typename AnyBlock>
  KANI_KERNEL void operator()(AnyBlock& block) const {
    const AdamwTensor& x = tensor_of(a.tensors, a.tensor_count, block.index());
    const int64_t begin = (block.index() - x.block) * kAdamwNumbers;
    const int64_t end = begin + kAdamwNumbers < x.count ? begin + kAdamwNumbers : x.count;
    typename AnyBlock::template Lanes<double> sum(block);
    block.each([&](int t) {
      double total = 0;
      for (int64_t i = begin + t; i < end; i += block.threads()) {
        const auto g = static_cast<double>(x.gradient[i]);
        total += g * g;
      }
      sum[t] = total;
    });
    block.sum(sum);
    block.each([&](int t) {
      if (t == 0) a.sums[block.index()] = sum[t];
    });
  }
};

template <typename Device>
void adamw(const Adamw& a, Stream stream) {
  Device::run(a.blocks, kUpdateThreads, 2, AdamwBlock{a}, stream);
}

template <typename Device>
void square_sums(const SquareSums& a, Stream stream) {
  Device::run(a.blocks, kUpdateThreads, 0, SquareSumsBlock{a}, stream);
}

}  // namespace kani::train::cuda
