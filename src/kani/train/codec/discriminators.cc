// discriminators.cc - see discriminators.h.
#include "kani/train/codec/discriminators.h"

#include <algorithm>
#include <cmath>

#include "kani/base/error.h"
#include "kani/base/log.h"
#include "kani/train/codec/codec_module.h"

namespace kani::train {
namespace {

constexpr double kSlope = 0.1;
constexpr double kBands[] = {0, 0.1, 0.25, 0.5, 0.75, 1};  // edges, as shares of the spectrum
constexpr int64_t kBandCount = 5;
constexpr int64_t kPeriodLayers = 5;

// The layers in front of the judgement.
struct PlaneLayer {
  int64_t kernel_time, kernel_other, stride_other, dilation_time;
};
constexpr PlaneLayer kBandLayers[] = {
    {3, 9, 1, 1}, {3, 9, 2, 1}, {3, 9, 2, 2}, {3, 9, 2, 4}, {3, 3, 1, 1}};

int64_t period_width(const DiscriminatorSizes& sizes, int64_t layer) {
  return sizes.period_width << std::min<int64_t>(layer, 3);
}

std::string name_of(const char* kind, int64_t number, const char* part, int64_t layer) {
  return concat("critic.", kind, ".", number, ".", part, layer);
}

}  // namespace

void DiscriminatorSizes::validate() const {
  require(!periods.empty() || !ffts.empty(), "critic_periods and critic_ffts are empty");
  for (const int64_t period : periods)
    require(period >= 1 && period <= 1000, "critic_periods has ", period, ", must be 1 to 1000");
  for (const int64_t fft : ffts)
    require(fft >= 64 && fft % 4 == 0, "critic_ffts has ", fft,
            ", must be a multiple of 4 from 64 on");
  require(period_width >= 1, "critic_period_width is ", period_width, ", must be 1 or more");
  require(band_width >= 1, "critic_band_width is ", band_width, ", must be 1 or more");
}

Discriminators::Discriminators(DiscriminatorSizes sizes, const ParameterMap& parameters,
                               at::Device device)
    : sizes_(std::move(sizes)), parameters_(&parameters) {
  for (const int64_t fft : sizes_.ffts) spectra_.emplace_back(fft, fft / 4, device);
}

at::Tensor Discriminators::conv(const at::Tensor& x, const std::string& name,
                                at::IntArrayRef stride, at::IntArrayRef padding,
                                at::IntArrayRef dilation) const {
  const at::Tensor& direction = parameters_->at(name + ".weight_v");
  const at::Tensor length = direction.square().sum({1, 2, 3}, /*keepdim=*/true).sqrt();
  return at::conv2d(x, direction * (parameters_->at(name + ".weight_g") / length),
                    parameters_->at(name + ".bias"), stride, padding, dilation);
}

Opinion Discriminators::judge_period(const at::Tensor& sound, int64_t period) const {
  const int64_t rest = (period - sound.size(1) % period) % period;
  at::Tensor x = at::constant_pad_nd(sound, {0, rest}).view({sound.size(0), 1, -1, period});
  Opinion out;
  for (int64_t layer = 0; layer < kPeriodLayers; ++layer) {
    const int64_t stride = layer + 1 < kPeriodLayers ? 3 : 1;
    x = at::leaky_relu(
        conv(x, name_of("period", period, "layer", layer), {stride, 1}, {2, 0}, {1, 1}), kSlope);
    out.push_back(x);
  }
  out.push_back(conv(x, name_of("period", period, "judge", 0), {1, 1}, {1, 0}, {1, 1}));
  return out;
}

Opinion Discriminators::judge_spectrum(const at::Tensor& sound, const Spectrum& spectrum) const {
  // [B, 2, frames, bins]
  const at::Tensor all = spectrum.parts(sound).permute({0, 3, 2, 1});
  const int64_t bins = all.size(3);
  Opinion out;
  std::vector<at::Tensor> ends;
  for (int64_t band = 0; band < kBandCount; ++band) {
    const auto from = static_cast<int64_t>(kBands[band] * static_cast<double>(bins)),
               to = static_cast<int64_t>(kBands[band + 1] * static_cast<double>(bins));
    at::Tensor x = all.narrow(3, from, to - from);
    int64_t number = 0;
    for (const PlaneLayer& layer : kBandLayers) {
      const std::string name =
          concat("critic.fft.", spectrum.fft(), ".band", band, ".layer", number++);
      x = at::leaky_relu(
          conv(x, name, {1, layer.stride_other},
               {layer.dilation_time * (layer.kernel_time / 2), layer.kernel_other / 2},
               {layer.dilation_time, 1}),
          kSlope);
      out.push_back(x);
    }
    ends.push_back(x);
  }
  out.push_back(
      conv(at::cat(ends, 3), name_of("fft", spectrum.fft(), "judge", 0), {1, 1}, {1, 1}, {1, 1}));
  return out;
}

std::vector<Opinion> Discriminators::judge(const at::Tensor& sound) const {
  std::vector<Opinion> out;
  for (const int64_t period : sizes_.periods) out.push_back(judge_period(sound, period));
  for (const Spectrum& spectrum : spectra_) out.push_back(judge_spectrum(sound, spectrum));
  return out;
}

ParameterMap random_discriminators(const DiscriminatorSizes& sizes, uint64_t seed) {
  ParameterMap out;
  const auto conv = [&](const std::string& name, int64_t outputs, int64_t inputs, int64_t height,
                        int64_t width) {
    const double bound = 1 / std::sqrt(static_cast<double>(inputs * height * width));
    const at::Tensor direction =
        uniform_parameter(name + ".weight_v", {outputs, inputs, height, width}, bound, seed);
    out[name + ".weight_v"] = direction;
    out[name + ".weight_g"] = direction.square().sum({1, 2, 3}, /*keepdim=*/true).sqrt();
    out[name + ".bias"] = uniform_parameter(name + ".bias", {outputs}, bound, seed);
  };
  for (const int64_t period : sizes.periods) {
    for (int64_t layer = 0; layer < kPeriodLayers; ++layer)
      conv(name_of("period", period, "layer", layer), period_width(sizes, layer),
           layer == 0 ? 1 : period_width(sizes, layer - 1), 5, 1);
    conv(name_of("period", period, "judge", 0), 1, period_width(sizes, kPeriodLayers - 1), 3, 1);
  }
  for (const int64_t fft : sizes.ffts) {
    for (int64_t band = 0; band < kBandCount; ++band) {
      int64_t number = 0, inputs = 2;
      for (const PlaneLayer& layer : kBandLayers) {
        conv(concat("critic.fft.", fft, ".band", band, ".layer", number++), sizes.band_width,
             inputs, layer.kernel_time, layer.kernel_other);
        inputs = sizes.band_width;
      }
    }
    conv(name_of("fft", fft, "judge", 0), 1, sizes.band_width, 3, 3);
  }
  return out;
}

at::Tensor critic_loss(const std::vector<Opinion>& real, const std::vector<Opinion>& made) {
  at::Tensor sum = at::zeros({}, real.front().back().options());
  for (size_t i = 0; i < real.size(); ++i)
    sum = sum + (real[i].back() - 1).square().mean() + made[i].back().square().mean();
  return sum;
}

bool learn_verdict(const at::Tensor& verdict, int64_t n, AdamW& optimizer) {
  verdict.backward();
  const double loss = verdict.item<double>(), norm = optimizer.gradient_norm();
  const bool learns = std::isfinite(loss) && std::isfinite(norm);
  optimizer.step(n, learns);
  if (!learns)
    log_warning("train", "an update of the discriminators is skipped: loss ", loss, ", gradient ",
                norm);
  return learns;
}

at::Tensor deception_loss(const std::vector<Opinion>& made) {
  at::Tensor sum = at::zeros({}, made.front().back().options());
  for (const Opinion& opinion : made) sum = sum + (opinion.back() - 1).square().mean();
  return sum;
}

at::Tensor feature_loss(const std::vector<Opinion>& real, const std::vector<Opinion>& made) {
  at::Tensor sum = at::zeros({}, made.front().back().options());
  double layers = 0;
  for (size_t i = 0; i < real.size(); ++i) {
    for (size_t layer = 0; layer + 1 < real[i].size(); ++layer) {
      const at::Tensor target = real[i][layer].detach();
      sum = sum + (made[i][layer] - target).abs().mean() / target.abs().mean().clamp_min(1e-6);
      ++layers;
    }
  }
  return sum / layers;
}

}  // namespace kani::train
