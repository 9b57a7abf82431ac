// wavlm_load.cc - the encoder's weights: the small ones copied, the convolutions' brought into the
// order of the computation, the matrices of the transformer left in their file.
#include <algorithm>
#include <cmath>

#include "kani/base/error.h"
#include "kani/speaker/wavlm_workspace.h"

namespace kani {
namespace {

constexpr double kHeadEps = 1e-3;

// [out, in, taps] to [out, taps, in]: a window of frames lies tap by tap.
std::vector<float> taps_first(std::span<const float> w, size_t outputs, size_t inputs,
                              size_t taps) {
  std::vector<float> turned(w.size());
  for (size_t o = 0; o < outputs; ++o) {
    for (size_t i = 0; i < inputs; ++i) {
      for (size_t k = 0; k < taps; ++k)
        turned[(o * taps + k) * inputs + i] = w[(o * inputs + i) * taps + k];
    }
  }
  return turned;
}

FileMatrix matrix_of(std::span<const float> numbers, size_t rows) {
  return {.dtype = DType::kF32,
          .bytes = std::as_bytes(numbers),
          .rows = rows,
          .cols = numbers.size() / rows};
}

}  // namespace

WavLm::WavLm(const SpeakerConfig& config, const TensorFile& file, EncoderOps& ops,
             ProductPrecision precision)
    : config_(config),
      file_(file),
      ops_(ops),
      precision_(precision),
      eps_(static_cast<float>(config.layer_norm_eps)),
      work_(std::make_unique<Workspace>(config, ops)) {
  load_convolutions();
  feature_norm_ = norm("wavlm.feature_projection.layer_norm");
  projection_ = affine("wavlm.feature_projection.projection");
  load_positions();
  distance_bias_ = numbers("wavlm.encoder.layers.0.attention.rel_attn_embed.weight");
  for (int l = 0; l < config.layers; ++l) load_layer(l);
  final_norm_ = norm("wavlm.encoder.layer_norm");
  const auto width = static_cast<size_t>(config.hidden_size);
  const auto head = static_cast<size_t>(config.head_width);
  head1_ = load_head(1, 2 * width, head);
  head2_ = load_head(2, head, static_cast<size_t>(config.embedding_size));
}

WavLm::~WavLm() = default;

std::vector<float> WavLm::numbers(const std::string& name) const {
  const TensorInfo& tensor = *file_.find(name);
  std::vector<float> values = tensor_to_f32(tensor);
  for (const float value : values) {
    if (!std::isfinite(value)) {
      throw Error(ErrorCode::kBadInput, file_.path(), ": ", name, " holds ", value,
                  ", expected finite numbers");
    }
  }
  file_.release(tensor);
  return values;
}

WavLm::Norm WavLm::norm(const std::string& name) const {
  return {numbers(name + ".weight"), numbers(name + ".bias")};
}

WavLm::Affine WavLm::affine(const std::string& name) const {
  return {file_.find(name + ".weight"), numbers(name + ".bias")};
}

void WavLm::load_convolutions() {
  size_t inputs = 1;
  for (size_t i = 0; i < config_.conv_dims.size(); ++i) {
    const std::string name = concat("wavlm.feature_extractor.conv_layers.", i);
    const auto outputs = static_cast<size_t>(config_.conv_dims[i]);
    const std::vector<float> weight = taps_first(numbers(name + ".conv.weight"), outputs, inputs,
                                                 static_cast<size_t>(config_.conv_kernels[i]));
    // The first reads ten numbers at a time: rounding them would save nothing.
    const ProductPrecision precision = i == 0 ? ProductPrecision::kF32 : precision_;
    convolutions_.push_back(
        {ops_.pack(matrix_of(weight, outputs), precision), norm(name + ".layer_norm")});
    inputs = outputs;
  }
}

// w[o][i][k] = g[k] * v[o][i][k] / sqrt(sum over o, i of v[o][i][k]^2), one matrix a group.
void WavLm::load_positions() {
  const std::string base = "wavlm.encoder.pos_conv_embed.conv.";
  const bool today = file_.find(base + "parametrizations.weight.original0") != nullptr;
  const std::vector<float> gain =
      numbers(base + (today ? "parametrizations.weight.original0" : "weight_g"));
  std::vector<float> weight =
      numbers(base + (today ? "parametrizations.weight.original1" : "weight_v"));
  position_bias_ = numbers(base + "bias");
  const size_t taps = gain.size(), width = position_bias_.size();
  const size_t inputs = weight.size() / (taps * width);
  std::vector<double> squares(taps);
  for (size_t i = 0; i < weight.size(); ++i)
    squares[i % taps] += static_cast<double>(weight[i]) * weight[i];
  for (size_t k = 0; k < taps; ++k) {
    if (squares[k] == 0) {
      throw Error(ErrorCode::kBadInput, file_.path(), ": the direction of ", base,
                  "weight is zero at tap ", k);
    }
  }
  for (size_t i = 0; i < weight.size(); ++i) {
    const size_t k = i % taps;
    weight[i] = static_cast<float>(weight[i] * (gain[k] / std::sqrt(squares[k])));
  }
  const auto groups = static_cast<size_t>(config_.position_groups);
  const size_t outputs = width / groups, part = outputs * inputs * taps;
  for (size_t g = 0; g < groups; ++g) {
    const std::vector<float> turned =
        taps_first({weight.data() + g * part, part}, outputs, inputs, taps);
    position_weights_.push_back(ops_.pack(matrix_of(turned, outputs), precision_));
  }
}

void WavLm::load_layer(int index) {
  const std::string name = concat("wavlm.encoder.layers.", index, ".");
  const std::string attention = name + "attention.";
  Layer w;
  w.norm1 = norm(name + "layer_norm");
  w.norm2 = norm(name + "final_layer_norm");
  w.q = affine(attention + "q_proj");
  w.k = affine(attention + "k_proj");
  w.v = affine(attention + "v_proj");
  w.out = affine(attention + "out_proj");
  w.up = affine(name + "feed_forward.intermediate_dense");
  w.down = affine(name + "feed_forward.output_dense");
  // Only the sums of four rows each are ever used.
  const std::vector<float> gate = numbers(attention + "gru_rel_pos_linear.weight");
  const std::vector<float> bias = numbers(attention + "gru_rel_pos_linear.bias");
  const size_t width = gate.size() / 8;
  w.gate_a.resize(width);
  w.gate_b.resize(width);
  for (size_t r = 0; r < 4; ++r) {
    for (size_t d = 0; d < width; ++d) {
      w.gate_a[d] += gate[r * width + d];
      w.gate_b[d] += gate[(r + 4) * width + d];
    }
    w.bias_a += bias[r];
    w.bias_b += bias[r + 4];
  }
  w.gate_c = numbers(attention + "gru_rel_pos_const");
  layers_.push_back(std::move(w));
}

WavLm::HeadLayer WavLm::load_head(int index, size_t inputs, size_t outputs) const {
  HeadLayer w;
  w.weight = numbers(concat("top_layers.affine", index, ".weight"));
  w.bias = numbers(concat("top_layers.affine", index, ".bias"));
  w.mean = numbers(concat("top_layers.batchnorm", index, ".running_mean"));
  for (const float variance : numbers(concat("top_layers.batchnorm", index, ".running_var"))) {
    if (variance < 0) {
      throw Error(ErrorCode::kBadInput, file_.path(), ": top_layers.batchnorm", index,
                  ".running_var holds ", variance, ", expected 0 or more");
    }
    w.scale.push_back(1.0 / std::sqrt(variance + kHeadEps));
  }
  require(w.weight.size() == inputs * outputs, "head of ", w.weight.size(), " numbers, expected ",
          inputs * outputs);
  return w;
}

}  // namespace kani
