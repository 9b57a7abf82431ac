// nanocodec_tensors.cc - the one list of a codec's tensors, a file held against it, and weight
// normalisation multiplied out.  Source: codec.md 2.4, 3.3.
// Not here: the layout that kernels want (backend/), what the layers compute (codec/).
#include <algorithm>
#include <cmath>
#include <optional>
#include <unordered_set>

#include "kani/base/error.h"
#include "kani/spec/nanocodec.h"

namespace kani {
namespace {

constexpr std::string_view kDecoderPrefix = "audio_decoder.";
constexpr std::string_view kEncoderPrefix = "audio_encoder.";
constexpr std::string_view kQuantizerPrefix = "vector_quantizer.";
constexpr size_t kMostFaults = 12;  // listed in one message

uint64_t size(int value) { return static_cast<uint64_t>(value); }

NanoCodecConv conv(std::string name, uint64_t out, uint64_t in, int kernel, int dilation = 1) {
  return {std::move(name), {out, in, size(kernel)}, out, dilation};
}

NanoCodecAlpha alpha(std::string_view activation, uint64_t channels) {
  return {concat(activation, ".activation.snake_act.alpha"), channels / 2};
}

std::string block_name(std::string_view prefix, size_t stage, size_t branch, size_t block) {
  return concat(prefix, "res_layers.", stage, ".res_blocks.", branch, ".res_blocks.", block, ".");
}

// The three spellings of a normalised weight.
struct WeightNames {
  std::string gain;  // empty: the weight is stored multiplied out
  std::string direction;
};
std::array<WeightNames, 3> spellings(const std::string& conv_name) {
  const std::string weight = conv_name + ".parametrizations.weight.";
  return {WeightNames{conv_name + ".weight_g", conv_name + ".weight_v"},
          WeightNames{weight + "original0", weight + "original1"},
          WeightNames{"", conv_name + ".weight"}};
}

bool holds_floats(const TensorInfo& tensor) {
  return tensor.dtype == DType::kF32 || tensor.dtype == DType::kBF16 ||
         tensor.dtype == DType::kF16 || tensor.dtype == DType::kF64;
}

bool holds_integers(const TensorInfo& tensor) {
  return tensor.dtype == DType::kI32 || tensor.dtype == DType::kI64;
}

// Collects every disagreement between a file and the lists.
class FileCheck {
 public:
  explicit FileCheck(const TensorFile& file) : file_(file) {}

  void check(const NanoCodecTensors& tensors) {
    for (const NanoCodecConv& layer : tensors.convs) check_conv(layer);
    for (const NanoCodecAlpha& slopes : tensors.alphas) {
      check_floats(slopes.name, {1, slopes.channels, 1});
    }
  }

  void check_quantizer(const NanoCodecConfig& config) {
    std::vector<float> levels, bases;
    float base = 1;
    for (const int level : config.levels) {
      levels.push_back(static_cast<float>(level));
      bases.push_back(base);
      base *= static_cast<float>(level);
    }
    for (int group = 0; group < config.codebooks; ++group) {
      const std::string prefix = concat(kQuantizerPrefix, "fsqs.", group, ".");
      check_integers(prefix + "num_levels", levels);
      check_integers(prefix + "dim_base_index", bases);
    }
  }

  void check_unexpected(bool with_encoder) {
    for (const TensorInfo& tensor : file_.tensors()) {
      const std::string_view name = tensor.name;
      const bool ours = name.starts_with(kDecoderPrefix) || name.starts_with(kQuantizerPrefix) ||
                        (with_encoder && name.starts_with(kEncoderPrefix));
      if (ours && !expected_.contains(tensor.name)) {
        fault(printable(tensor.name, 120), " is unexpected");
      }
    }
  }

  void throw_if_any() const {
    if (count_ == 0) return;
    const std::string more =
        count_ > kMostFaults ? concat("; and ", count_ - kMostFaults, " more") : "";
    throw Error(ErrorCode::kBadInput, file_.path(), ": ", count_,
                count_ == 1 ? " tensor" : " tensors", " at odds with the configuration: ", faults_,
                more);
  }

 private:
  template <typename... Parts>
  void fault(const Parts&... parts) {
    if (++count_ <= kMostFaults) faults_ += concat(count_ > 1 ? "; " : "", parts...);
  }

  void check_conv(const NanoCodecConv& layer) {
    check_floats(layer.name + ".bias", {layer.bias});
    const TensorInfo* found = nullptr;
    for (const WeightNames& names : spellings(layer.name)) {
      const TensorInfo* direction = file_.find(names.direction);
      if (direction == nullptr) continue;
      if (found != nullptr) {
        expected_.insert(direction->name);
        fault(layer.name, " has its weight twice, as ", found->name, " and ", direction->name);
        continue;
      }
      found = direction;
      check_floats(names.direction, {layer.shape.begin(), layer.shape.end()});
      if (!names.gain.empty()) check_floats(names.gain, {layer.shape[0], 1, 1});
    }
    if (found == nullptr) fault("the weight of ", layer.name, " is missing");
  }

  const TensorInfo* check_shape(const std::string& name, const std::vector<uint64_t>& shape) {
    expected_.insert(name);
    const TensorInfo* tensor = file_.find(name);
    if (tensor == nullptr || tensor->shape == shape) return tensor;
    fault(name, " has shape ", shape_text(tensor->shape), ", expected ", shape_text(shape));
    return nullptr;
  }
  void check_floats(const std::string& name, const std::vector<uint64_t>& shape) {
    const TensorInfo* tensor = check_shape(name, shape);
    if (tensor == nullptr) {
      if (file_.find(name) == nullptr) fault(name, " is missing");
    } else if (!holds_floats(*tensor)) {
      fault(name, " has type ", dtype_name(tensor->dtype), ", expected F32");
    }
  }

  // Re-exports leave these buffers out, as they repeat the configuration; NeMo's own files have
  // them.
  void check_integers(const std::string& name, const std::vector<float>& values) {
    const TensorInfo* tensor = check_shape(name, {1, values.size(), 1});
    if (tensor == nullptr) return;
    if (!holds_integers(*tensor)) {
      fault(name, " has type ", dtype_name(tensor->dtype), ", expected I32");
    } else if (tensor_to_f32(*tensor) != values) {
      fault(name, " disagrees with num_levels_per_group");
    }
  }

  const TensorFile& file_;
  std::unordered_set<std::string> expected_;
  std::string faults_;
  size_t count_ = 0;
};

std::vector<float> read_finite(const TensorFile& file, const std::string& name) {
  const TensorInfo* tensor = file.find(name);
  if (tensor == nullptr) {
    throw Error(ErrorCode::kBadInput, file.path(), ": ", name, " is missing");
  }
  std::vector<float> values = tensor_to_f32(*tensor);
  file.release(*tensor);
  const auto bad =
      std::find_if_not(values.begin(), values.end(), [](float v) { return std::isfinite(v); });
  if (bad != values.end()) {
    throw Error(ErrorCode::kBadInput, file.path(), ": ", name, " has NaN or infinity at element ",
                bad - values.begin());
  }
  return values;
}

}  // namespace

NanoCodecDecoderLayers nanocodec_decoder_layers(const NanoCodecConfig& config) {
  const NanoCodecSide& side = config.decoder;
  const std::string prefix(kDecoderPrefix);
  uint64_t width = size(side.base_channels);
  NanoCodecDecoderLayers layers;
  layers.pre_conv =
      conv(prefix + "pre_conv.conv", width, size(config.latent_width()), side.in_kernel);
  for (size_t i = 0; i < side.rates.size(); ++i) {
    NanoCodecStage stage;
    stage.activation = alpha(concat(prefix, "activations.", i), width);
    // Transposed and grouped: dimension 0 counts inputs, two of which feed each output.
    stage.up =
        conv(concat(prefix, "up_sample_conv_layers.", i, ".conv"), width, 1, 2 * side.rates[i]);
    width /= 2;
    stage.up.bias = width;
    for (size_t j = 0; j < side.resblock_kernels.size(); ++j) {
      std::vector<NanoCodecBlock> branch;
      for (size_t m = 0; m < side.resblock_dilations.size(); ++m) {
        const std::string block = block_name(prefix, i, j, m);
        const int kernel = side.resblock_kernels[j];
        branch.push_back(
            {alpha(block + "input_activation", width),
             conv(block + "input_conv.conv", width, width, kernel, side.resblock_dilations[m]),
             alpha(block + "skip_activation", width),
             conv(block + "skip_conv.conv", width, width, kernel)});
      }
      stage.branches.push_back(std::move(branch));
    }
    layers.stages.push_back(std::move(stage));
  }
  layers.post_activation = alpha(prefix + "post_activation", width);
  layers.post_conv = conv(prefix + "post_conv.conv", 1, width, side.out_kernel);
  return layers;
}

NanoCodecTensors nanocodec_decoder_tensors(const NanoCodecConfig& config) {
  const NanoCodecDecoderLayers layers = nanocodec_decoder_layers(config);
  NanoCodecTensors list;
  list.convs.push_back(layers.pre_conv);
  for (const NanoCodecStage& stage : layers.stages) {
    list.alphas.push_back(stage.activation);
    list.convs.push_back(stage.up);
  }
  for (const NanoCodecStage& stage : layers.stages) {
    for (const auto& branch : stage.branches) {
      for (const NanoCodecBlock& block : branch) {
        list.alphas.insert(list.alphas.end(), {block.input_activation, block.skip_activation});
        list.convs.insert(list.convs.end(), {block.input_conv, block.skip_conv});
      }
    }
  }
  list.alphas.push_back(layers.post_activation);
  list.convs.push_back(layers.post_conv);
  return list;
}

NanoCodecEncoderLayers nanocodec_encoder_layers(const NanoCodecConfig& config) {
  const NanoCodecSide& side = config.encoder;
  const std::string prefix(kEncoderPrefix);
  uint64_t width = size(side.base_channels);
  NanoCodecEncoderLayers layers;
  layers.pre_conv = conv(prefix + "pre_conv.conv", width, 1, side.in_kernel);
  for (size_t i = 0; i < side.rates.size(); ++i) {
    NanoCodecEncoderStage stage;
    for (size_t j = 0; j < side.resblock_kernels.size(); ++j) {
      std::vector<NanoCodecEncoderBlock> branch;
      for (size_t m = 0; m < side.resblock_dilations.size(); ++m) {
        const std::string block = block_name(prefix, i, j, m);
        const int kernel = side.resblock_kernels[j];
        branch.push_back(
            {conv(block + "input_conv.conv", width, width, kernel, side.resblock_dilations[m]),
             conv(block + "skip_conv.conv", width, width, kernel)});
      }
      stage.branches.push_back(std::move(branch));
    }
    stage.down = conv(concat(prefix, "down_sample_conv_layers.", i, ".conv"), 2 * width, width,
                      2 * side.rates[i]);
    width *= 2;
    layers.stages.push_back(std::move(stage));
  }
  layers.post_conv =
      conv(prefix + "post_conv.conv", size(config.latent_width()), width, side.out_kernel);
  return layers;
}

NanoCodecTensors nanocodec_encoder_tensors(const NanoCodecConfig& config) {
  const NanoCodecEncoderLayers layers = nanocodec_encoder_layers(config);
  NanoCodecTensors list;
  list.convs.push_back(layers.pre_conv);
  for (const NanoCodecEncoderStage& stage : layers.stages) list.convs.push_back(stage.down);
  for (const NanoCodecEncoderStage& stage : layers.stages) {
    for (const auto& branch : stage.branches) {
      for (const NanoCodecEncoderBlock& block : branch) {
        list.convs.insert(list.convs.end(), {block.input_conv, block.skip_conv});
      }
    }
  }
  list.convs.push_back(layers.post_conv);
  return list;
}

bool nanocodec_wants(std::string_view tensor_name, bool encoder) {
  return tensor_name.starts_with(kDecoderPrefix) || tensor_name.starts_with(kQuantizerPrefix) ||
         (encoder && tensor_name.starts_with(kEncoderPrefix));
}

void nanocodec_check(const NanoCodecConfig& config, const TensorFile& file, bool with_encoder) {
  FileCheck check(file);
  check.check(nanocodec_decoder_tensors(config));
  if (with_encoder) {
    if (!config.encoder.present) {
      throw Error(ErrorCode::kBadInput, file.path(), ": the codec has no encoder");
    }
    check.check(nanocodec_encoder_tensors(config));
  }
  check.check_quantizer(config);
  check.check_unexpected(with_encoder);
  check.throw_if_any();
}

FoldedConv fold_weight_norm(const NanoCodecConv& layer, const TensorFile& file) {
  FoldedConv out;
  out.bias = read_finite(file, layer.name + ".bias");
  for (const WeightNames& names : spellings(layer.name)) {
    if (file.find(names.direction) == nullptr) continue;
    out.weight = read_finite(file, names.direction);
    if (names.gain.empty()) return out;
    const std::vector<float> gain = read_finite(file, names.gain);
    const size_t row = out.weight.size() / gain.size();
    for (size_t i = 0; i < gain.size(); ++i) {
      const std::span<float> w = std::span(out.weight).subspan(i * row, row);
      double squares = 0;
      for (const float v : w) squares += static_cast<double>(v) * v;
      const double scale = gain[i] / std::sqrt(squares);
      for (float& v : w) v = static_cast<float>(v * scale);
      if (!std::isfinite(scale) || !std::isfinite(static_cast<float>(scale))) {
        throw Error(ErrorCode::kBadInput, file.path(), ": row ", i, " of ", names.direction,
                    " has length ", std::sqrt(squares), ", weight normalisation divides by it");
      }
    }
    return out;
  }
  throw Error(ErrorCode::kBadInput, file.path(), ": the weight of ", layer.name, " is missing");
}

std::vector<float> read_alpha(const NanoCodecAlpha& slopes, const TensorFile& file) {
  return read_finite(file, slopes.name);
}

}  // namespace kani
