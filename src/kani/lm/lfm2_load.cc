// lfm2_load.cc - from named tensors to the backend's layout.  Order of memory = order of reading:
// per layer the operator's matrices, then the feed forward's.
#include <cassert>
#include <cmath>
#include <cstring>

#include "kani/base/error.h"
#include "kani/formats/stored_matrix.h"
#include "kani/lm/lfm2_layers.h"
#include "kani/lm/quant_policy.h"
#include "kani/tokens/layout.h"

namespace kani {
namespace {

// Throws if a float of the tensor is NaN or infinite: all exponent bits set.
void check_finite(const TensorInfo& tensor, const std::filesystem::path& path) {
  const auto scan = [&]<typename Word>(Word exponent) {
    const size_t count = tensor.bytes.size() / sizeof(Word);
    for (size_t i = 0; i < count; ++i) {
      Word word;
      std::memcpy(&word, tensor.bytes.data() + i * sizeof(Word), sizeof(Word));
      if ((word & exponent) == exponent) {
        throw Error(ErrorCode::kBadInput, path, ": tensor ", tensor.name,
                    " holds NaN or infinity at element ", i);
      }
    }
  };
  switch (tensor.dtype) {
    case DType::kF32:
      return scan(uint32_t{0x7F800000});
    case DType::kBF16:
      return scan(uint16_t{0x7F80});
    case DType::kF16:
      return scan(uint16_t{0x7C00});
    default:
      throw Error(ErrorCode::kBadInput, path, ": tensor ", tensor.name, " is ",
                  dtype_name(tensor.dtype), ", expected F32, BF16 or F16");
  }
}

}  // namespace

std::vector<float> Lfm2::load_vector(std::string_view name, bool check) const {
  const TensorInfo* tensor = file_->find(name);
  assert(tensor != nullptr && "lfm2_resolve() checks the tensors");
  if (check) check_finite(*tensor, file_->path());
  std::vector<float> values(tensor->elements());
  to_f32(tensor->dtype, tensor->bytes, values);
  return values;
}

std::unique_ptr<MatrixWeight> Lfm2::load_matrix(const Lfm2Matrix& matrix, MatrixType type,
                                                bool check) const {
  if (!config_.stored_type.empty()) return load_stored(matrix, check);
  std::vector<MatrixPart> parts;
  for (const std::string& name : matrix.tensors) {
    const TensorInfo* tensor = file_->find(name);
    assert(tensor != nullptr && "lfm2_resolve() checks the tensors");
    if (check) check_finite(*tensor, file_->path());
    parts.push_back({tensor->dtype, tensor->bytes, tensor->shape.at(0)});
  }
  std::unique_ptr<MatrixWeight> packed = ops_.pack(parts, matrix.cols, type);
  for (const std::string& name : matrix.tensors) file_->release(*file_->find(name));
  return packed;
}

// Where the file holds the matrix in the backend's layout, it is used there; null if it does not.
std::unique_ptr<MatrixWeight> Lfm2::load_stored(const Lfm2Matrix& matrix, bool check) const {
  const auto stored = find_stored(*file_, matrix.name, matrix.rows, matrix.cols);
  if (!stored) return nullptr;
  if (check) check_stored_scales(*stored, matrix.cols, *file_);
  return ops_.adopt(stored->tensor->bytes, matrix.rows, matrix.cols,
                    stored->q4 ? MatrixType::kQ4 : MatrixType::kQ8);
}

// freq_k = alpha * theta^(-2k/D), in float32 as the reference computes it (language-model.md 6).
// kBF16 rounds the base and the product, as a model does that was trained with all of its buffers
// cast to bf16 (training.md 7.5).
std::vector<float> Lfm2::rope_frequencies(int layer) const {
  const int dim = config_.head_dim;
  std::vector<float> frequencies(static_cast<size_t>(dim / 2));
  for (int k = 0; k < dim / 2; ++k) {
    const float exponent = static_cast<float>(2 * k) / static_cast<float>(dim);
    auto base =
        static_cast<float>(1.0 / std::pow(config_.rope_theta, static_cast<double>(exponent)));
    const auto round = [&](float value) {
      return config_.rope_precision == RopePrecision::kBF16 ? bf16_to_f32(f32_to_bf16(value))
                                                            : value;
    };
    frequencies[static_cast<size_t>(k)] = round(alphas_[static_cast<size_t>(layer)] * round(base));
  }
  return frequencies;
}

void Lfm2::load_layers(bool check) {
  const auto width = static_cast<size_t>(config_.hidden_size);
  const auto taps = static_cast<size_t>(config_.conv_kernel);
  alphas_.assign(config_.layers.size(), 1.0F);
  int convs = 0, attentions = 0;
  for (size_t i = 0; i < config_.layers.size(); ++i) {
    const std::string prefix = concat("model.layers.", i, ".");
    const std::vector<Lfm2Matrix> matrices = lfm2_layer_matrices(config_, i);
    const auto load = [&](size_t index, MatrixRole role) {
      return load_matrix(
          matrices[index],
          matrix_type_for(matrix_type_, role, i, config_.layers.size(), embedding_->dtype), check);
    };
    Layer layer;
    layer.kind = config_.layers[i];
    layer.index = static_cast<int>(i);
    layer.operator_norm = load_vector(prefix + "operator_norm.weight", check);
    if (layer.kind == LayerKind::kAttention) {
      layer.ordinal = attentions++;
      if (config_.use_learnable_rope.value_or(false)) {
        const float w =
            load_vector(concat("model.learnable_rope_layers.", i, ".alpha_weight"), check).at(0);
        const double gate = 1.0 / (1.0 + std::exp(-static_cast<double>(w)));
        alphas_[i] =
            static_cast<float>(config_.alpha_min + (config_.alpha_max - config_.alpha_min) * gate);
      }
      const std::string attention = prefix + "self_attn.";
      layer.frequencies = rope_frequencies(layer.index);
      layer.qkv = load(0, MatrixRole::kAttentionIn);
      layer.q_norm = load_vector(attention + "q_layernorm.weight", check);
      layer.k_norm = load_vector(attention + "k_layernorm.weight", check);
      layer.out_proj = load(1, MatrixRole::kAttentionOut);
    } else {
      layer.ordinal = convs++;
      const std::string conv = prefix + "conv.";
      layer.in_proj = load(0, MatrixRole::kConvIn);
      const std::vector<float> stored = load_vector(conv + "conv.weight", check);  // [H, 1, L]
      layer.taps.resize(stored.size());
      for (size_t c = 0; c < width; ++c) {
        for (size_t j = 0; j < taps; ++j) layer.taps[j * width + c] = stored[c * taps + j];
      }
      if (config_.conv_bias) {
        layer.in_bias = load_vector(conv + "in_proj.bias", check);
        layer.conv_bias = load_vector(conv + "conv.bias", check);
        layer.out_bias = load_vector(conv + "out_proj.bias", check);
      }
      layer.out_proj = load(1, MatrixRole::kConvOut);
    }
    layer.ffn_norm = load_vector(prefix + "ffn_norm.weight", check);
    layer.w13 = load(2, MatrixRole::kGateUp);
    layer.w2 = load(3, MatrixRole::kDown);
    layers_.push_back(std::move(layer));
  }
  final_norm_ = load_vector("model.embedding_norm.weight", check);
  if (const TensorInfo* voice = file_->find("model.speaker_emb_projection.weight")) {
    if (check) check_finite(*voice, file_->path());
    const MatrixPart part{voice->dtype, voice->bytes, width};
    speaker_projection_ =
        ops_.pack({&part, 1}, static_cast<size_t>(config_.speaker_emb_dim), MatrixType::kF32);
  }
}

MatrixType Lfm2::head_type() const {
  return matrix_type_for(matrix_type_, MatrixRole::kHead, 0, config_.layers.size(),
                         embedding_->dtype);
}

// A stored head that equals the embedding bit for bit is the tied one; one that differs is used
// (language-model.md 2.3; lfm2_resolve compares).
void Lfm2::load_heads(bool check) {
  head_rows_ = embedding_;
  if (check) check_finite(*embedding_, file_->path());
  if (const TensorInfo* stored = file_->find("lm_head.weight")) {
    if (config_.separate_head) {
      if (check) check_finite(*stored, file_->path());
      head_rows_ = stored;
    } else {
      parameters_ -= stored->elements();
    }
  }
  const auto width = static_cast<size_t>(config_.hidden_size);
  const size_t row_bytes = width * dtype_size(head_rows_->dtype);
  const auto rows = [&](int first, int count) {
    return MatrixPart{head_rows_->dtype,
                      head_rows_->bytes.subspan(static_cast<size_t>(first) * row_bytes,
                                                static_cast<size_t>(count) * row_bytes),
                      static_cast<size_t>(count)};
  };
  const int end_of_speech = TokenLayout::of(config_).end_of_speech;
  for (int slot = 0; slot < config_.tokens_per_frame; ++slot) {
    if (auto stored = load_stored(lfm2_head_matrix(config_, slot), check)) {
      heads_.push_back(std::move(stored));
      continue;
    }
    const int size = config_.codebook_size();
    std::vector<MatrixPart> parts{rows(config_.audio_tokens_start + slot * size, size)};
    if (slot == 0) parts.push_back(rows(end_of_speech, 1));
    heads_.push_back(ops_.pack(parts, width, head_type()));
  }
}

}  // namespace kani
