// attention_variance_test.cc - the variance of attention's output, held against upstream's figure
// (training.md 10).  Upstream's mean runs over a padded batch, pads included; ours over the
// elements that there are.  So a padded network is written here once more: over all elements it
// must give upstream's figure, over the real ones ours.
#include <gtest/gtest.h>

#include <cmath>

#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/base/json.h"
#include "kani/train/metrics.h"
#include "kani/train/model_files.h"

namespace kani::train {
namespace {

const std::filesystem::path kData = std::filesystem::path(KANI_TEST_DATA) / "training";

// B clips, T elements (voice slot and pads included), heads of D numbers.
class PaddedTwin {
 public:
  PaddedTwin(const Lfm2Module& model, const ParameterMap& batch)
      : model_(model), c_(model.config()) {
    const at::Tensor table = model.parameter("model.embed_tokens.weight");
    const at::Tensor words = table.index({batch.at("input_ids")});
    const at::Tensor voice =
        at::mm(batch.at("speaker_emb"), model.parameter("model.speaker_emb_projection.weight").t());
    x_ = at::cat({words.slice(1, 0, 1), voice.unsqueeze(1), words.slice(1, 1)}, 1);
    const at::Tensor real = batch.at("attention_mask").to(at::kBool);
    real_ = at::cat({real.slice(1, 0, 1), at::ones_like(real.slice(1, 0, 1)), real.slice(1, 1)}, 1);
    positions_ = batch.at("position_ids").to(at::kFloat);
  }

  const at::Tensor& real() const { return real_; }

  // Variance over the hidden dimension, [B, T], of each attention layer.
  std::map<int, at::Tensor> variances() {
    std::map<int, at::Tensor> out;
    for (size_t i = 0; i < c_.layers.size(); ++i) {
      layer_ = static_cast<int>(i);
      const at::Tensor u = norm(x_, "operator_norm");
      const bool attends = c_.layers[i] == LayerKind::kAttention;
      const at::Tensor y = attends ? attention(u) : convolution(u);
      if (attends) out[layer_] = y.var(2, /*unbiased=*/true);
      x_ = x_ + y;
      const at::Tensor n = norm(x_, "ffn_norm");
      x_ = x_ + linear(at::silu(linear(n, "feed_forward.w1")) * linear(n, "feed_forward.w3"),
                       "feed_forward.w2");
    }
    return out;
  }

 private:
  const at::Tensor& weight(const std::string& module) const {
    return model_.parameter(concat("model.layers.", layer_, ".", module, ".weight"));
  }
  at::Tensor linear(const at::Tensor& x, const std::string& module) const {
    return at::matmul(x, weight(module).t());
  }
  at::Tensor norm(const at::Tensor& x, const std::string& module) const {
    return x * (x.square().mean(-1, true) + static_cast<double>(c_.norm_eps)).rsqrt() *
           weight(module);
  }

  // Sees pads as it sees anything.
  at::Tensor convolution(const at::Tensor& u) const {
    const auto parts = linear(u, "conv.in_proj").chunk(3, 2);
    const at::Tensor in = at::constant_pad_nd(parts[0] * parts[2], {0, 0, c_.conv_kernel - 1, 0});
    const at::Tensor taps = weight("conv.conv");  // [H, 1, L]
    at::Tensor sum = at::zeros_like(u);
    for (int64_t k = 0; k < c_.conv_kernel; ++k)
      sum = sum + in.slice(1, k, k + u.size(1)) * taps.select(1, 0).select(1, k);
    return linear(parts[1] * sum, "conv.out_proj");
  }

  // No element looks at a pad, not even the pad itself.
  at::Tensor attention(const at::Tensor& u) const {
    const auto heads = [&](const char* module, int64_t count) {
      return linear(u, module).view({u.size(0), u.size(1), count, c_.head_dim});
    };
    const int64_t shared = c_.heads / c_.kv_heads;
    const at::Tensor q = turned(norm(heads("self_attn.q_proj", c_.heads), "self_attn.q_layernorm")),
                     k = turned(
                             norm(heads("self_attn.k_proj", c_.kv_heads), "self_attn.k_layernorm"))
                             .repeat_interleave(shared, 2),
                     v = heads("self_attn.v_proj", c_.kv_heads).repeat_interleave(shared, 2);
    const at::Tensor seen =
        at::ones({u.size(1), u.size(1)}, at::kBool).tril().logical_and(real_.unsqueeze(1));
    const at::Tensor scores = at::einsum("bihd,bjhd->bhij", {q, k}) / std::sqrt(c_.head_dim);
    const at::Tensor shares =
        scores.masked_fill(seen.logical_not().unsqueeze(1), -INFINITY).softmax(-1);
    return linear(at::einsum("bhij,bjhd->bihd", {shares, v}).flatten(2), "self_attn.out_proj");
  }

  at::Tensor turned(const at::Tensor& x) const {
    const at::Tensor steps =
        at::pow(c_.rope_theta, -at::arange(0, c_.head_dim, 2, at::kFloat) / c_.head_dim);
    const at::Tensor half =
        positions_.unsqueeze(-1) * (model_.rope_factor(layer_) * steps);  // [B, T, D/2]
    const at::Tensor angle = at::cat({half, half}, 2).unsqueeze(2);
    const auto sides = x.chunk(2, 3);
    return x * angle.cos() + at::cat({-sides[1], sides[0]}, 3) * angle.sin();
  }

  const Lfm2Module& model_;
  const Lfm2Config& c_;
  int layer_ = 0;
  at::Tensor x_, real_, positions_;
};

TEST(AttentionVariance, is_upstreams_without_the_pads) {
  at::NoGradGuard no_grad;
  const auto folder = kData / "tiny" / "init";
  Lfm2Config config = parse_lfm2_config(read_file(folder / "config.json", kMaxConfigBytes),
                                        "config.json", {.audio_tokens_start = 410});
  config.speaker_emb_dim = 16;
  const Lfm2Module model = load_module_as(folder, std::move(config));
  const ParameterMap file = load_tensors(kData / "tiny" / "batch0.safetensors");

  PackedBatch batch;
  for (int64_t row = 0; row < file.at("input_ids").size(0); ++row) {
    const int64_t length = file.at("attention_mask")[row].sum().item<int64_t>();
    const at::Tensor ids = file.at("input_ids")[row].slice(0, 0, length).to(at::kInt);
    const at::Tensor voice = file.at("speaker_emb")[row].contiguous();
    batch.add(TokenLayout::of(model.config()), {},
              {ids.const_data_ptr<int32_t>(), static_cast<size_t>(length)},
              {voice.const_data_ptr<float>(), static_cast<size_t>(voice.numel())}, row);
  }
  const Figures ours = attention_variance(model, batch);
  const Json golden =
      parse_json(read_file(kData / "goldens.json", 1 << 24),
                 "goldens.json")["metrics_batch0"]["attention_output_variance_by_layer"];
  PaddedTwin twin(model, file);
  const auto variances = twin.variances();
  ASSERT_EQ(variances.size(), golden.size());
  double sum = 0;
  for (const auto& [layer, variance] : variances) {
    const double theirs = golden[std::to_string(layer)];
    EXPECT_NEAR(variance.mean().item<double>(), theirs, 1e-4 * theirs) << layer;
    const double real = variance.masked_select(twin.real()).mean().item<double>();
    EXPECT_NEAR(ours.at(concat("layer_", layer)), real, 1e-5 * real) << layer;
    EXPECT_GT(std::abs(real - theirs), 0.1 * theirs);  // pads do matter
    sum += ours.at(concat("layer_", layer));
  }
  EXPECT_NEAR(ours.at("mean"), sum / static_cast<double>(variances.size()), 1e-12);
}

}  // namespace
}  // namespace kani::train
