// mix.cuh - what mixes neighbours: SwiGLU (two numbers) and the short convolution (some rows of a
// document), with their derivatives.
#pragma once

#include "kani/train/cuda/sums.cuh"

namespace kani::train::cuda {

constexpr int kMixThreads = 128;
constexpr int kMixPacks = 4;  // of a thread

KANI_KERNEL float logistic(float x) { return 1.0F / (1.0F + expf(-x)); }

template <typename T, int kPack>
struct SwigluForwardBlock {
  SwigluForward a;

  template <typename AnyBlock>
  KANI_KERNEL void operator()(AnyBlock& block) const {
    block.each([&](int t) {
      for (int p = 0; p < kMixPacks; ++p) {
        const int64_t i = ((block.index() * kMixPacks + p) * block.threads() + t) * kPack;
        if (i >= a.count) return;
        const Several<float, kPack> gate = load<kPack>(static_cast<const T*>(a.gate) + i),
                                    up = load<kPack>(static_cast<const T*>(a.up) + i);
        Several<float, kPack> y;
        for (int k = 0; k < kPack; ++k) y[k] = gate[k] * logistic(gate[k]) * up[k];
        store(static_cast<T*>(a.y) + i, y);
      }
    });
  }
};

template <typename T, int kPack>
struct SwigluBackwardBlock {
  SwigluBackward a;

  template <typename AnyBlock>
  KANI_KERNEL void operator()(AnyBlock& block) const {
    block.each([&](int t) {
      for (int p = 0; p < kMixPacks; ++p) {
        const int64_t i = ((block.index() * kMixPacks + p) * block.threads() + t) * kPack;
        if (i >= a.count) return;
        const Several<float, kPack> gate = load<kPack>(static_cast<const T*>(a.gate) + i),
                                    up = load<kPack>(static_cast<const T*>(a.up) + i),
                                    dy = load<kPack>(static_cast<const T*>(a.dy) + i);
        Several<float, kPack> dgate, dup;
        for (int k = 0; k < kPack; ++k) {
          const float s = logistic(gate[k]);
          dgate[k] = dy[k] * up[k] * s * (1.0F + gate[k] * (1.0F - s));
          dup[k] = dy[k] * gate[k] * s;
        }
        store(static_cast<T*>(a.dgate) + i, dgate);
        store(static_cast<T*>(a.dup) + i, dup);
      }
    });
  }
};

/// The document of a row: starts[result] <= row < starts[result + 1].
KANI_KERNEL int document_of(const int32_t* starts, int documents, int64_t row) {
  int low = 0, high = documents;
  while (high - low > 1) {
    const int middle = (low + high) / 2;
    if (starts[middle] <= row) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return low;
}

/// b x' of a row at columns c …; `row` of `bcx`, which has 3 * width columns.
template <int kPack, typename T>
KANI_KERNEL Several<float, kPack> gated(const T* bcx, int64_t row, int width, int64_t c) {
  const T* b = bcx + row * 3 * width + c;
  Several<float, kPack> out = load<kPack>(b);
  const Several<float, kPack> x = load<kPack>(b + 2 * width);
  for (int i = 0; i < kPack; ++i) out[i] *= x[i];
  return out;
}

/// A block is kConvRows rows of kMixThreads packs of columns; rows that several taps need come from
/// the cache.
template <typename T, int kPack>
struct ConvForwardBlock {
  ConvForward a;

  template <typename AnyBlock>
  KANI_KERNEL void operator()(AnyBlock& block) const {
    const int columns = block.threads() * kPack, groups = (a.width + columns - 1) / columns;
    const int64_t begin = block.index() / groups * kConvRows;
    const int64_t end = begin + kConvRows < a.count ? begin + kConvRows : a.count;
    const T* bcx = static_cast<const T*>(a.bcx);
    block.each([&](int t) {
      const int64_t c = block.index() % groups * columns + t * kPack;
      if (c >= a.width) return;
      int document = document_of(a.starts, a.documents, begin);
      for (int64_t row = begin; row < end; ++row) {
        while (row >= a.starts[document + 1]) ++document;
        Several<float, kPack> sum = {};
        if (a.bias != nullptr) sum = load<kPack>(a.bias + c);
        for (int l = 0; l < a.length; ++l) {
          const int64_t from = row - (a.length - 1) + l;
          if (from < a.starts[document]) continue;
          const Several<float, kPack> g = gated<kPack>(bcx, from, a.width, c),
                                      tap = load<kPack>(a.taps + l * a.width + c);
          for (int i = 0; i < kPack; ++i) sum[i] += tap[i] * g[i];
        }
        const Several<float, kPack> gate = load<kPack>(bcx + (row * 3 + 1) * a.width + c);
        for (int i = 0; i < kPack; ++i) sum[i] *= gate[i];
        store(static_cast<T*>(a.y) + row * a.width + c, sum);
      }
    });
  }
};

/// The same rows and columns; the sums for taps and bias lie in shared memory, a place for each
/// thread's columns.  What a later row of the document got from this one is read from there.
template <typename T, int kPack>
struct ConvBackwardBlock {
  ConvBackward a;

  template <typename AnyBlock>
  KANI_KERNEL void operator()(AnyBlock& block) const {
    const int columns = block.threads() * kPack, groups = (a.width + columns - 1) / columns;
    const int64_t slab = block.index() / groups, begin = slab * kConvRows;
    const int64_t end = begin + kConvRows < a.count ? begin + kConvRows : a.count;
    const T *bcx = static_cast<const T*>(a.bcx), *dys = static_cast<const T*>(a.dy);
    block.phase([&](int t, float* dtaps) {
      const int64_t c = block.index() % groups * columns + t * kPack;
      if (c >= a.width) return;
      float* own = dtaps + t * kPack;
      for (int l = 0; l <= a.length; ++l) {
        for (int i = 0; i < kPack; ++i) own[l * columns + i] = 0;
      }
      int document = document_of(a.starts, a.documents, begin);
      for (int64_t row = begin; row < end; ++row) {
        while (row >= a.starts[document + 1]) ++document;
        const Several<float, kPack> dy = load<kPack>(dys + row * a.width + c),
                                    gate = load<kPack>(bcx + (row * 3 + 1) * a.width + c);
        Several<float, kPack> sum = {}, dm;
        if (a.bias != nullptr) sum = load<kPack>(a.bias + c);
        for (int i = 0; i < kPack; ++i) {
          dm[i] = dy[i] * gate[i];
          own[a.length * columns + i] += dm[i];
        }
        for (int l = 0; l < a.length; ++l) {
          const int64_t from = row - (a.length - 1) + l;
          if (from < a.starts[document]) continue;
          const Several<float, kPack> g = gated<kPack>(bcx, from, a.width, c),
                                      tap = load<kPack>(a.taps + l * a.width + c);
          for (int i = 0; i < kPack; ++i) {
            sum[i] += tap[i] * g[i];
            own[l * columns + i] += dm[i] * g[i];
          }
        }
        Several<float, kPack> dg = {};
        for (int l = 0; l < a.length; ++l) {
          const int64_t to = row + (a.length - 1) - l;
          if (to >= a.starts[document + 1]) continue;
          const Several<float, kPack> later = load<kPack>(dys + to * a.width + c),
                                      its = load<kPack>(bcx + (to * 3 + 1) * a.width + c),
                                      tap = load<kPack>(a.taps + l * a.width + c);
          for (int i = 0; i < kPack; ++i) dg[i] += tap[i] * (later[i] * its[i]);
        }
        const T* b = bcx + row * 3 * a.width + c;
        const Several<float, kPack> in = load<kPack>(b), x = load<kPack>(b + 2 * a.width);
        Several<float, kPack> db, dc, dx;
        for (int i = 0; i < kPack; ++i) {
          db[i] = dg[i] * x[i];
          dc[i] = dy[i] * sum[i];
          dx[i] = dg[i] * in[i];
        }
        T* out = static_cast<T*>(a.dbcx) + row * 3 * a.width + c;
        store(out, db);
        store(out + a.width, dc);
        store(out + 2 * a.width, dx);
      }
      for (int l = 0; l <= a.length; ++l) {
        for (int i = 0; i < kPack; ++i)
          a.partials[(slab * (a.length + 1) + l) * a.width + c + i] = own[l * columns + i];
      }
    });
  }
};

template <typename Device>
void swiglu_forward(const SwigluForward& a, Number type, Stream stream) {
  with_type(type, [&]<typename T>(T) {
    const auto run = [&]<int kPack>(Several<int, kPack>) {
      const int64_t each = int64_t{kMixThreads} * kMixPacks * kPack;
      Device::run((a.count + each - 1) / each, kMixThreads, 0, SwigluForwardBlock<T, kPack>{a},
                  stream);
    };
    if (packs(a.count, type, a.gate, a.up, a.y)) {
      run(Several<int, 4>{});
    } else {
      run(Several<int, 1>{});
    }
  });
}

template <typename Device>
void swiglu_backward(const SwigluBackward& a, Number type, Stream stream) {
  with_type(type, [&]<typename T>(T) {
    const auto run = [&]<int kPack>(Several<int, kPack>) {
      const int64_t each = int64_t{kMixThreads} * kMixPacks * kPack;
      Device::run((a.count + each - 1) / each, kMixThreads, 0, SwigluBackwardBlock<T, kPack>{a},
                  stream);
    };
    if (packs(a.count, type, a.dy, a.gate, a.up, a.dgate, a.dup)) {
      run(Several<int, 4>{});
    } else {
      run(Several<int, 1>{});
    }
  });
}

/// Blocks for `count` rows of `width` columns.
template <int kPack>
int64_t conv_blocks(int64_t count, int width) {
  constexpr int kColumns = kMixThreads * kPack;
  return conv_partials(count) * ((width + kColumns - 1) / kColumns);
}

template <typename Device>
void conv_forward(const ConvForward& a, Number type, Stream stream) {
  with_type(type, [&]<typename T>(T) {
    if (packs(a.width, type, a.bcx, a.y) && packs(4, Number::kF32, a.taps, a.bias)) {
      Device::run(conv_blocks<4>(a.count, a.width), kMixThreads, 0, ConvForwardBlock<T, 4>{a},
                  stream);
    } else {
      Device::run(conv_blocks<1>(a.count, a.width), kMixThreads, 0, ConvForwardBlock<T, 1>{a},
                  stream);
    }
  });
}

template <typename Device>
void conv_backward(const ConvBackward& a, Number type, Stream stream) {
  const int shared = (a.length + 1) * kMixThreads;
  with_type(type, [&]<typename T>(T) {
    if (packs(a.width, type, a.bcx, a.dy, a.dbcx) && packs(4, Number::kF32, a.taps, a.bias)) {
      Device::run(conv_blocks<4>(a.count, a.width), kMixThreads, 4 * shared,
                  ConvBackwardBlock<T, 4>{a}, stream);
    } else {
      Device::run(conv_blocks<1>(a.count, a.width), kMixThreads, shared, ConvBackwardBlock<T, 1>{a},
                  stream);
    }
  });
  column_sums<Device>(a.partials, conv_partials(a.count), int64_t{a.length + 1} * a.width, a.dtaps,
                      stream);
}

}  // namespace kani::train::cuda
