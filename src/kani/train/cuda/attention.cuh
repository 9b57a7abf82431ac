// attention.cuh - causal attention within documents, tile by tile with the softmax on the way
// (Dao 2023), forward and backward, for float32 and heads that LibTorch's own kernels do not take
// (ops_cuda.h).  A block is a tile of rows of one head, four threads a row.  The gradients of keys
// and values go over the queries of all heads that share them in one block: no atomics.
// Legend: D head width, R rows of a tile, stride = D + 1 numbers of a row in shared memory.
#pragma once

#include "kani/train/cuda/sums.cuh"

namespace kani::train::cuda {

constexpr int kRowThreads = 4;

/// Rows [first, first + R) of a [count, heads, D] array as floats times `factor`; zeros from row
/// `stop` on.  For all threads of a phase.
template <int kRows, typename T>
KANI_KERNEL void load_tile(int t, const void* from, int64_t first, int64_t stop, int heads,
                           int head, int D, float factor, float* to) {
  for (int i = t; i < kRows * D; i += kRows * kRowThreads) {
    const int row = i / D, d = i % D;
    const int64_t at = ((first + row) * heads + head) * D + d;
    to[row * (D + 1) + d] =
        first + row < stop ? to_float(static_cast<const T*>(from)[at]) * factor : 0.0F;
  }
}

KANI_KERNEL float dot(const float* a, const float* b, int count) {
  float sum = 0;
  for (int i = 0; i < count; ++i) sum += a[i] * b[i];
  return sum;
}

/// sums[i] += weights . column of `tile` for the columns part, part + 4, ….
template <int kRows, int kColumns>
KANI_KERNEL void add_weighted(const float* weights, const float* tile, int part, int D,
                              Several<float, kColumns>& sums) {
  for (int key = 0; key < kRows; ++key) {
    const float weight = weights[key];
    KANI_UNROLL
    for (int i = 0; i < kColumns; ++i) {
      const int d = part + kRowThreads * i;
      if (d < D) sums[i] += weight * tile[key * (D + 1) + d];
    }
  }
}

/// What a thread has of a row's columns, to its place in [count, heads, D].
template <typename T, int kColumns>
KANI_KERNEL void store_row(const Several<float, kColumns>& sums, float factor, int64_t row,
                           int heads, int head, int part, int D, void* to) {
  T* out = static_cast<T*>(to) + (row * heads + head) * D;
  KANI_UNROLL
  for (int i = 0; i < kColumns; ++i) {
    const int d = part + kRowThreads * i;
    if (d < D) out[d] = from_float<T>(sums[i] * factor);
  }
}

template <typename T, int kRows, int kColumns>
struct AttentionForwardBlock {
  AttentionForward a;

  static constexpr int kThreads = kRows * kRowThreads;
  static int shared(int D) { return 3 * kRows * (D + 1) + kRows * (kRows + 1); }

  template <typename AnyBlock>
  KANI_KERNEL void operator()(AnyBlock& block) const {
    const int D = a.head_dim, tile_size = kRows * (D + 1);
    const int head = static_cast<int>(block.index() % a.heads);
    const int kv_head = head / (a.heads / a.kv_heads);
    const int32_t* tile = a.tiles + block.index() / a.heads * 4;
    const int64_t first = tile[0], stop = first + tile[1], start = tile[2];
    typename AnyBlock::template Lanes<Several<float, kColumns>> out(block);
    typename AnyBlock::template Lanes<float> top(block), total(block), shrink(block);
    block.phase([&](int t, float* shared) {
      load_tile<kRows, T>(t, a.q, first, stop, a.heads, head, D, a.scale, shared);
      top[t] = -INFINITY;
    });
    for (int64_t keys = start; keys < stop; keys += kRows) {
      block.phase([&](int t, float* shared) {
        load_tile<kRows, T>(t, a.k, keys, stop, a.kv_heads, kv_head, D, 1, shared + tile_size);
        load_tile<kRows, T>(t, a.v, keys, stop, a.kv_heads, kv_head, D, 1, shared + 2 * tile_size);
      });
      block.phase([&](int t, float* shared) {
        const int row = t / kRowThreads;
        const float *q = shared + row * (D + 1), *k = shared + tile_size;
        float* scores = shared + 3 * tile_size + row * (kRows + 1);
        for (int key = t % kRowThreads; key < kRows; key += kRowThreads)
          scores[key] = keys + key > first + row ? -INFINITY : dot(q, k + key * (D + 1), D);
      });
      block.phase([&](int t, const float* shared) {
        const float* scores = shared + 3 * tile_size + t / kRowThreads * (kRows + 1);
        float most = top[t];
        for (int key = 0; key < kRows; ++key) most = fmaxf(most, scores[key]);
        shrink[t] = expf(top[t] - most);
        top[t] = most;
      });
      block.phase([&](int t, float* shared) {
        float* scores = shared + 3 * tile_size + t / kRowThreads * (kRows + 1);
        for (int key = t % kRowThreads; key < kRows; key += kRowThreads)
          scores[key] = expf(scores[key] - top[t]);
      });
      block.phase([&](int t, const float* shared) {
        const float* weights = shared + 3 * tile_size + t / kRowThreads * (kRows + 1);
        total[t] *= shrink[t];
        for (int key = 0; key < kRows; ++key) total[t] += weights[key];
        KANI_UNROLL
        for (int i = 0; i < kColumns; ++i) out[t][i] *= shrink[t];
        add_weighted<kRows>(weights, shared + 2 * tile_size, t % kRowThreads, D, out[t]);
      });
    }
    block.each([&](int t) {
      const int64_t row = first + t / kRowThreads;
      const int part = t % kRowThreads;
      if (row >= stop) return;
      store_row<T>(out[t], 1 / total[t], row, a.heads, head, part, D, a.y);
      if (part == 0) a.lse[row * a.heads + head] = top[t] + logf(total[t]);
    });
  }
};

/// delta = dy . y of every row and head; a warp each.
template <typename T>
struct AttentionDelta {
  AttentionBackward a;

  static constexpr int kWarps = 4;

  template <typename AnyBlock>
  KANI_KERNEL void operator()(AnyBlock& block) const {
    typename AnyBlock::template Lanes<float> sum(block);
    const int64_t rows = a.count * a.heads;
    block.each([&](int t) {
      const int64_t row = block.index() * kWarps + t / kWarp;
      float total = 0;
      for (int d = t % kWarp; row < rows && d < a.head_dim; d += kWarp) {
        const int64_t at = row * a.head_dim + d;
        total +=
            to_float(static_cast<const T*>(a.dy)[at]) * to_float(static_cast<const T*>(a.y)[at]);
      }
      sum[t] = total;
    });
    block.warp_sum(sum);
    block.each([&](int t) {
      const int64_t row = block.index() * kWarps + t / kWarp;
      if (t % kWarp == 0 && row < rows) a.delta[row] = sum[t];
    });
  }
};

/// dq of a tile of queries: over the keys before them.
template <typename T, int kRows, int kColumns>
struct AttentionBackwardQ {
  AttentionBackward a;

  static constexpr int kThreads = kRows * kRowThreads;
  static int shared(int D) { return 4 * kRows * (D + 1) + kRows * (kRows + 1); }

  template <typename AnyBlock>
  KANI_KERNEL void operator()(AnyBlock& block) const {
    const int D = a.head_dim, tile_size = kRows * (D + 1);
    const int head = static_cast<int>(block.index() % a.heads);
    const int kv_head = head / (a.heads / a.kv_heads);
    const int32_t* tile = a.tiles + block.index() / a.heads * 4;
    const int64_t first = tile[0], stop = first + tile[1], start = tile[2];
    typename AnyBlock::template Lanes<Several<float, kColumns>> dq(block);
    block.phase([&](int t, float* shared) {
      load_tile<kRows, T>(t, a.q, first, stop, a.heads, head, D, a.scale, shared);
      load_tile<kRows, T>(t, a.dy, first, stop, a.heads, head, D, 1, shared + tile_size);
    });
    for (int64_t keys = start; keys < stop; keys += kRows) {
      block.phase([&](int t, float* shared) {
        load_tile<kRows, T>(t, a.k, keys, stop, a.kv_heads, kv_head, D, 1, shared + 2 * tile_size);
        load_tile<kRows, T>(t, a.v, keys, stop, a.kv_heads, kv_head, D, 1, shared + 3 * tile_size);
      });
      block.phase([&](int t, float* shared) {
        const int row = t / kRowThreads;
        const int64_t at = (first + row) * a.heads + head;
        const float *q = shared + row * (D + 1), *dy = q + tile_size;
        float* ds = shared + 4 * tile_size + row * (kRows + 1);
        for (int key = t % kRowThreads; key < kRows; key += kRowThreads) {
          const float *k = shared + 2 * tile_size + key * (D + 1), *v = k + tile_size;
          const bool seen = keys + key <= first + row && first + row < stop;
          ds[key] = seen ? expf(dot(q, k, D) - a.lse[at]) * (dot(dy, v, D) - a.delta[at]) : 0.0F;
        }
      });
      block.phase([&](int t, const float* shared) {
        add_weighted<kRows>(shared + 4 * tile_size + t / kRowThreads * (kRows + 1),
                            shared + 2 * tile_size, t % kRowThreads, D, dq[t]);
      });
    }
    block.each([&](int t) {
      const int64_t row = first + t / kRowThreads;
      if (row < stop) store_row<T>(dq[t], a.scale, row, a.heads, head, t % kRowThreads, D, a.dq);
    });
  }
};

/// dk and dv of a tile of keys: over the queries from it to the document's end, head after head of
/// those that share it.
template <typename T, int kRows, int kColumns>
struct AttentionBackwardKv {
  AttentionBackward a;

  static constexpr int kThreads = kRows * kRowThreads;
  static int shared(int D) { return 4 * kRows * (D + 1) + 2 * kRows * (kRows + 1); }

  template <typename AnyBlock>
  KANI_KERNEL void operator()(AnyBlock& block) const {
    const int D = a.head_dim, tile_size = kRows * (D + 1), group = a.heads / a.kv_heads;
    const int kv_head = static_cast<int>(block.index() % a.kv_heads);
    const int32_t* tile = a.tiles + block.index() / a.kv_heads * 4;
    const int64_t first = tile[0], own_stop = first + tile[1], stop = tile[3];
    typename AnyBlock::template Lanes<Several<float, kColumns>> dk(block), dv(block);
    block.phase([&](int t, float* shared) {
      load_tile<kRows, T>(t, a.k, first, own_stop, a.kv_heads, kv_head, D, 1, shared);
      load_tile<kRows, T>(t, a.v, first, own_stop, a.kv_heads, kv_head, D, 1, shared + tile_size);
    });
    for (int head = kv_head * group; head < (kv_head + 1) * group; ++head) {
      for (int64_t queries = first; queries < stop; queries += kRows) {
        block.phase([&](int t, float* shared) {
          load_tile<kRows, T>(t, a.q, queries, stop, a.heads, head, D, a.scale,
                              shared + 2 * tile_size);
          load_tile<kRows, T>(t, a.dy, queries, stop, a.heads, head, D, 1, shared + 3 * tile_size);
        });
        block.phase([&](int t, float* shared) {
          const int key = t / kRowThreads;
          const float *k = shared + key * (D + 1), *v = k + tile_size;
          float* p = shared + 4 * tile_size + key * (kRows + 1);
          float* ds = p + kRows * (kRows + 1);
          for (int row = t % kRowThreads; row < kRows; row += kRowThreads) {
            const float *q = shared + 2 * tile_size + row * (D + 1), *dy = q + tile_size;
            const int64_t at = (queries + row) * a.heads + head;
            const bool seen =
                first + key <= queries + row && queries + row < stop && first + key < own_stop;
            p[row] = seen ? expf(dot(q, k, D) - a.lse[at]) : 0.0F;
            ds[row] = seen ? p[row] * (dot(dy, v, D) - a.delta[at]) : 0.0F;
          }
        });
        block.phase([&](int t, const float* shared) {
          const float* p = shared + 4 * tile_size + t / kRowThreads * (kRows + 1);
          const int part = t % kRowThreads;
          add_weighted<kRows>(p, shared + 3 * tile_size, part, D, dv[t]);
          // q is scaled already.
          add_weighted<kRows>(p + kRows * (kRows + 1), shared + 2 * tile_size, part, D, dk[t]);
        });
      }
    }
    block.each([&](int t) {
      const int64_t row = first + t / kRowThreads;
      if (row >= own_stop) return;
      store_row<T>(dk[t], 1, row, a.kv_heads, kv_head, t % kRowThreads, D, a.dk);
      store_row<T>(dv[t], 1, row, a.kv_heads, kv_head, t % kRowThreads, D, a.dv);
    });
  }
};

/// Calls action with rows of a tile and columns of a thread as types.
template <typename Action>
void with_head(int head_dim, const Action& action) {
  if (head_dim <= 64) {
    action(Several<int, attention_tile(64)>{}, Several<int, 16>{});
  } else if (head_dim <= 128) {
    action(Several<int, attention_tile(128)>{}, Several<int, 32>{});
  } else {
    action(Several<int, attention_tile(kMostHead)>{}, Several<int, kMostHead / kRowThreads>{});
  }
}

template <typename Device>
void attention_forward(const AttentionForward& a, Number type, Stream stream) {
  with_type(type, [&]<typename T>(T) {
    with_head(a.head_dim,
              [&]<int kRows, int kColumns>(Several<int, kRows>, Several<int, kColumns>) {
                using Body = AttentionForwardBlock<T, kRows, kColumns>;
                Device::run(a.tile_count * a.heads, Body::kThreads, Body::shared(a.head_dim),
                            Body{a}, stream);
              });
  });
}

template <typename Device>
void attention_backward(const AttentionBackward& a, Number type, Stream stream) {
  with_type(type, [&]<typename T>(T) {
    using Delta = AttentionDelta<T>;
    Device::run((a.count * a.heads + Delta::kWarps - 1) / Delta::kWarps, Delta::kWarps * kWarp, 0,
                Delta{a}, stream);
    with_head(a.head_dim, [&]<int kRows, int kColumns>(Several<int, kRows>,
                                                       Several<int, kColumns>) {
      using Q = AttentionBackwardQ<T, kRows, kColumns>;
      Device::run(a.tile_count * a.heads, Q::kThreads, Q::shared(a.head_dim), Q{a}, stream);
      using Kv = AttentionBackwardKv<T, kRows, kColumns>;
      Device::run(a.tile_count * a.kv_heads, Kv::kThreads, Kv::shared(a.head_dim), Kv{a}, stream);
    });
  });
}

}  // namespace kani::train::cuda
