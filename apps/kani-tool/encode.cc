// encode.cc - `kani-tool encode`: a recording to codes, read and encoded piece by piece, so that an
// hour takes no more memory than a minute but for its codes.
#include <algorithm>
#include <cstring>

#include "kani/audio/resampler.h"
#include "kani/audio/sound_reader.h"
#include "kani/base/error.h"
#include "kani/codec/streaming_encoder.h"
#include "kani/formats/nemo.h"
#include "kani/formats/safetensors.h"
#include "kani/spec/nanocodec.h"
#include "model.h"
#include "tool.h"

namespace kani::tool {
namespace {

constexpr size_t kPieceSamples = 65536;
constexpr double kMostSeconds = 24 * 3600;

struct Flags {
  std::filesystem::path codec, audio, out;
  ComputeFlags compute;
};

void encode_sound(const std::filesystem::path& path, int rate_hz, StreamingEncoder& encoder,
                  EncodedFrames& frames) {
  SoundReader reader(path, {.max_seconds = kMostSeconds});
  Resampler resampler(reader.rate_hz(), rate_hz, ResamplerQuality::kHigh);
  std::vector<float> samples(kPieceSamples), ready;
  for (size_t count = samples.size(); count == samples.size();) {
    count = reader.read(samples);
    ready.clear();
    resampler.push(std::span(samples).first(count), ready);
    encoder.push(ready, frames);
  }
  ready.clear();
  resampler.finish(ready);
  encoder.push(ready, frames);
}

// A tensor audio [samples]; its file's sample_rate, if it says one, must be the codec's.
void encode_tensor(const std::filesystem::path& path, int rate_hz, StreamingEncoder& encoder,
                   EncodedFrames& frames) {
  const auto file = open_safetensors(path);
  const TensorInfo* tensor = file->find("audio");
  if (tensor == nullptr) throw Error(ErrorCode::kBadInput, path, ": no tensor named audio");
  if (tensor->shape.size() != 1 || tensor->dtype != DType::kF32) {
    throw Error(ErrorCode::kBadInput, path, ": audio is ", dtype_name(tensor->dtype), " ",
                shape_text(tensor->shape), ", expected F32 [samples]");
  }
  const auto rate = file->metadata().find("sample_rate");
  if (rate != file->metadata().end() && rate->second != std::to_string(rate_hz)) {
    throw Error(ErrorCode::kBadInput, path, ": sample_rate is ", printable(rate->second),
                ", expected ", rate_hz, "; sound files are resampled, tensors are not");
  }
  std::vector<float> samples(kPieceSamples);
  const uint64_t all = tensor->elements();
  for (uint64_t first = 0; first < all; first += kPieceSamples) {
    const auto count = static_cast<size_t>(std::min<uint64_t>(kPieceSamples, all - first));
    std::memcpy(samples.data(), tensor->bytes.data() + first * sizeof(float),
                count * sizeof(float));
    encoder.push(std::span(samples).first(count), frames);
  }
}

void write_frames(const std::filesystem::path& path, const EncodedFrames& frames,
                  const NanoCodecConfig& config) {
  const auto codebooks = static_cast<size_t>(config.codebooks);
  const size_t count = frames.codes.size() / codebooks;
  std::vector<int32_t> codes(frames.codes.size());
  for (size_t g = 0; g < codebooks; ++g) {
    for (size_t t = 0; t < count; ++t) codes[g * count + t] = frames.codes[t * codebooks + g];
  }
  const TensorToWrite out[] = {
      {"codes", DType::kI32, {codebooks, count}, std::as_bytes(std::span(codes))},
      {"latent",
       DType::kF32,
       {count, static_cast<size_t>(config.latent_width())},
       std::as_bytes(std::span(frames.latent))}};
  write_safetensors(path, out, {{"sample_rate", std::to_string(config.sample_rate_hz)}});
}

void run(const Flags& flags) {
  const NemoArchive archive = open_nemo(
      flags.codec, [](std::string_view name) { return nanocodec_wants(name, /*encoder=*/true); });
  const NanoCodecConfig config = parse_nanocodec_config(archive.config_yaml, flags.codec.string());
  const std::unique_ptr<Backend> backend = make_backend(flags.compute.device);
  const NanoCodecEncoder codec(config, *archive.weights, backend->signal());
  StreamingEncoder encoder(codec);
  EncodedFrames frames;
  try {
    if (flags.audio.extension() == ".safetensors") {
      encode_tensor(flags.audio, config.sample_rate_hz, encoder, frames);
    } else {
      encode_sound(flags.audio, config.sample_rate_hz, encoder, frames);
    }
    encoder.finish(frames);
  } catch (const Error& error) {
    // The encoder does not know the file that its samples come from.
    if (std::string_view(error.what()).find(flags.audio.string()) != std::string_view::npos) throw;
    throw Error(error.code(), flags.audio, ": ", error.what());
  }
  write_frames(flags.out, frames, config);
}

}  // namespace

void add_encode(CLI::App& app, Action& action) {
  Command command(app, "encode", "a recording to codes");
  auto flags = std::make_shared<Flags>();
  command.need("--codec", flags->codec, ".nemo file with an encoder");
  command.need("--audio", flags->audio,
               "sound file of up to 24 hours, its channels averaged, resampled if its rate is "
               "not the codec's; or a .safetensors file with audio F32 [samples] at that rate");
  flags->compute.add_to(command);
  command.need("-o,--out", flags->out,
               "safetensors file to write: codes I32 [codebooks, frames], latent F32 [frames, "
               "dims] before quantization");
  command.runs(action, [flags] { run(*flags); });
}

}  // namespace kani::tool
