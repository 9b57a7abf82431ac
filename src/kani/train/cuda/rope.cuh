// rope.cuh - heads normed and turned by angles, and the derivatives, that of the angles included:
// learnable RoPE.  A warp takes a head, its lanes pairs k and half + k; what a forward pass had is
// computed again in the backward pass rather than kept.
#pragma once

#include "kani/train/cuda/sums.cuh"

namespace kani::train::cuda {

constexpr int kRopeWarps = 4;

/// kPairs: pairs of a lane, half <= kWarp * kPairs.
template <typename T, int kPairs>
struct RopeForwardBlock {
  RopeForward r;

  template <typename AnyBlock>
  KANI_KERNEL void operator()(AnyBlock& block) const {
    using Pairs = Several<float, kPairs>;
    const int64_t n = block.index();
    const int width = 2 * r.half;
    typename AnyBlock::template Lanes<Pairs> cos(block), sin(block), a(block), b(block);
    typename AnyBlock::template Lanes<float> square(block);
    block.each([&](int t) {
      KANI_UNROLL
      for (int j = 0; j < kPairs; ++j) {
        const int k = t % kWarp + j * kWarp;
        const float angle = k < r.half ? r.angles[n * r.half + k] : 0.0F;
        cos[t][j] = cosf(angle);
        sin[t][j] = sinf(angle);
      }
    });
    for (int first = 0; first < r.heads; first += kRopeWarps) {
      block.each([&](int t) {
        const int head = first + t / kWarp;
        const T* x = static_cast<const T*>(r.x) + (n * r.heads + head) * width;
        square[t] = 0;
        KANI_UNROLL
        for (int j = 0; j < kPairs; ++j) {
          const int k = t % kWarp + j * kWarp;
          const bool in = head < r.heads && k < r.half;
          a[t][j] = in ? to_float(x[k]) : 0.0F;
          b[t][j] = in ? to_float(x[r.half + k]) : 0.0F;
          square[t] += a[t][j] * a[t][j] + b[t][j] * b[t][j];
        }
      });
      block.warp_sum(square);
      block.each([&](int t) {
        const int head = first + t / kWarp;
        T* y = static_cast<T*>(r.y) + (n * r.heads + head) * width;
        const float inv = 1.0F / sqrtf(square[t] / static_cast<float>(width) + r.eps);
        KANI_UNROLL
        for (int j = 0; j < kPairs; ++j) {
          const int k = t % kWarp + j * kWarp;
          if (head >= r.heads || k >= r.half) continue;
          const float p = a[t][j] * inv * r.w[k], q = b[t][j] * inv * r.w[r.half + k];
          y[k] = from_float<T>(p * cos[t][j] - q * sin[t][j]);
          y[r.half + k] = from_float<T>(q * cos[t][j] + p * sin[t][j]);
        }
      });
    }
  }
};

/// A block is kRopeElements elements.  dw is added up in the lanes over heads and elements, the
/// angles' gradient over the heads of an element (in double: the factor of learnable RoPE hangs on
/// small differences of these), then over the warps in shared memory.
template <typename T, int kPairs>
struct RopeBackwardBlock {
  RopeBackward r;

  static constexpr int kThreads = kRopeWarps * kWarp;
  /// Shared memory: a number for each lane and pair, double or two float32.
  static constexpr int kShared = 2 * kThreads * kPairs;

  template <typename AnyBlock>
  KANI_KERNEL void operator()(AnyBlock& block) const {
    using Pairs = Several<float, kPairs>;
    using DoublePairs = Several<double, kPairs>;
    const int64_t begin = block.index() * kRopeElements;
    const int64_t end = begin + kRopeElements < r.count ? begin + kRopeElements : r.count;
    const int width = 2 * r.half;
    typename AnyBlock::template Lanes<Pairs> cos(block), sin(block), a(block), b(block), da(block),
        db(block), dw_a(block), dw_b(block);
    typename AnyBlock::template Lanes<DoublePairs> turn(block);
    typename AnyBlock::template Lanes<float> square(block), dot(block);
    for (int64_t n = begin; n < end; ++n) {
      block.each([&](int t) {
        KANI_UNROLL
        for (int j = 0; j < kPairs; ++j) {
          const int k = t % kWarp + j * kWarp;
          const float angle = k < r.half ? r.angles[n * r.half + k] : 0.0F;
          cos[t][j] = cosf(angle);
          sin[t][j] = sinf(angle);
          turn[t][j] = 0;
        }
      });
      for (int first = 0; first < r.heads; first += kRopeWarps) {
        block.each([&](int t) {
          const int head = first + t / kWarp;
          const int64_t row = (n * r.heads + head) * width;
          const T *x = static_cast<const T*>(r.x) + row, *dy = static_cast<const T*>(r.dy) + row;
          square[t] = 0;
          dot[t] = 0;
          KANI_UNROLL
          for (int j = 0; j < kPairs; ++j) {
            const int k = t % kWarp + j * kWarp;
            const bool in = head < r.heads && k < r.half;
            a[t][j] = in ? to_float(x[k]) : 0.0F;
            b[t][j] = in ? to_float(x[r.half + k]) : 0.0F;
            const float dp = in ? to_float(dy[k]) : 0.0F, dq = in ? to_float(dy[r.half + k]) : 0.0F;
            // Turned back: the gradient of what the norm gave.
            da[t][j] = dp * cos[t][j] + dq * sin[t][j];
            db[t][j] = dq * cos[t][j] - dp * sin[t][j];
            square[t] += a[t][j] * a[t][j] + b[t][j] * b[t][j];
            if (in) dot[t] += da[t][j] * r.w[k] * a[t][j] + db[t][j] * r.w[r.half + k] * b[t][j];
          }
        });
        block.warp_sum(square);
        block.warp_sum(dot);
        block.each([&](int t) {
          const int head = first + t / kWarp;
          T* dx = static_cast<T*>(r.dx) + (n * r.heads + head) * width;
          const float inv = 1.0F / sqrtf(square[t] / static_cast<float>(width) + r.eps);
          const float back = dot[t] * inv * inv * inv / static_cast<float>(width);
          KANI_UNROLL
          for (int j = 0; j < kPairs; ++j) {
            const int k = t % kWarp + j * kWarp;
            if (head >= r.heads || k >= r.half) continue;
            const float wa = r.w[k], wb = r.w[r.half + k];
            dx[k] = from_float<T>(da[t][j] * wa * inv - a[t][j] * back);
            dx[r.half + k] = from_float<T>(db[t][j] * wb * inv - b[t][j] * back);
            dw_a[t][j] += da[t][j] * a[t][j] * inv;
            dw_b[t][j] += db[t][j] * b[t][j] * inv;
            // d/d angle of (p, q) turned, times (dp, dq): db p - da q in the frame turned back.
            const float p = a[t][j] * inv * wa, q = b[t][j] * inv * wb;
            turn[t][j] += static_cast<double>(db[t][j]) * static_cast<double>(p) -
                          static_cast<double>(da[t][j]) * static_cast<double>(q);
          }
        });
      }
      block.phase([&](int t, float* shared) {
        KANI_UNROLL
        for (int j = 0; j < kPairs; ++j)
          memcpy(shared + 2 * (j * kThreads + t), &turn[t][j], sizeof(double));
      });
      block.phase([&](int t, const float* shared) {
        KANI_UNROLL
        for (int j = 0; j < kPairs; ++j) {
          const int k = t + j * kWarp;
          if (t >= kWarp || k >= r.half) continue;
          double sum = 0;
          for (int i = t; i < kThreads; i += kWarp) {
            double part;
            memcpy(&part, shared + 2 * (j * kThreads + i), sizeof part);
            sum += part;
          }
          r.dangles[n * r.half + k] = static_cast<float>(sum);
        }
      });
    }
    block.phase([&](int t, float* shared) {
      KANI_UNROLL
      for (int j = 0; j < kPairs; ++j) {
        shared[j * kThreads + t] = dw_a[t][j];
        shared[(kPairs + j) * kThreads + t] = dw_b[t][j];
      }
    });
    block.phase([&](int t, const float* shared) {
      KANI_UNROLL
      for (int j = 0; j < kPairs; ++j) {
        const int k = t + j * kWarp;
        if (t >= kWarp || k >= r.half) continue;
        float sum_a = 0, sum_b = 0;
        for (int i = t; i < kThreads; i += kWarp) {
          sum_a += shared[j * kThreads + i];
          sum_b += shared[(kPairs + j) * kThreads + i];
        }
        r.partials[block.index() * width + k] = sum_a;
        r.partials[block.index() * width + r.half + k] = sum_b;
      }
    });
  }
};

/// Calls action with the number of pairs of a lane as a type.
template <typename Action>
void with_pairs(int half, const Action& action) {
  if (half <= kWarp) {
    action(Several<int, 1>{});
  } else if (half <= 2 * kWarp) {
    action(Several<int, 2>{});
  } else {
    action(Several<int, kMostHalf / kWarp>{});
  }
}

template <typename Device>
void rope_forward(const RopeForward& r, Number type, Stream stream) {
  with_type(type, [&]<typename T>(T) {
    with_pairs(r.half, [&]<int kPairs>(Several<int, kPairs>) {
      Device::run(r.count, kRopeWarps * kWarp, 0, RopeForwardBlock<T, kPairs>{r}, stream);
    });
  });
}

template <typename Device>
void rope_backward(const RopeBackward& r, Number type, Stream stream) {
  const int64_t blocks = rope_partials(r.count);
  with_type(type, [&]<typename T>(T) {
    with_pairs(r.half, [&]<int kPairs>(Several<int, kPairs>) {
      using Body = RopeBackwardBlock<T, kPairs>;
      Device::run(blocks, Body::kThreads, Body::kShared, Body{r}, stream);
    });
  });
  column_sums<Device>(r.partials, blocks, 2 * r.half, r.dw, stream);
}

}  // namespace kani::train::cuda
