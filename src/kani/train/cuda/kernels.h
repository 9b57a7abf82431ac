// kernels.h - the fused operations of training as plain calls: pointers, sizes, a stream.  No
// LibTorch, no CUDA headers.  Filled by *.cu for GPUs and by twin.cc for CPUs; both come from
// the same sources (*.cuh).
// All arrays are contiguous.  `T` in a comment is float32 or bf16, as `type` says; sums are
// float32. Nothing is added up by atomics: the same call gives the same bits. Legend: see ops.h.
// starts: int32 [documents + 1], where documents begin, then N.
#pragma once

#include <cstddef>
#include <cstdint>

namespace kani::train::cuda {

enum class Number { kF32, kBF16 };

/// Where a call runs: a cudaStream_t, null for the default one; the twin ignores it.
using Stream = void*;

/// y = s * inv * w, inv = 1 / sqrt(mean s^2 + eps), s = x + more.
struct NormForward {
  const void* x;     // T [rows, width]
  const void* more;  // T [rows, width] or null
  const float* w;    // [width]
  float eps;
  int64_t rows;
  int width;
  void* sum;   // T [rows, width]: x + more; null without `more`
  void* y;     // T [rows, width]
  float* inv;  // [rows]
};
/// dx (also that of `more`) = what comes through the norm + dsum.
struct NormBackward {
  const void *dy, *x;  // T [rows, width]; x is the sum where there was one
  const void* dsum;    // T [rows, width] or null
  const float *w, *inv;
  int64_t rows;
  int width;
  void* dx;         // T [rows, width]
  float* partials;  // [norm_partials(rows), width]
  float* dw;        // [width]
};
constexpr int kNormRows = 16;  // of a block
constexpr int64_t norm_partials(int64_t rows) { return (rows + kNormRows - 1) / kNormRows; }
/// One row of sums lies in shared memory.
constexpr int kMostNormWidth = 8192;

/// Heads of an element normed, then turned by its angles.
struct RopeForward {
  const void* x;        // T [count, heads, 2 * half]
  const float* w;       // [2 * half]
  const float* angles;  // [count, half]
  float eps;
  int64_t count;
  int heads, half;
  void* y;  // T, as x
};
struct RopeBackward {
  const void *dy, *x;
  const float *w, *angles;
  float eps;
  int64_t count;
  int heads, half;
  void* dx;         // T, as x
  float* dangles;   // [count, half]
  float* partials;  // [rope_partials(count), 2 * half]
  float* dw;        // [2 * half]
};
constexpr int kRopeElements = 16;  // of a block
constexpr int64_t rope_partials(int64_t count) {
  return (count + kRopeElements - 1) / kRopeElements;
}
constexpr int kMostHalf = 128;

/// y = silu(gate) * up.
struct SwigluForward {
  const void *gate, *up;
  int64_t count;
  void* y;
};
struct SwigluBackward {
  const void *dy, *gate, *up;
  int64_t count;
  void *dgate, *dup;
};

/// y = c * (conv(b * x') + bias), [b, c, x'] = bcx.
struct ConvForward {
  const void* bcx;    // T [count, 3 * width]
  const float* taps;  // [length, width]
  const float* bias;  // [width] or null
  const int32_t* starts;
  int documents;
  int64_t count;
  int width, length;
  void* y;  // T [count, width]
};
struct ConvBackward {
  const void *dy, *bcx;
  const float *taps, *bias;
  const int32_t* starts;
  int documents;
  int64_t count;
  int width, length;
  void* dbcx;       // T [count, 3 * width]
  float* partials;  // [conv_partials(count), length + 1, width]
  float* dtaps;     // [length + 1, width]: those of the taps, then that of the bias
};
constexpr int kConvRows = 32;  // of a block
constexpr int64_t conv_partials(int64_t count) { return (count + kConvRows - 1) / kConvRows; }
constexpr int kMostTaps = 16;

/// Logits of a row become factor * (p - one-hot), losses[row] = -log p[target]; a row with a target
/// below 0 becomes zeros.
struct Classify {
  void* logits;  // T [rows, vocabulary]
  const int64_t* targets;
  int64_t rows, vocabulary;
  float factor;
  float* losses;  // [rows]
};

/// Causal attention within documents, keys shared by groups of heads; one tile of rows and one
/// head a block, softmax on the way.  D up to kMostHead, no tensor cores: see ops_cuda.h.
struct AttentionForward {
  const void *q, *k, *v;  // T [count, heads, D], [count, kv_heads, D] twice
  /// int32 [tiles][4]: first row, rows (at most attention_tile(D)), and of its document the first
  /// row and the one behind it.
  const int32_t* tiles;
  int64_t tile_count;
  int64_t count;
  int heads, kv_heads, head_dim;
  float scale;
  void* y;     // T, as q
  float* lse;  // [count, heads]: log of the sum of exponentials of scaled scores
};
struct AttentionBackward {
  const void *dy, *q, *k, *v, *y;
  const float* lse;
  const int32_t* tiles;
  int64_t tile_count;
  int64_t count;
  int heads, kv_heads, head_dim;
  float scale;
  float* delta;  // [count, heads], scratch
  void *dq, *dk, *dv;
};
constexpr int kMostHead = 256;
constexpr int attention_tile(int head_dim) { return head_dim <= 128 ? 32 : 16; }

/// A parameter and what belongs to it; float32 but for `copy`.
struct AdamwTensor {
  float* parameter;
  const float* gradient;
  float *first, *second;
  const float* steps;  // a number, counted up already
  void* copy;          // bf16: the parameter rounded, for the products; or null
  int64_t count;
  int64_t block;  // the first that works on it: the sum of adamw_blocks() before
  int32_t group;
};
struct Adamw {
  const AdamwTensor* tensors = nullptr;
  int64_t tensor_count = 0, blocks = 0;
  float rate[2], decay[2];  // by group
  float beta1, beta2, eps;
  float factor;  // on gradients: clipping
};
/// Sums of squares of the gradients, one for each block.
struct SquareSums {
  const AdamwTensor* tensors;
  int64_t tensor_count, blocks;
  double* sums;  // [blocks]
};
constexpr int kAdamwNumbers = 8192;  // of a block
constexpr int64_t adamw_blocks(int64_t count) {
  return (count + kAdamwNumbers - 1) / kAdamwNumbers;
}

/// All of them, for one kind of device.
struct Kernels {
  void (*norm_forward)(const NormForward&, Number type, Stream);
  void (*norm_backward)(const NormBackward&, Number type, Stream);
  void (*rope_forward)(const RopeForward&, Number type, Stream);
  void (*rope_backward)(const RopeBackward&, Number type, Stream);
  void (*swiglu_forward)(const SwigluForward&, Number type, Stream);
  void (*swiglu_backward)(const SwigluBackward&, Number type, Stream);
  void (*conv_forward)(const ConvForward&, Number type, Stream);
  void (*conv_backward)(const ConvBackward&, Number type, Stream);
  void (*classify)(const Classify&, Number type, Stream);
  void (*attention_forward)(const AttentionForward&, Number type, Stream);
  void (*attention_backward)(const AttentionBackward&, Number type, Stream);
  void (*adamw)(const Adamw&, Stream);
  void (*square_sums)(const SquareSums&, Stream);
};

/// Those for GPUs; only in builds with KANI_CUDA.
const Kernels& gpu_kernels();

}  // namespace kani::train::cuda
