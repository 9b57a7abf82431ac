// language_simd.h - bodies of the language model's kernels, written once over simd.h; included by
// each ISA file, which exports them through its table.  The reference is language_scalar.cc.
// Legend: see language_kernels.h.
#pragma once

#include <cmath>

#include "kani/backend/cpu/kernels/language_kernels.h"
#include "kani/backend/cpu/kernels/simd.h"

namespace kani::cpu {
namespace {

// Matrix kernels
// -------------------------------------------------------------------------------------------------------

// kVecs registers of rows by kTokens tokens stay in registers over the whole of k.  One accumulator
// per output, so the order of additions does not depend on kVecs or kTokens.  `stride`: numbers
// between two k (pairs: between two k / 2).
template <size_t kVecs, size_t kTokens>
struct Tile {
  Vec acc[kTokens][kVecs];

  void clear() {
    for (auto& row : acc) {
      for (Vec& a : row) a = zero();
    }
  }

  void step(const Vec (&w)[kVecs], const float* x, size_t ldx) {
    for (size_t t = 0; t < kTokens; ++t) {
      const Vec value = set1(x[t * ldx]);
      for (size_t v = 0; v < kVecs; ++v) acc[t][v] = fma(w[v], value, acc[t][v]);
    }
  }

  // Rows beyond `rows` are padding and are not written.
  void put(const GemmArgs& a, size_t first_token, size_t first_row) const {
    for (size_t t = 0; t < kTokens; ++t) {
      float* y = a.y + (first_token + t) * a.ldy + first_row;
      for (size_t v = 0; v < kVecs; ++v) {
        const size_t row = first_row + v * kLanes;
        if (row >= a.rows) break;
        float* out = y + v * kLanes;
        if (row + kLanes <= a.rows) {
          store(out, a.add ? acc[t][v] + load(out) : acc[t][v]);
        } else {
          const size_t left = a.rows - row;
          store_part(out, a.add ? acc[t][v] + load_part(out, left) : acc[t][v], left);
        }
      }
    }
  }
};

// How far ahead of the reading position weights are fetched: the hardware's own prefetching stops
// at page borders.  8 KB gave 7 % more tokens than 2 KB while the host's memory was busy, 16 KB no
// more.
constexpr size_t kPrefetchBytes = 8192;

template <size_t kVecs, size_t kTokens>
void tile_f32(const GemmArgs& a, size_t first_token, size_t first_row) {
  Tile<kVecs, kTokens> tile;
  tile.clear();
  const float* w = static_cast<const float*>(a.w) + first_row;
  const float* x = a.x + first_token * a.ldx;
  for (size_t k = 0; k < a.cols; ++k, w += kBlockRows) {
    if constexpr (kTokens == 1) {
      for (size_t line = 0; line < kVecs * kLanes; line += 16)
        prefetch(w + line + kPrefetchBytes / 4);
    }
    Vec values[kVecs];
    for (size_t v = 0; v < kVecs; ++v) values[v] = load(w + v * kLanes);
    tile.step(values, x + k, a.ldx);
  }
  tile.put(a, first_token, first_row);
}

template <size_t kVecs, size_t kTokens>
void tile_bf16(const GemmArgs& a, size_t first_token, size_t first_row) {
  Tile<kVecs, kTokens> tile;
  tile.clear();
  const uint16_t* w = static_cast<const uint16_t*>(a.w) + first_row * 2;
  const float* x = a.x + first_token * a.ldx;
  for (size_t k = 0; k < a.cols; k += 2, w += kBlockRows * 2) {
    if constexpr (kTokens == 1) {
      for (size_t line = 0; line < kVecs * kLanes * 2; line += 32) {
        prefetch(w + line + kPrefetchBytes / 2);
      }
    }
    Pairs pairs[kVecs];
    Vec values[kVecs];
    for (size_t v = 0; v < kVecs; ++v) pairs[v] = load_pairs(w + v * kLanes * 2);
    for (size_t v = 0; v < kVecs; ++v) values[v] = even(pairs[v]);
    tile.step(values, x + k, a.ldx);
    if (k + 1 < a.cols) {
      for (size_t v = 0; v < kVecs; ++v) values[v] = odd(pairs[v]);
      tile.step(values, x + k + 1, a.ldx);
    }
  }
  tile.put(a, first_token, first_row);
}

// Tile sizes by the number of registers: 32 wide ones (AVX-512, NEON) or 16 (AVX2).
#if defined(__AVX512F__)
constexpr size_t kTileVecs = 4, kTileTokens = 6;
#elif defined(__AVX2__)
constexpr size_t kTileVecs = 4, kTileTokens = 3;
#else
constexpr size_t kTileVecs = 4, kTileTokens = 6;
#endif
constexpr size_t kBlockVecs = kBlockRows / kLanes;

using TileFn = void (*)(const GemmArgs&, size_t, size_t);

// All tokens of a block: tiles of kTileTokens, then what is left.  A single token takes the whole
// block at once, so that memory is read strictly in order.
inline void run_tiles(const GemmArgs& a, TileFn single, const TileFn* by_tokens) {
  if (a.tokens == 1) return single(a, 0, 0);
  size_t first = 0;
  while (first < a.tokens) {
    const size_t count = a.tokens - first < kTileTokens ? a.tokens - first : kTileTokens;
    for (size_t row = 0; row < a.rows; row += kTileVecs * kLanes)
      by_tokens[count - 1](a, first, row);
    first += count;
  }
}

inline void gemm_f32(const GemmArgs& a) noexcept {
  static constexpr TileFn kTiles[] = {
    tile_f32<kTileVecs, 1>,
    tile_f32<kTileVecs, 2>,
    tile_f32<kTileVecs, 3>,
#if !defined(__AVX2__) || defined(__AVX512F__)
    tile_f32<kTileVecs, 4>,
    tile_f32<kTileVecs, 5>,
    tile_f32<kTileVecs, 6>,
#endif
  };
  run_tiles(a, tile_f32<kBlockVecs, 1>, kTiles);
}

inline void gemm_bf16(const GemmArgs& a) noexcept {
  static constexpr TileFn kTiles[] = {
    tile_bf16<kTileVecs, 1>,
    tile_bf16<kTileVecs, 2>,
    tile_bf16<kTileVecs, 3>,
#if !defined(__AVX2__) || defined(__AVX512F__)
    tile_bf16<kTileVecs, 4>,
    tile_bf16<kTileVecs, 5>,
    tile_bf16<kTileVecs, 6>,
#endif
  };
  run_tiles(a, tile_bf16<kBlockVecs, 1>, kTiles);
}

// Row kernels
// ----------------------------------------------------------------------------------------------------------

inline float inverse_rms(const float* x, size_t n, float eps) {
  Vec squares = zero();
  for_lanes(n, [&](size_t i, size_t count) {
    const Vec v = load_n(x + i, count);
    squares = fma(v, v, squares);
  });
  return 1.0F / std::sqrt(sum(squares) / static_cast<float>(n) + eps);
}

inline void rms_norm(const float* x, const float* w, float eps, size_t n, float* y) noexcept {
  const Vec scale = set1(inverse_rms(x, n, eps));
  for_lanes(n, [&](size_t i, size_t count) {
    store_n(y + i, load_n(x + i, count) * scale * load_n(w + i, count), count);
  });
}

inline void silu_mul(const float* gate, const float* up, size_t n, float* y) noexcept {
  const Vec one = set1(1.0F);
  for_lanes(n, [&](size_t i, size_t count) {
    const Vec z = load_n(gate + i, count);
    store_n(y + i, z / (one + exp(zero() - z)) * load_n(up + i, count), count);
  });
}

inline void norm_rope(float* x, const float* w, float eps, const float* cos, const float* sin,
                      size_t head_dim) noexcept {
  const Vec scale = set1(inverse_rms(x, head_dim, eps));
  const size_t half = head_dim / 2;
  for_lanes(half, [&](size_t i, size_t count) {
    const Vec a = load_n(x + i, count) * scale * load_n(w + i, count);
    const Vec b = load_n(x + half + i, count) * scale * load_n(w + half + i, count);
    const Vec c = load_n(cos + i, count), s = load_n(sin + i, count);
    store_n(x + i, a * c - b * s, count);
    store_n(x + half + i, b * c + a * s, count);
  });
}

inline void conv_step(const float* b, const float* c, const float* x, const float* taps,
                      size_t taps_count, const float* bias, const float* const* history, size_t n,
                      float* g, float* y) noexcept {
  for_lanes(n, [&](size_t i, size_t count) {
    const Vec now = load_n(b + i, count) * load_n(x + i, count);
    Vec total = bias == nullptr ? zero() : load_n(bias + i, count);
    for (size_t j = 0; j + 1 < taps_count; ++j) {
      total = fma(load_n(taps + j * n + i, count), load_n(history[j] + i, count), total);
    }
    total = fma(load_n(taps + (taps_count - 1) * n + i, count), now, total);
    store_n(g + i, now, count);
    store_n(y + i, load_n(c + i, count) * total, count);
  });
}

// Attention
// ------------------------------------------------------------------------------------------------------------

constexpr size_t kKeyBlock = 16;  // elements per block of keys

inline void score_block(const AttendArgs& a, const float* q, size_t block, float* scores) {
  constexpr size_t kParts = kKeyBlock / kLanes;
  Vec acc[kParts];
  for (Vec& part : acc) part = zero();
  const float* keys = a.keys + block * a.head_dim * kKeyBlock;
  for (size_t d = 0; d < a.head_dim; ++d) {
    const Vec value = set1(q[d]);
    for (size_t p = 0; p < kParts; ++p) {
      acc[p] = fma(load(keys + d * kKeyBlock + p * kLanes), value, acc[p]);
    }
  }
  for (size_t p = 0; p < kParts; ++p) {
    store(scores + block * kKeyBlock + p * kLanes, acc[p] * set1(a.scale));
  }
}

// Softmax over the first n of scores, unnormalized: returns the sum.
inline float exp_scores(float* scores, size_t n) {
  Vec top = set1(scores[0]);
  for_lanes(n, [&](size_t i, size_t count) {
    // A part is filled up with its own first value, not with zeros.
    if (count == kLanes) {
      top = max(top, load(scores + i));
    } else {
      for (size_t j = 0; j < count; ++j) top = max(top, set1(scores[i + j]));
    }
  });
  const Vec peak = set1(largest(top));
  float total = 0;
  for_lanes(n, [&](size_t i, size_t count) {
    store_n(scores + i, exp(load_n(scores + i, count) - peak), count);
    total += sum(load_n(scores + i, count));
  });
  return total;
}

inline void attend(const AttendArgs& a) noexcept {
  const size_t blocks = (a.elements + kKeyBlock - 1) / kKeyBlock;
  for (size_t h = 0; h < a.group; ++h) {
    float* scores = a.scores + h * blocks * kKeyBlock;
    for (size_t block = 0; block < blocks; ++block)
      score_block(a, a.q + h * a.head_dim, block, scores);
    const Vec norm = set1(1.0F / exp_scores(scores, a.elements));
    float* y = a.y + h * a.head_dim;
    for_lanes(a.head_dim, [&](size_t d, size_t count) {
      Vec total = zero();
      const float* values = a.values + d;
      for (size_t s = 0; s < a.elements; ++s, values += a.value_stride) {
        total = fma(set1(scores[s]), load_n(values, count), total);
      }
      store_n(y + d, total * norm, count);
    });
  }
}

}  // namespace
}  // namespace kani::cpu
