// analysis.cc - see analysis.h.
#include "kani/train/codec/analysis.h"

#include <cmath>

#include "kani/base/error.h"
#include "kani/train/codec/codec_module.h"

namespace kani::train {
namespace {

constexpr double kFloor = 1e-3;  // of a mel magnitude
constexpr double kMelMean = -3, kMelSpread = 3;
constexpr double kNormEpsilon = 1e-5;
constexpr int64_t kFineKernel = 5, kCoarseKernel = 3;
constexpr double kTopHz = 8000;

}  // namespace

LogMel analysis_mel(const NanoCodecConfig& config, int64_t bands, at::Device device) {
  const int64_t hop = config.samples_per_frame / config.decoder.rates.front();
  int64_t fft = 64;  // the power of two next above 43 ms
  while (fft < std::max<int64_t>(hop, config.sample_rate_hz * 43 / 1000)) fft *= 2;
  return {config.sample_rate_hz,
          fft,
          hop,
          bands,
          std::min(kTopHz, config.sample_rate_hz / 2.0),
          kFloor,
          device};
}

AnalysisSize size_of(const ParameterMap& parameters) {
  const at::Tensor& in = parameters.at("analysis.in.weight");
  AnalysisSize size{.bands = in.size(1), .width = in.size(0), .blocks = 0};
  while (parameters.contains(concat("analysis.fine.", size.blocks, ".norm"))) ++size.blocks;
  return size;
}

AnalysisNetwork::AnalysisNetwork(const NanoCodecConfig& config, AnalysisSize size,
                                 const ParameterMap& parameters)
    : rate_(config.decoder.rates.front()), size_(size), parameters_(&parameters) {}

at::Tensor AnalysisNetwork::norm(const at::Tensor& x, const std::string& name) const {
  return x * at::rsqrt(x.square().mean(1, /*keepdim=*/true) + kNormEpsilon) *
         parameters_->at("analysis." + name);
}

at::Tensor AnalysisNetwork::conv(const at::Tensor& x, const std::string& name, int64_t padding,
                                 int64_t stride) const {
  return at::conv1d(x, parameters_->at(name + ".weight"), parameters_->at(name + ".bias"), stride,
                    padding);
}

at::Tensor AnalysisNetwork::blocks(at::Tensor x, const std::string& prefix, int64_t kernel) const {
  for (int64_t i = 0; i < size_.blocks; ++i) {
    const std::string name = concat(prefix, i);
    const at::Tensor inner =
        at::gelu(conv(norm(x, name + ".norm"), "analysis." + name + ".conv", kernel / 2));
    x = x + conv(inner, "analysis." + name + ".mix", 0);
  }
  return x;
}

at::Tensor AnalysisNetwork::latent(const at::Tensor& mel) const {
  at::Tensor x = conv((mel - kMelMean) / kMelSpread, "analysis.in", kFineKernel / 2);
  x = blocks(x, "fine.", kFineKernel);
  x = conv(x, "analysis.down", rate_, rate_);
  x = blocks(x, "coarse.", kCoarseKernel);
  return conv(norm(x, "norm"), "analysis.out", 0);
}

at::Tensor AnalysisNetwork::mel(const at::Tensor& first) const {
  return conv(first, "mel_head", 0);
}

ParameterMap random_analysis(const NanoCodecConfig& config, const AnalysisSize& size,
                             uint64_t seed) {
  ParameterMap out;
  const auto conv = [&](const std::string& name, int64_t outputs, int64_t inputs, int64_t kernel) {
    const double bound = 1 / std::sqrt(static_cast<double>(inputs * kernel));
    out[name + ".weight"] =
        uniform_parameter(name + ".weight", {outputs, inputs, kernel}, bound, seed);
    out[name + ".bias"] = uniform_parameter(name + ".bias", {outputs}, bound, seed);
  };
  const auto blocks = [&](const std::string& prefix, int64_t width, int64_t kernel) {
    for (int64_t i = 0; i < size.blocks; ++i) {
      const std::string name = concat("analysis.", prefix, i);
      out[name + ".norm"] = at::ones({1, width, 1});
      conv(name + ".conv", width, width, kernel);
      conv(name + ".mix", width, width, 1);
    }
  };
  const int64_t rate = config.decoder.rates.front(), wide = 2 * size.width;
  conv("analysis.in", size.width, size.bands, kFineKernel);
  blocks("fine.", size.width, kFineKernel);
  conv("analysis.down", wide, size.width, 3 * rate);
  blocks("coarse.", wide, kCoarseKernel);
  out["analysis.norm"] = at::ones({1, wide, 1});
  conv("analysis.out", config.latent_width(), wide, 1);
  // A small last layer keeps the first latents where the quantizer is not saturated.
  out["analysis.out.weight"].mul_(0.5);
  out["analysis.out.bias"].zero_();
  conv("mel_head", size.bands, config.decoder.base_channels / 2, 1);
  out["mel_head.bias"].fill_(-3.5);
  return out;
}

}  // namespace kani::train
