// grow.cc - see grow.h.  H hidden size, V rows.
#include "kani/train/grow.h"

#include <algorithm>
#include <cmath>

#include "kani/base/error.h"
#include "kani/base/random.h"

namespace kani::train {
namespace {

constexpr int64_t kControlIds = 10;  // below the audio ids (language-model.md 4)
constexpr double kSpread = 1e-9;     // upstream's, on the covariance
constexpr double kNoiseShare = 0.5;  // mean+noise: of the text rows' deviation

at::Tensor normal(at::IntArrayRef shape, Random& random) {
  at::Tensor out = at::empty(shape, at::kFloat);
  float* numbers = out.mutable_data_ptr<float>();
  for (int64_t i = 0; i < out.numel(); ++i) numbers[i] = static_cast<float>(random.next_normal());
  return out;
}

// Normal(mean, 1e-9 x covariance) of the rows; the mean alone where that is no distribution.
at::Tensor near_the_mean(const at::Tensor& rows, int64_t count, Random& random) {
  const at::Tensor mean = rows.mean(0);
  const at::Tensor centred = rows - mean;
  const at::Tensor covariance =
      at::mm(centred.t(), centred) / static_cast<double>(rows.size(0)) * kSpread;
  const auto [factor, info] = at::linalg_cholesky_ex(covariance);
  if (info.item<int64_t>() != 0) return mean.unsqueeze(0).repeat({count, 1});
  return mean + at::mm(normal({count, rows.size(1)}, random), factor.t());
}

at::Tensor grown_rows(const at::Tensor& old, const Lfm2Config& config,
                      const GrowthSettings& settings, Random& random) {
  const int64_t rows = config.vocab_size, width = old.size(1);
  if (old.size(0) == rows) return old;
  if (settings.row_rule() == "mean") {
    return at::cat({old, near_the_mean(old, rows - old.size(0), random)}, 0);
  }
  const int64_t kept = std::min(old.size(0), config.audio_tokens_start - kControlIds);
  const at::Tensor text = old.slice(0, 0, kept);
  const at::Tensor noise = normal({rows - kept, width}, random);
  if (const auto deviation = settings.row_deviation())
    return at::cat({text, noise * *deviation}, 0);
  return at::cat({text, text.mean(0) + noise * (text.std(0) * kNoiseShare)}, 0);
}

}  // namespace

Lfm2Config grown_config(const Lfm2Config& base, const GrowthSettings& settings) {
  Lfm2Config out = base;
  require(base.vocab_size <= settings.rows(), "first_train: the base has ", base.vocab_size,
          " rows, the model that speaks would have ", settings.rows(),
          " (audio_tokens_start + tokens_per_frame x audio_codebook_size)");
  out.vocab_size = static_cast<int>(settings.rows());
  out.audio_tokens_start = static_cast<int>(settings.audio_tokens_start.value_or(64410));
  out.tokens_per_frame = static_cast<int>(settings.tokens_per_frame.value_or(4));
  out.speaker_emb_dim = static_cast<int>(settings.speaker_emb_dim.value_or(base.speaker_emb_dim));
  out.use_learnable_rope = settings.use_learnable_rope.value_or(true);
  out.alpha_min = settings.alpha_min.value_or(base.alpha_min);
  out.alpha_max = settings.alpha_max.value_or(base.alpha_max);
  out.accepts_voice = true;
  validate(out, "the grown model");
  return out;
}

ParameterMap random_parameters(const Lfm2Config& config, uint64_t seed) {
  Random random(splitmix64(seed));
  ParameterMap out;
  for (const TensorSpec& spec : lfm2_tensors(config)) {
    if (spec.optional) continue;
    const std::vector<int64_t> shape(spec.shape.begin(), spec.shape.end());
    at::Tensor value;
    if (spec.name.find("norm") != std::string::npos) {
      value = at::ones(shape);
    } else if (spec.name.ends_with(".bias")) {
      value = at::zeros(shape);
    } else {
      value = normal(shape, random) * kStartDeviation;
    }
    out[spec.name] = value.set_requires_grad(true);
  }
  return out;
}

namespace {

// The weight whose factor is the one to begin with.
double start_weight(const Lfm2Config& config, double factor) {
  require(config.alpha_min < factor && factor < config.alpha_max, "alpha_init is ", factor,
          ", must be between alpha_min ", config.alpha_min, " and alpha_max ", config.alpha_max);
  const double share = (factor - config.alpha_min) / (config.alpha_max - config.alpha_min);
  return std::log(share / (1 - share));
}

}  // namespace

void grow(const Lfm2Config& config, const GrowthSettings& settings, uint64_t seed,
          ParameterMap& parameters) {
  at::NoGradGuard no_grad;
  Random random(splitmix64(seed));
  const auto put = [&](const std::string& name, const at::Tensor& value) {
    parameters[name] = value.detach().contiguous().set_requires_grad(true);
  };
  for (const char* table : {"model.embed_tokens.weight", "lm_head.weight"}) {
    const auto found = parameters.find(table);
    if (found != parameters.end())
      put(table, grown_rows(found->second.detach(), config, settings, random));
  }
  for (const TensorSpec& spec : lfm2_tensors(config)) {
    if (parameters.contains(spec.name)) continue;
    const std::vector<int64_t> shape(spec.shape.begin(), spec.shape.end());
    if (spec.name.ends_with("alpha_weight")) {
      put(spec.name,
          at::full(shape, start_weight(config, settings.alpha_init.value_or(1)), at::kFloat));
    } else if (spec.name == "model.speaker_emb_projection.weight") {
      put(spec.name, normal(shape, random) * kStartDeviation);
    }
  }
}

}  // namespace kani::train
