// fsq.cc - see fsq.h.
#include "kani/train/codec/fsq.h"

#include <cmath>

namespace kani::train {

Fsq::Fsq(const NanoCodecConfig& config, at::Device device)
    : groups_(config.codebooks), levels_(config.levels.begin(), config.levels.end()) {
  std::vector<float> scale, offset, shift, half;
  std::vector<int64_t> base;
  int64_t place = 1;
  for (const int64_t level : levels_) {
    const auto s = static_cast<float>(static_cast<double>(level - 1) / 2.0 *
                                      (1.0 - static_cast<double>(config.fsq_eps)));
    const float o = level % 2 == 0 ? 0.5F : 0.0F;
    scale.push_back(s);
    offset.push_back(o);
    shift.push_back(std::tan(o / s));
    half.push_back(static_cast<float>(level / 2));
    base.push_back(place);
    place *= level;
  }
  const auto spread = [&](const std::vector<float>& values) {
    return at::tensor(values).repeat({groups_}).view({1, -1, 1}).to(device);
  };
  scale_ = spread(scale);
  offset_ = spread(offset);
  shift_ = spread(shift);
  half_ = spread(half);
  base_ = at::tensor(base).view({1, 1, -1, 1}).to(device);
  level_ = at::tensor(levels_).view({1, 1, -1, 1}).to(device);
}

Fsq::Result Fsq::quantize(const at::Tensor& latent) const {
  const at::Tensor compressed = scale_ * at::tanh(latent + shift_) - offset_;
  const at::Tensor rounded = at::round(compressed.detach());
  const at::Tensor passed = compressed + (rounded - compressed.detach());
  return {passed / half_, compressed, rounded + half_};
}

at::Tensor Fsq::codes(const at::Tensor& digits) const {
  const auto width = static_cast<int64_t>(levels_.size());
  return (digits.to(at::kLong).view({digits.size(0), groups_, width, -1}) * base_).sum(2);
}

at::Tensor Fsq::values(const at::Tensor& codes) const {
  const at::Tensor places = at::floor_divide(codes.unsqueeze(2), base_);
  const at::Tensor digits = at::remainder(places, level_).to(at::kFloat).flatten(1, 2);
  return (digits - half_) / half_;
}

std::vector<double> Fsq::entropy_bits(const at::Tensor& digits) const {
  const at::Tensor by_channel = digits.to(at::kCPU, at::kLong).transpose(0, 1).flatten(1);
  std::vector<double> bits(static_cast<size_t>(groups_));
  const auto width = static_cast<int64_t>(levels_.size());
  for (int64_t channel = 0; channel < by_channel.size(0); ++channel) {
    const at::Tensor share =
        at::bincount(by_channel[channel]).to(at::kDouble) / static_cast<double>(by_channel.size(1));
    const at::Tensor known = share.masked_select(share > 0);
    bits[static_cast<size_t>(channel / width)] -= (known * known.log2()).sum().item<double>();
  }
  return bits;
}

}  // namespace kani::train
