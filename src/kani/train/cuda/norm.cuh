// norm.cuh - RMS norm with the sum before it, and its derivatives.  Zhang & Sennrich 2019.
#pragma once

#include "kani/train/cuda/sums.cuh"

namespace kani::train::cuda {

constexpr int kNormThreads = 128;

/// A block is a row.
template <typename T, int kPack>
struct NormForwardBlock {
  NormForward a;

  template <typename AnyBlock>
  KANI_KERNEL void operator()(AnyBlock& block) const {
    const int64_t row = block.index();
    const T* x = static_cast<const T*>(a.x) + row * a.width;
    const T* more = a.more == nullptr ? nullptr : static_cast<const T*>(a.more) + row * a.width;
    T* sum = static_cast<T*>(a.sum) + (more == nullptr ? 0 : row * a.width);
    T* y = static_cast<T*>(a.y) + row * a.width;
    const int stride = block.threads() * kPack;
    typename AnyBlock::template Lanes<float> square(block);
    block.each([&](int t) {
      float total = 0;
      for (int c = t * kPack; c < a.width; c += stride) {
        Several<float, kPack> v = load<kPack>(x + c);
        if (more != nullptr) {
          const Several<float, kPack> w = load<kPack>(more + c);
          // The norm is that of the sum as it is kept.
          for (int i = 0; i < kPack; ++i) v[i] = to_float(from_float<T>(v[i] + w[i]));
          store(sum + c, v);
        }
        for (int i = 0; i < kPack; ++i) total += v[i] * v[i];
      }
      square[t] = total;
    });
    block.sum(square);
    const T* in = more == nullptr ? x : sum;
    block.each([&](int t) {
      const float inv = 1.0F / sqrtf(square[t] / static_cast<float>(a.width) + a.eps);
      if (t == 0) a.inv[row] = inv;
      for (int c = t * kPack; c < a.width; c += stride) {
        Several<float, kPack> v = load<kPack>(in + c);
        const Several<float, kPack> w = load<kPack>(a.w + c);
        for (int i = 0; i < kPack; ++i) v[i] = v[i] * inv * w[i];
        store(y + c, v);
      }
    });
  }
};

/// A block is kNormRows rows, one after the other; it adds up dw of its rows in shared memory,
/// where each thread has columns of its own.
template <typename T, int kPack>
struct NormBackwardBlock {
  NormBackward a;

  template <typename AnyBlock>
  KANI_KERNEL void operator()(AnyBlock& block) const {
    const int64_t first = block.index() * kNormRows;
    const int64_t last = first + kNormRows < a.rows ? first + kNormRows : a.rows;
    const int stride = block.threads() * kPack;
    block.phase([&](int t, float* dw) {
      for (int c = t; c < a.width; c += block.threads()) dw[c] = 0;
    });
    typename AnyBlock::template Lanes<float> dot(block);
    for (int64_t row = first; row < last; ++row) {
      const T* x = static_cast<const T*>(a.x) + row * a.width;
      const T* dy = static_cast<const T*>(a.dy) + row * a.width;
      const T* dsum = a.dsum == nullptr ? nullptr : static_cast<const T*>(a.dsum) + row * a.width;
      T* dx = static_cast<T*>(a.dx) + row * a.width;
      const float inv = a.inv[row];
      block.each([&](int t) {
        float total = 0;
        for (int c = t * kPack; c < a.width; c += stride) {
          const Several<float, kPack> v = load<kPack>(x + c), d = load<kPack>(dy + c),
                                      w = load<kPack>(a.w + c);
          for (int i = 0; i < kPack; ++i) total += d[i] * w[i] * v[i];
        }
        dot[t] = total;
      });
      block.sum(dot);
      block.phase([&](int t, float* dw) {
        const float back = dot[t] * inv * inv * inv / static_cast<float>(a.width);
        for (int c = t * kPack; c < a.width; c += stride) {
          const Several<float, kPack> v = load<kPack>(x + c), d = load<kPack>(dy + c),
                                      w = load<kPack>(a.w + c);
          Several<float, kPack> out;
          for (int i = 0; i < kPack; ++i) {
            out[i] = d[i] * w[i] * inv - v[i] * back;
            dw[c + i] += d[i] * v[i] * inv;
          }
          if (dsum != nullptr) {
            const Several<float, kPack> through = load<kPack>(dsum + c);
            for (int i = 0; i < kPack; ++i) out[i] += through[i];
          }
          store(dx + c, out);
        }
      });
    }
    block.phase([&](int t, const float* dw) {
      for (int c = t; c < a.width; c += block.threads())
        a.partials[block.index() * a.width + c] = dw[c];
    });
  }
};

template <typename Device>
void norm_forward(const NormForward& a, Number type, Stream stream) {
  with_type(type, [&]<typename T>(T) {
    if (packs(a.width, type, a.x, a.more, a.sum, a.y) && packs(4, Number::kF32, a.w)) {
      Device::run(a.rows, kNormThreads, 0, NormForwardBlock<T, 4>{a}, stream);
    } else {
      Device::run(a.rows, kNormThreads, 0, NormForwardBlock<T, 1>{a}, stream);
    }
  });
}

template <typename Device>
void norm_backward(const NormBackward& a, Number type, Stream stream) {
  const int64_t blocks = norm_partials(a.rows);
  with_type(type, [&]<typename T>(T) {
    if (packs(a.width, type, a.x, a.dy, a.dsum, a.dx) && packs(4, Number::kF32, a.w)) {
      Device::run(blocks, kNormThreads, a.width, NormBackwardBlock<T, 4>{a}, stream);
    } else {
      Device::run(blocks, kNormThreads, a.width, NormBackwardBlock<T, 1>{a}, stream);
    }
  });
  column_sums<Device>(a.partials, blocks, a.width, a.dw, stream);
}

}  // namespace kani::train::cuda
