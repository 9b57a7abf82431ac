// codec_files.cc - see codec_files.h.
#include "kani/train/codec/codec_files.h"

#include "kani/base/error.h"
#include "kani/formats/nemo.h"
#include "kani/formats/safetensors.h"
#include "kani/train/codec/codec_stages.h"
#include "kani/train/codec/layers.h"

namespace kani::train {
namespace {

constexpr const char* kCodecKey = "codec";
constexpr uint64_t kFileSeed = 42;

at::Tensor read(const TensorFile& file, const std::string& name) {
  const TensorInfo* info = file.find(name);
  const std::vector<int64_t> shape(info->shape.begin(), info->shape.end());
  at::Tensor out = at::empty(shape, at::kFloat);
  to_f32(info->dtype, info->bytes,
         {out.mutable_data_ptr<float>(), static_cast<size_t>(out.numel())});
  return out;
}

void read_conv(const TensorFile& file, const std::string& name, ParameterMap& out) {
  at::Tensor &direction = out[name + ".weight_v"], &gain = out[name + ".weight_g"];
  out[name + ".bias"] = read(file, name + ".bias");
  const std::string newer = name + ".parametrizations.weight.original";
  if (file.find(name + ".weight_v") != nullptr) {
    direction = read(file, name + ".weight_v");
    gain = read(file, name + ".weight_g");
  } else if (file.find(newer + "1") != nullptr) {
    direction = read(file, newer + "1");
    gain = read(file, newer + "0");
  } else {  // multiplied out
    direction = read(file, name + ".weight");
    gain = direction.square().sum({1, 2}, /*keepdim=*/true).sqrt();
  }
}

// Tensors with the memory that TensorToWrite views.
class Output {
 public:
  explicit Output(CodecStorage storage) : half_(storage == CodecStorage::kHalf) {}
  void add(const std::string& name, at::Tensor tensor) {
    const bool whole_numbers = tensor.scalar_type() == at::kInt;
    tensor = tensor.detach().to(at::kCPU);
    if (half_ && !whole_numbers) tensor = tensor.to(at::kHalf);
    tensor = kept_.emplace_back(tensor.contiguous());
    tensors_.push_back({name,
                        whole_numbers ? DType::kI32
                        : half_       ? DType::kF16
                                      : DType::kF32,
                        {tensor.sizes().begin(), tensor.sizes().end()},
                        {static_cast<const std::byte*>(tensor.const_data_ptr()), tensor.nbytes()}});
  }
  void add(const NanoCodecTensors& list, const ParameterMap& parameters) {
    for (const NanoCodecConv& conv : list.convs) {
      for (const char* part : {".bias", ".weight_g", ".weight_v"})
        add(conv.name + part, parameters.at(conv.name + part));
    }
    for (const NanoCodecAlpha& alpha : list.alphas) add(alpha.name, parameters.at(alpha.name));
  }
  const std::vector<TensorToWrite>& tensors() const { return tensors_; }

 private:
  bool half_;
  std::vector<at::Tensor> kept_;
  std::vector<TensorToWrite> tensors_;
};

}  // namespace

CodecFile load_codec(const std::filesystem::path& nemo) {
  const NemoArchive archive =
      open_nemo(nemo, [](std::string_view name) { return nanocodec_wants(name, true); });
  CodecFile out;
  out.config = parse_nanocodec_config(archive.config_yaml, nemo.string());
  const bool encoder = out.config.encoder.present;
  nanocodec_check(out.config, *archive.weights, encoder);
  const auto add = [&](const NanoCodecTensors& list) {
    for (const NanoCodecConv& conv : list.convs)
      read_conv(*archive.weights, conv.name, out.parameters);
    for (const NanoCodecAlpha& alpha : list.alphas)
      out.parameters[alpha.name] = read(*archive.weights, alpha.name);
  };
  add(nanocodec_decoder_tensors(out.config));
  if (encoder) add(nanocodec_encoder_tensors(out.config));
  return out;
}

void export_codec(const std::filesystem::path& nemo, const NanoCodecConfig& config,
                  const ParameterMap& parameters, CodecStorage storage) {
  Output out(storage);
  if (config.encoder.present) out.add(nanocodec_encoder_tensors(config), parameters);
  out.add(nanocodec_decoder_tensors(config), parameters);
  std::vector<int32_t> base;
  int32_t place = 1;
  for (const int level : config.levels) {
    base.push_back(place);
    place *= level;
  }
  for (int group = 0; group < config.codebooks; ++group) {
    const std::string name = concat("vector_quantizer.fsqs.", group, ".");
    out.add(name + "dim_base_index", at::tensor(base, at::kInt).view({1, -1, 1}));
    out.add(name + "num_levels", at::tensor(config.levels, at::kInt).view({1, -1, 1}));
  }
  write_nemo(nemo, nanocodec_config_yaml(config), out.tensors());
}

void export_code_networks(const std::filesystem::path& file, const NanoCodecConfig& config,
                          const ParameterMap& parameters, CodecStorage storage) {
  require(parameters.contains("analysis.in.weight"),
          "no analysis network, which stage mel makes and its checkpoints keep: nothing for ",
          file);
  Output out(storage);
  for (const auto& [name, tensor] : parameters) {
    if (stage_trains(CodecStage::kMel, {}, name)) out.add(name, tensor);
  }
  write_safetensors(file, out.tensors(), {{kCodecKey, nanocodec_config_yaml(config)}});
}

void export_networks(const std::filesystem::path& file, const CodecFile& networks,
                     CodecStorage storage) {
  if (file.extension() == ".safetensors")
    export_code_networks(file, networks.config, networks.parameters, storage);
  else
    export_codec(file, networks.config, networks.parameters, storage);
}

CodecFile load_code_networks(const std::filesystem::path& file) {
  const auto opened = open_safetensors(file);
  const auto yaml = opened->metadata().find(kCodecKey);
  const TensorInfo* in = opened->find("analysis.in.weight");
  if (yaml == opened->metadata().end() || in == nullptr || in->shape.size() != 3)
    throw Error(ErrorCode::kBadInput, file, ": no networks that make codes");
  CodecFile out;
  out.config = parse_nanocodec_config(yaml->second, file.string());
  out.parameters = random_codec(out.config, kFileSeed);
  const auto take = [&](ParameterMap wanted) {
    for (const auto& [name, tensor] : wanted) {
      if (!stage_trains(CodecStage::kMel, {}, name)) continue;
      const TensorInfo* info = opened->find(name);
      if (info == nullptr ||
          std::vector<int64_t>(info->shape.begin(), info->shape.end()) != tensor.sizes().vec())
        throw Error(ErrorCode::kBadInput, file, ": ", name, " is missing or has another shape");
      out.parameters[name] = read(*opened, name);
    }
  };
  take(out.parameters);
  ParameterMap analysis;
  for (const TensorInfo& info : opened->tensors()) {
    if (info.name.starts_with("analysis.")) analysis[info.name] = read(*opened, info.name);
  }
  take(random_analysis(out.config, size_of(analysis), kFileSeed));
  return out;
}

}  // namespace kani::train
