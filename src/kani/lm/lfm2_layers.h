// lfm2_layers.h - private parts of Lfm2: weights of a layer and the workspace of a forward pass.
#pragma once

#include <memory>
#include <vector>

#include "kani/base/buffer.h"
#include "kani/lm/lfm2.h"

namespace kani {

struct Lfm2::Layer {
  LayerKind kind = LayerKind::kConv;
  int index = 0;    // in the model
  int ordinal = 0;  // among the layers of its kind: which cache, which tail
  std::vector<float> operator_norm, ffn_norm;
  std::unique_ptr<MatrixWeight> w13;  // gate and up, one below the other [2I, H]
  std::unique_ptr<MatrixWeight> w2;   // [H, I]
  // attention
  std::unique_ptr<MatrixWeight> qkv;  // [(heads + 2 kv) D, H]
  std::vector<float> q_norm, k_norm, frequencies;
  // short convolution
  std::unique_ptr<MatrixWeight> in_proj;  // [3H, H]
  std::vector<float> taps;                // [L, H], transposed from the file
  std::vector<float> in_bias, conv_bias, out_bias;
  std::unique_ptr<MatrixWeight> out_proj;  // both kinds
};

struct Lfm2::Segment {
  Lfm2Sequence* sequence = nullptr;
  std::span<const Element> elements;
  size_t first_row = 0;
};

/// Named rows of one pass, each [block, width]; allocated once.
struct Lfm2::Workspace {
  Workspace(const Lfm2Config& config, size_t attention_layers, size_t block_elements);

  size_t block;  // elements that run through the layers together

  Buffer<float> x, normed, wide, product,
      hidden;               // residual stream; normed input; qkv / bcx / gate-up; output
  Buffer<float> mixed;      // input of out_proj
  Buffer<float> cos, sin;   // [attention layers, rows, D/2]
  std::vector<float> last;  // hidden states that are handed out
  size_t half_dim = 0;

  Matrix rope(Buffer<float>& table, int ordinal, size_t rows) {
    return {table.data() + static_cast<size_t>(ordinal) * block * half_dim, rows, half_dim};
  }
};

}  // namespace kani
