// loss.cuh - cross-entropy of a chunk of logits: loss and gradient in two readings, the gradient in
// place of the logits.  The first reading keeps the largest logit so far and the sum of
// exponentials beneath it (Milakov & Gimelshein 2018), so that none is read a third time.
#pragma once

#include "kani/train/cuda/sums.cuh"

namespace kani::train::cuda {

constexpr int kClassifyThreads = 256;

/// A block is a row.
template <typename T, int kPack>
struct ClassifyBlock {
  Classify a;

  template <typename AnyBlock>
  KANI_KERNEL void operator()(AnyBlock& block) const {
    const int64_t row = block.index(), target = a.targets[row];
    T* logits = static_cast<T*>(a.logits) + row * a.vocabulary;
    const int64_t stride = int64_t{block.threads()} * kPack;
    typename AnyBlock::template Lanes<float> top(block), largest(block), sum(block), wanted(block);
    block.each([&](int t) {
      // The lowest finite number: a thread without numbers must not bring in NaN.
      float most = -3.402823466e38F, total = 0;
      for (int64_t c = t * kPack; c < a.vocabulary; c += stride) {
        const Several<float, kPack> x = load<kPack>(logits + c);
        for (int i = 0; i < kPack; ++i) {
          if (x[i] > most) {
            total *= expf(most - x[i]);
            most = x[i];
          }
          total += expf(x[i] - most);
        }
      }
      top[t] = most;
      largest[t] = most;
      sum[t] = total;
      wanted[t] = target < 0 ? 0.0F : to_float(logits[target]);
    });
    block.max(largest);
    block.each([&](int t) { sum[t] *= expf(top[t] - largest[t]); });
    block.sum(sum);
    block.each([&](int t) {
      const float scale = target < 0 ? 0.0F : a.factor / sum[t];
      if (t == 0) a.losses[row] = target < 0 ? 0.0F : logf(sum[t]) + largest[t] - wanted[t];
      for (int64_t c = t * kPack; c < a.vocabulary; c += stride) {
        Several<float, kPack> x = load<kPack>(logits + c);
        for (int i = 0; i < kPack; ++i) {
          x[i] = target < 0 ? 0.0F : expf(x[i] - largest[t]) * scale;
          if (c + i == target) x[i] -= a.factor;
        }
        store(logits + c, x);
      }
    });
  }
};

template <typename Device>
void classify(const Classify& a, Number type, Stream stream) {
  with_type(type, [&]<typename T>(T) {
    // The real vocabulary is twice an odd number: packs of two.
    if (packs<2>(a.vocabulary, type, a.logits)) {
      Device::run(a.rows, kClassifyThreads, 0, ClassifyBlock<T, 2>{a}, stream);
    } else {
      Device::run(a.rows, kClassifyThreads, 0, ClassifyBlock<T, 1>{a}, stream);
    }
  });
}

}  // namespace kani::train::cuda
