// weight_writer.cc - see weight_writer.h.
#include "kani/codec/weight_writer.h"

#include <cassert>

namespace kani {
namespace {

// [outputs, inputs, 2 * rate] -> [outputs, inputs * rate, 2]
std::vector<float> split_taps(const std::vector<float>& weight, size_t rate) {
  std::vector<float> out(weight.size());
  for (size_t first = 0; first < weight.size(); first += 2 * rate) {
    for (size_t phase = 0; phase < rate; ++phase) {
      out[first + 2 * phase] = weight[first + phase];
      out[first + 2 * phase + 1] = weight[first + rate + phase];
    }
  }
  return out;
}

ConvShape shape_of(const NanoCodecConv& layer, SignalType type) {
  return {.inputs = layer.shape[1],
          .outputs = layer.shape[0],
          .taps = layer.shape[2],
          .dilation = static_cast<size_t>(layer.dilation),
          .type = type};
}

}  // namespace

void WeightWriter::use(SignalMemory& memory) {
  assert(memory.size() == carver_.used());
  carver_ = Carver(memory.data());
}

CausalConv WeightWriter::conv(const NanoCodecConv& layer, SignalType type) {
  return pack(shape_of(layer, type), layer, /*rate=*/1);
}

CausalConv WeightWriter::conv_or_split(const NanoCodecConv& layer, SignalType type,
                                       size_t columns) {
  ConvShape shape = shape_of(layer, type);
  shape.split = ops_.split_pays(shape, columns);
  return pack(shape, layer, /*rate=*/1);
}

CausalConv WeightWriter::strided_conv(const NanoCodecConv& layer) {
  const size_t rate = layer.shape[2] / 2;
  return pack({.inputs = layer.shape[1] * rate, .outputs = layer.shape[0], .taps = 2}, layer, rate);
}

CausalConv WeightWriter::pack(const ConvShape& shape, const NanoCodecConv& layer, size_t rate) {
  CausalConv out{.shape = shape};
  float* packed = carver_.take(ops_.packed_size(shape));
  if (packed == nullptr) return out;
  FoldedConv folded = fold_weight_norm(layer, file_);
  if (rate > 1) folded.weight = split_taps(folded.weight, rate);
  ops_.pack_conv(shape, folded.weight, folded.bias, packed);
  out.packed = packed;
  return out;
}

Upsampler WeightWriter::upsampler(const NanoCodecConv& layer) {
  Upsampler out{.outputs = layer.bias, .rate = layer.shape[2] / 2};
  float* weight = carver_.take(layer.shape[0] * layer.shape[2]);
  float* bias = carver_.take(layer.bias);
  if (weight == nullptr) return out;
  const FoldedConv folded = fold_weight_norm(layer, file_);
  put(folded.weight, weight);
  put(folded.bias, bias);
  out.weight = weight;
  out.bias = bias;
  return out;
}

HalfSnake WeightWriter::activation(const NanoCodecAlpha& slopes, size_t channels, SignalType type) {
  HalfSnake out{.channels = channels, .snakes = slopes.channels, .type = type};
  float* alpha = carver_.take(slopes.channels);
  float* inverse = carver_.take(slopes.channels);
  if (alpha == nullptr) return out;
  const std::vector<float> values = read_alpha(slopes, file_);
  std::vector<float> inverses;
  inverses.reserve(values.size());
  for (const float value : values) inverses.push_back(1.0F / (value + 1e-9F));
  put(values, alpha);
  put(inverses, inverse);
  out.alpha = alpha;
  out.inverse = inverse;
  return out;
}

void WeightWriter::put(const std::vector<float>& values, float* to) {
  ops_.upload({values.data(), 1, values.size()}, {to, 1, values.size()});
}

}  // namespace kani
