// embed.cc - `kani-tool embed`: a recording to its speaker vector.
#include "kani/base/error.h"
#include "kani/formats/safetensors.h"
#include "kani/speaker/reference.h"
#include "kani/speaker/speaker_encoder.h"
#include "model.h"
#include "tensor_output.h"
#include "tool.h"

namespace kani::tool {
namespace {

struct Flags {
  std::filesystem::path encoder, audio, out;
  std::string dtype = "f32";
  bool layers = false;
  ComputeFlags compute;
};

// Numbers go straight into the encoder; recordings through what is refused and cut (speaker.md 2).
std::vector<float> read_samples(const Flags& flags, const SpeakerEncoder& encoder) {
  ReferenceLimits limits;
  limits.min_samples = encoder.min_samples();
  if (flags.audio.extension() != ".safetensors") {
    const Reference reference = read_reference(flags.audio, limits);
    for (const std::string& warning : reference.warnings)
      log_warning("embed", flags.audio, ": ", warning);
    return reference.samples;
  }
  const auto file = open_safetensors(flags.audio);
  const TensorInfo* tensor = file->find("audio");
  if (tensor == nullptr) throw Error(ErrorCode::kBadInput, flags.audio, ": no tensor named audio");
  if (tensor->shape.size() != 1) {
    throw Error(ErrorCode::kBadInput, flags.audio, ": audio has shape ", shape_text(tensor->shape),
                ", expected [samples]");
  }
  const auto rate = file->metadata().find("sample_rate");
  if (rate != file->metadata().end() && rate->second != std::to_string(kSpeakerRateHz)) {
    throw Error(ErrorCode::kBadInput, flags.audio, ": sample_rate is ", printable(rate->second),
                ", expected ", kSpeakerRateHz);
  }
  if (tensor->elements() < encoder.min_samples()) {
    throw Error(ErrorCode::kBadInput, flags.audio, ": audio has ", tensor->elements(),
                " samples, expected at least ", encoder.min_samples());
  }
  return tensor_to_f32(*tensor);
}

void run(const Flags& flags) {
  const std::unique_ptr<Backend> backend = make_backend(flags.compute.device);
  SpeakerEncoder encoder(
      flags.encoder, *backend,
      flags.dtype == "i16" ? ProductPrecision::kFixed16 : ProductPrecision::kF32);
  const std::vector<float> samples = read_samples(flags, encoder);
  std::vector<NamedTensor> tensors{{"embedding", {}, {encoder.embedding_size()}}};
  const SpeakerObserver observer = [&](std::string_view name, ConstMatrix values) {
    NamedTensor tensor{std::string(name), {}, {values.rows(), values.cols()}};
    if (values.rows() == 1) tensor.shape = {values.cols()};
    for (size_t t = 0; t < values.rows(); ++t)
      tensor.values.insert(tensor.values.end(), values.row(t), values.row(t) + values.cols());
    tensors.push_back(std::move(tensor));
  };
  tensors[0].values = encoder.embed(samples, nullptr, flags.layers ? observer : SpeakerObserver{});
  write_tensors(flags.out, tensors);
}

}  // namespace

void add_embed(CLI::App& app, Action& action) {
  Command command(app, "embed", "a recording to its speaker vector");
  auto flags = std::make_shared<Flags>();
  command.need("--speaker-encoder", flags->encoder, "folder of the speaker encoder");
  command.need("--audio", flags->audio,
               "sound file, or safetensors file with audio [samples] at 16 kHz");
  command.toggle("--layers", flags->layers, "the intermediate activations, too");
  command.choice("--dtype", flags->dtype, {"f32", "i16"}, "of the products; i16: 13 bits, faster");
  flags->compute.add_to(command);
  command.need("-o,--out", flags->out, "safetensors file to write");
  command.runs(action, [flags] { run(*flags); });
}

}  // namespace kani::tool
