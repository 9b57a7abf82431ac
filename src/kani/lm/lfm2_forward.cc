// lfm2_forward.cc - one block of elements through the layers; reads like language-model.md 7.
// Legend: T rows in the block, H hidden size, D head width, I inner size.  Rows of one sequence are
// adjacent.
#include <cmath>
#include <cstring>

#include "kani/base/error.h"
#include "kani/lm/lfm2_layers.h"

namespace kani {

void Lfm2::run_block(std::span<const Segment> segments, const Lfm2Observer& observer) {
  const size_t rows = segments.back().first_row + segments.back().elements.size();
  const auto width = static_cast<size_t>(config_.hidden_size);
  const Matrix x = workspace_->x.matrix(rows, width);
  embed(segments);
  if (observer) observer("embeddings", -1, x);
  fill_rope(segments);
  for (const Layer& layer : layers_) {
    if (layer.kind == LayerKind::kAttention) {
      attention_operator(layer, segments, observer);
    } else {
      conv_operator(layer, segments, observer);
    }
    feed_forward(layer, rows, observer);
    if (observer) observer("out", layer.index, x);
  }
  const Matrix hidden = workspace_->hidden.matrix(rows, width);
  ops_.rms_norm(x, final_norm_, config_.norm_eps, hidden);
  if (observer) observer("final_norm", -1, hidden);
  for (const Segment& segment : segments) segment.sequence->length_ += segment.elements.size();
}

// x = rows of the embedding; the voice slot shows the projected voice.
void Lfm2::embed(std::span<const Segment> segments) {
  const auto width = static_cast<size_t>(config_.hidden_size);
  const size_t row_bytes = width * dtype_size(embedding_->dtype);
  for (const Segment& segment : segments) {
    float* row = workspace_->x.data() + segment.first_row * width;
    for (const Element& element : segment.elements) {
      if (element.id != kVoiceSlot) {
        to_f32(embedding_->dtype,
               embedding_->bytes.subspan(static_cast<size_t>(element.id) * row_bytes, row_bytes),
               {row, width});
      } else {
        require(!segment.sequence->voice_row_.empty(),
                "a voice slot in a sequence without a voice");
        std::memcpy(row, segment.sequence->voice_row_.data(), width * sizeof(float));
      }
      row += width;
    }
  }
}

// cos and sin of every row for every attention layer; the angle is formed in float32 as in the
// reference.
void Lfm2::fill_rope(std::span<const Segment> segments) {
  const size_t half = workspace_->half_dim;
  for (const Segment& segment : segments) {
    Lfm2Sequence& sequence = *segment.sequence;
    for (size_t t = 0; t < segment.elements.size(); ++t) {
      const double position = segment.elements[t].position;
      const bool known = position == sequence.rope_position_;
      sequence.rope_position_ = position;
      for (const Layer& layer : layers_) {
        if (layer.kind != LayerKind::kAttention) continue;
        float* table = sequence.rope_.data() + static_cast<size_t>(layer.ordinal) * 2 * half;
        for (size_t k = 0; !known && k < half; ++k) {
          const float angle = static_cast<float>(position) * layer.frequencies[k];
          table[k] = static_cast<float>(std::cos(static_cast<double>(angle)));
          table[half + k] = static_cast<float>(std::sin(static_cast<double>(angle)));
        }
        const size_t row = segment.first_row + t;
        std::memcpy(workspace_->rope(workspace_->cos, layer.ordinal, row + 1).row(row), table,
                    half * sizeof(float));
        std::memcpy(workspace_->rope(workspace_->sin, layer.ordinal, row + 1).row(row),
                    table + half, half * sizeof(float));
      }
    }
  }
}

// residual += W x.  An observer wants the product alone; adding it afterwards gives the same
// numbers.
void Lfm2::add_product(ConstMatrix x, const MatrixWeight& w, Matrix residual, std::string_view name,
                       int layer, const Lfm2Observer& observer) {
  if (!observer) return ops_.matmul_add(x, w, residual);
  const Matrix product = workspace_->product.matrix(x.rows(), w.rows());
  ops_.matmul(x, w, product);
  observer(name, layer, product);
  for (size_t t = 0; t < product.rows(); ++t) {
    for (size_t c = 0; c < product.cols(); ++c) residual.at(t, c) += product.at(t, c);
  }
}

// x += Wo attention(rope(norm(Wq u)), rope(norm(Wk u)), Wv u),  u = rms(x)
void Lfm2::attention_operator(const Layer& layer, std::span<const Segment> segments,
                              const Lfm2Observer& observer) {
  const size_t rows = segments.back().first_row + segments.back().elements.size();
  const AttentionShape shape{static_cast<size_t>(config_.heads),
                             static_cast<size_t>(config_.kv_heads),
                             static_cast<size_t>(config_.head_dim)};
  const size_t q_width = shape.heads * shape.head_dim, kv_width = shape.kv_heads * shape.head_dim;
  Workspace& s = *workspace_;
  const auto width = static_cast<size_t>(config_.hidden_size);
  const Matrix x = s.x.matrix(rows, width), u = s.normed.matrix(rows, width);
  const Matrix qkv = s.wide.matrix(rows, q_width + 2 * kv_width);
  const Matrix q = qkv.cols(0, q_width), k = qkv.cols(q_width, kv_width),
               v = qkv.cols(q_width + kv_width, kv_width);
  const Matrix mixed = s.mixed.matrix(rows, q_width);

  ops_.rms_norm(x, layer.operator_norm, config_.norm_eps, u);
  if (observer) observer("operator_norm", layer.index, u);
  ops_.matmul(u, *layer.qkv, qkv);
  const Matrix cos = s.rope(s.cos, layer.ordinal, rows), sin = s.rope(s.sin, layer.ordinal, rows);
  ops_.norm_rope(q, layer.q_norm, config_.norm_eps, cos, sin);
  ops_.norm_rope(k, layer.k_norm, config_.norm_eps, cos, sin);
  if (observer) {
    observer("q_rope", layer.index, q);
    observer("k_rope", layer.index, k);
    observer("v", layer.index, v);
  }
  for (const Segment& segment : segments) {
    const size_t first = segment.first_row, count = segment.elements.size();
    KvCache& cache = *segment.sequence->caches_[static_cast<size_t>(layer.ordinal)];
    ops_.attention(q.rows(first, count), k.rows(first, count), v.rows(first, count), shape,
                   segment.sequence->length_, cache, mixed.rows(first, count));
  }
  add_product(mixed, *layer.out_proj, x, "operator", layer.index, observer);
}

// x += Wout (c * conv(b * x')),  [b; c; x'] = Win rms(x)
void Lfm2::conv_operator(const Layer& layer, std::span<const Segment> segments,
                         const Lfm2Observer& observer) {
  const size_t rows = segments.back().first_row + segments.back().elements.size();
  const auto width = static_cast<size_t>(config_.hidden_size);
  Workspace& s = *workspace_;
  const Matrix x = s.x.matrix(rows, width), u = s.normed.matrix(rows, width);
  const Matrix bcx = s.wide.matrix(rows, 3 * width), mixed = s.mixed.matrix(rows, width);
  const ConstMatrix taps(layer.taps.data(), static_cast<size_t>(config_.conv_kernel), width);
  const auto add_bias = [](Matrix y, const std::vector<float>& bias) {
    for (size_t t = 0; t < y.rows(); ++t) {
      for (size_t c = 0; c < bias.size(); ++c) y.at(t, c) += bias[c];
    }
  };

  ops_.rms_norm(x, layer.operator_norm, config_.norm_eps, u);
  if (observer) observer("operator_norm", layer.index, u);
  ops_.matmul(u, *layer.in_proj, bcx);
  add_bias(bcx, layer.in_bias);
  if (observer) observer("conv_in_proj", layer.index, bcx);
  for (const Segment& segment : segments) {
    const size_t first = segment.first_row, count = segment.elements.size();
    ops_.short_conv(bcx.rows(first, count), taps, layer.conv_bias,
                    segment.sequence->mutable_conv_tail(layer.index), mixed.rows(first, count));
  }
  add_bias(x, layer.out_bias);
  add_product(mixed, *layer.out_proj, x, "operator", layer.index, observer);
}

// x += W2 (silu(W1 u) * W3 u),  u = rms(x)
void Lfm2::feed_forward(const Layer& layer, size_t rows, const Lfm2Observer& observer) {
  const auto width = static_cast<size_t>(config_.hidden_size);
  const auto inner = static_cast<size_t>(config_.intermediate_size);
  Workspace& s = *workspace_;
  const Matrix x = s.x.matrix(rows, width), u = s.normed.matrix(rows, width);
  const Matrix gate_up = s.wide.matrix(rows, 2 * inner);
  const Matrix gate = gate_up.cols(0, inner), up = gate_up.cols(inner, inner);
  ops_.rms_norm(x, layer.ffn_norm, config_.norm_eps, u);
  if (observer) observer("ffn_norm", layer.index, u);
  ops_.matmul(u, *layer.w13, gate_up);
  ops_.silu_mul(gate, up, gate);
  add_product(gate, *layer.w2, x, "ffn", layer.index, observer);
}

}  // namespace kani
