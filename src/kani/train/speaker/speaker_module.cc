// speaker_module.cc - reads like speaker.md 4 to 8; letters in speaker_module.h.
#include "kani/train/speaker/speaker_module.h"

#include <cmath>

#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/base/random.h"
#include "kani/formats/safetensors.h"
#include "kani/train/model_files.h"

namespace kani::train {
namespace {

constexpr double kExtractorEps = 1e-5;  // fixed by the library, unlike layer_norm_eps
constexpr double kHeadEps = 1e-3, kHeadMomentum = 0.1;
const std::string kPosition = "wavlm.encoder.pos_conv_embed.conv.";
const std::string kGain = kPosition + "parametrizations.weight.original0";
const std::string kDirection = kPosition + "parametrizations.weight.original1";

bool is_buffer(std::string_view name) {
  return name.ends_with("running_mean") || name.ends_with("running_var");
}

uint64_t hash_of(std::string_view text) {
  uint64_t hash = 0xCBF29CE484222325u;  // FNV-1a
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3u;
  return hash;
}

// What a tensor begins with: 1 for scales and variances, 0 for biases and means, small numbers for
// the table of positions, otherwise a spread that keeps the size of what goes through.
at::Tensor initial(const TensorSpec& spec, uint64_t seed) {
  const std::vector<int64_t> shape(spec.shape.begin(), spec.shape.end());
  const std::string& name = spec.name;
  if (name.ends_with("norm.weight") || name.ends_with("running_var") ||
      name.ends_with("gru_rel_pos_const"))
    return at::ones(shape, at::kFloat);
  if (shape.size() < 2) return at::zeros(shape, at::kFloat);
  double deviation = 0.02;
  if (!name.ends_with("rel_attn_embed.weight") && name != kGain) {
    const double fan_in = static_cast<double>(spec.shape[1]) *
                          (shape.size() > 2 ? static_cast<double>(spec.shape[2]) : 1.0);
    // GELU lets about half of the power through.
    deviation = std::sqrt((name.find("conv_layers") != name.npos ? 2 : 1) / fan_in);
  }
  at::Tensor out = at::empty(shape, at::kFloat);
  Random random(splitmix64(seed) ^ hash_of(name));
  auto* values = out.mutable_data_ptr<float>();
  for (int64_t i = 0; i < out.numel(); ++i)
    values[i] = static_cast<float>(deviation * random.next_normal());
  return out;
}

// Size of a direction, per tap.
at::Tensor direction_norm(const at::Tensor& direction) {
  return at::norm(direction, 2, at::IntArrayRef{0, 1}, /*keepdim=*/true);
}

// Of the distance key - query, speaker.md 7.
int64_t bucket(int64_t distance, int64_t buckets, int64_t farthest) {
  const int64_t half = buckets / 2, exact = half / 2;
  const int64_t size = std::abs(distance);
  int64_t place = size;
  if (size >= exact) {
    const auto e = static_cast<double>(exact);
    const double share =
        std::log(static_cast<double>(size) / e) / std::log(static_cast<double>(farthest) / e);
    place =
        std::min(half - 1, exact + static_cast<int64_t>(share * static_cast<double>(half - exact)));
  }
  return (distance > 0 ? half : 0) + place;
}

}  // namespace

int64_t speaker_module_frames(const SpeakerConfig& config, int64_t samples) {
  for (size_t i = 0; i < config.conv_kernels.size(); ++i) {
    if (samples < config.conv_kernels[i]) return 0;
    samples = (samples - config.conv_kernels[i]) / config.conv_strides[i] + 1;
  }
  return samples;
}

SpeakerModule::SpeakerModule(SpeakerConfig config, uint64_t seed) : config_(std::move(config)) {
  for (const TensorSpec& spec : speaker_tensors(config_)) {
    at::Tensor tensor = initial(spec, seed);
    if (is_buffer(spec.name)) {
      buffers_[spec.name] = tensor;
    } else {
      parameters_[spec.name] = tensor;
    }
  }
  parameters_[kGain] = direction_norm(p(kDirection));
  for (auto& [name, tensor] : parameters_) tensor.set_requires_grad(true);
}

SpeakerModule::SpeakerModule(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / "config.json";
  config_ = parse_speaker_config(read_file(path, kMaxConfigBytes), path.string());
  const auto file = open_safetensors(folder);
  speaker_check(config_, *file);
  for (const TensorSpec& spec : speaker_tensors(config_)) {
    const TensorInfo* info = find_tensor(spec, *file);
    const std::vector<float> numbers = tensor_to_f32(*info);
    const std::vector<int64_t> shape(spec.shape.begin(), spec.shape.end());
    at::Tensor tensor = at::tensor(numbers).view(shape).clone();
    if (is_buffer(spec.name)) {
      buffers_[spec.name] = tensor;
    } else {
      parameters_[spec.name] = tensor.set_requires_grad(true);
    }
  }
}

const at::Tensor& SpeakerModule::p(const std::string& name) const {
  return parameters_.find(name)->second;
}

at::Tensor SpeakerModule::affine(const std::string& name, const at::Tensor& x) const {
  return at::linear(x, p(name + ".weight"), p(name + ".bias"));
}

at::Tensor SpeakerModule::norm(const std::string& name, const at::Tensor& x, double eps) const {
  return at::layer_norm(x, {x.size(-1)}, p(name + ".weight"), p(name + ".bias"), eps);
}

// [B, N] to [B, T, C].
at::Tensor SpeakerModule::extract(const at::Tensor& samples,
                                  const SpeakerLayerObserver& observer) const {
  at::Tensor x = samples.unsqueeze(1);
  for (size_t i = 0; i < config_.conv_dims.size(); ++i) {
    const std::string name = concat("wavlm.feature_extractor.conv_layers.", i);
    x = at::conv1d(x, p(name + ".conv.weight"), {}, config_.conv_strides[i]);
    x = at::gelu(norm(name + ".layer_norm", x.transpose(1, 2), kExtractorEps));
    if (observer) observer(concat("conv", i), x);
    x = x.transpose(1, 2);
  }
  return x.transpose(1, 2);
}

// The positional convolution with its GELU, [B, T, H] to the same.
at::Tensor SpeakerModule::position(const at::Tensor& x) const {
  const at::Tensor& direction = p(kDirection);
  const at::Tensor weight = direction * (p(kGain) / direction_norm(direction));
  at::Tensor y = at::conv1d(x.transpose(1, 2), weight, p(kPosition + "bias"), 1,
                            config_.position_kernel / 2, 1, config_.position_groups);
  if (config_.position_kernel % 2 == 0) y = y.slice(2, 0, y.size(2) - 1);
  return at::gelu(y).transpose(1, 2);
}

// [heads, T, T], query by key.
at::Tensor SpeakerModule::position_bias(int64_t frames) const {
  std::vector<int64_t> places(static_cast<size_t>(frames * frames));
  for (int64_t i = 0; i < frames; ++i) {
    for (int64_t j = 0; j < frames; ++j)
      places[static_cast<size_t>(i * frames + j)] =
          bucket(j - i, config_.buckets, config_.max_bucket_distance);
  }
  const at::Tensor& table = p("wavlm.encoder.layers.0.attention.rel_attn_embed.weight");
  return table.index_select(0, at::tensor(places, at::kLong))
      .t()
      .reshape({config_.heads, frames, frames});
}

at::Tensor SpeakerModule::attention(const std::string& layer, const at::Tensor& normed,
                                    const at::Tensor& bias) const {
  const std::string name = layer + ".attention.";
  const int64_t batch = normed.size(0), frames = normed.size(1);
  const int64_t heads = config_.heads, width = config_.head_size();
  const auto by_head = [&](const at::Tensor& x) {
    return x.reshape({batch, frames, heads, width}).transpose(1, 2);  // [B, heads, T, width]
  };
  const at::Tensor q = by_head(affine(name + "q_proj", normed));
  const at::Tensor k = by_head(affine(name + "k_proj", normed));
  const at::Tensor v = by_head(affine(name + "v_proj", normed));

  // gate = A (B c - 1) + 2 from each head's slice of the normed input.
  const at::Tensor u = affine(name + "gru_rel_pos_linear", by_head(normed))
                           .reshape({batch, heads, frames, 2, 4})
                           .sum(-1)
                           .sigmoid();
  const at::Tensor a = u.select(3, 0).unsqueeze(-1), b = u.select(3, 1).unsqueeze(-1);
  const at::Tensor gate = a * (b * p(name + "gru_rel_pos_const") - 1) + 2;  // [B, heads, T, 1]

  const double scale = 1 / std::sqrt(static_cast<double>(width));
  const at::Tensor scores = at::matmul(q * scale, k.transpose(2, 3)) + gate * bias;
  const at::Tensor mixed = at::matmul(at::softmax(scores, -1), v);
  return affine(name + "out_proj", mixed.transpose(1, 2).reshape({batch, frames, heads * width}));
}

at::Tensor SpeakerModule::feed_forward(const std::string& layer, const at::Tensor& normed) const {
  const std::string name = layer + ".feed_forward.";
  return affine(name + "output_dense", at::gelu(affine(name + "intermediate_dense", normed)));
}

// ReLU stands before the norm, which has no weights of its own.
at::Tensor SpeakerModule::head(int index, const at::Tensor& x, bool training) {
  const std::string name = concat("top_layers.affine", index);
  const std::string statistics = concat("top_layers.batchnorm", index);
  const at::Tensor z = at::relu(at::linear(x, p(name + ".weight").squeeze(-1), p(name + ".bias")));
  return at::batch_norm(z, {}, {}, buffers_[statistics + ".running_mean"],
                        buffers_[statistics + ".running_var"], training, kHeadMomentum, kHeadEps,
                        /*cudnn_enabled=*/false);
}

at::Tensor SpeakerModule::embed(const at::Tensor& samples, bool training,
                                const SpeakerLayerObserver& observer) {
  const auto show = [&](const std::string& name, const at::Tensor& x) {
    if (observer) observer(name, x);
  };
  at::Tensor x = extract(samples, observer);
  x = affine("wavlm.feature_projection.projection",
             norm("wavlm.feature_projection.layer_norm", x, kExtractorEps));
  show("feat_proj", x);
  x = x + position(x);
  show("enc_in", x);
  const at::Tensor bias = position_bias(x.size(1));
  for (int l = 0; l < config_.layers; ++l) {
    const std::string layer = concat("wavlm.encoder.layers.", l);
    x = x + attention(layer, norm(layer + ".layer_norm", x, config_.layer_norm_eps), bias);
    x = x + feed_forward(layer, norm(layer + ".final_layer_norm", x, config_.layer_norm_eps));
    show(concat("layer", l, ".out"), x);
  }
  x = norm("wavlm.encoder.layer_norm", x, config_.layer_norm_eps);
  show("final", x);
  const at::Tensor mean = x.mean(1), deviation = x.var(1).clamp_min(1e-10).sqrt();
  show("pool_mean", mean);
  show("pool_std", deviation);
  const at::Tensor first = head(1, at::cat({mean, deviation}, 1), training);
  show("top1", first);
  const at::Tensor second = head(2, first, training);
  show("top2", second);
  return second / at::norm(second, 2, {1}, /*keepdim=*/true).clamp_min(1e-12);
}

void SpeakerModule::write(const std::filesystem::path& folder) const {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw_cannot_write(folder, error.value());
  ParameterMap all = parameters_;
  for (const auto& [name, tensor] : buffers_) all[name] = tensor;
  save_parameters(folder / "model.safetensors", all);
  write_file(folder / "config.json", speaker_config_json(config_));
}

}  // namespace kani::train
