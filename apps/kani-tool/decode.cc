// decode.cc - `kani-tool decode`: codes to samples, at once or streamed.
#include <cstring>
#include <string>

#include "kani/base/error.h"
#include "kani/codec/streaming_decoder.h"
#include "kani/formats/nemo.h"
#include "kani/formats/safetensors.h"
#include "kani/spec/nanocodec.h"
#include "model.h"
#include "tool.h"

namespace kani::tool {
namespace {

struct Flags {
  std::filesystem::path codec, codes, out;
  size_t chunk_frames = 0;
  std::string type = "f32";
  ComputeFlags compute;
};

// [codebooks, frames] of int32 or int64 to frame-major codes.
std::vector<int32_t> read_codes(const std::filesystem::path& path, const NanoCodecConfig& config) {
  const auto file = open_safetensors(path);
  const TensorInfo* tensor = file->find("codes");
  if (tensor == nullptr) throw Error(ErrorCode::kBadInput, path, ": no tensor named codes");
  const auto codebooks = static_cast<size_t>(config.codebooks);
  if (tensor->shape.size() != 2 || tensor->shape[0] != codebooks) {
    throw Error(ErrorCode::kBadInput, path, ": codes have shape ", shape_text(tensor->shape),
                ", expected [", codebooks, ", frames]");
  }
  const size_t frames = tensor->shape[1];
  if (tensor->dtype != DType::kI32 && tensor->dtype != DType::kI64) {
    throw Error(ErrorCode::kBadInput, path, ": codes are ", dtype_name(tensor->dtype),
                ", expected I32 or I64");
  }
  std::vector<int32_t> codes(codebooks * frames);
  for (size_t g = 0; g < codebooks; ++g) {
    for (size_t t = 0; t < frames; ++t) {
      int64_t code = 0;
      const size_t i = g * frames + t;
      if (tensor->dtype == DType::kI64) {
        std::memcpy(&code, tensor->bytes.data() + i * 8, 8);
      } else {
        int32_t narrow = 0;
        std::memcpy(&narrow, tensor->bytes.data() + i * 4, 4);
        code = narrow;
      }
      if (code < 0 || code >= config.codebook_size()) {
        throw Error(ErrorCode::kBadInput, path, ": code ", code, " at codebook ", g, ", frame ", t,
                    " is outside 0 to ", config.codebook_size() - 1);
      }
      codes[t * codebooks + g] = static_cast<int32_t>(code);
    }
  }
  return codes;
}

SignalType signal_type(const std::string& name) {
  if (name == "bf16") return SignalType::kBf16;
  return name == "i8" ? SignalType::kI8 : SignalType::kF32;
}

void run(const Flags& flags) {
  const NemoArchive archive = open_nemo(
      flags.codec, [](std::string_view name) { return nanocodec_wants(name, /*encoder=*/false); });
  const NanoCodecConfig config = parse_nanocodec_config(archive.config_yaml, flags.codec.string());
  nanocodec_check(config, *archive.weights, /*with_encoder=*/false);
  const std::vector<int32_t> codes = read_codes(flags.codes, config);
  const std::unique_ptr<Backend> backend = make_backend(flags.compute.device);
  const NanoCodecDecoder codec(config, *archive.weights, backend->signal(),
                               signal_type(flags.type));
  StreamingDecoder decoder(codec);
  const auto codebooks = static_cast<size_t>(config.codebooks);
  const size_t frames = codes.size() / codebooks, per_frame = codec.samples_per_frame();
  std::vector<float> audio(frames * per_frame);
  const size_t step = flags.chunk_frames == 0 ? std::max<size_t>(frames, 1) : flags.chunk_frames;
  for (size_t first = 0; first < frames; first += step) {
    const size_t count = std::min(step, frames - first);
    decoder.push(std::span(codes).subspan(first * codebooks, count * codebooks),
                 std::span(audio).subspan(first * per_frame, count * per_frame));
  }
  const TensorToWrite out{"audio", DType::kF32, {audio.size()}, std::as_bytes(std::span(audio))};
  write_safetensors(flags.out, {&out, 1}, {{"sample_rate", std::to_string(config.sample_rate_hz)}});
}

}  // namespace

void add_decode(CLI::App& app, Action& action) {
  Command command(app, "decode", "codes to samples");
  auto flags = std::make_shared<Flags>();
  command.need("--codec", flags->codec, ".nemo file");
  command.need("--codes", flags->codes, "safetensors file with codes [codebooks, frames]");
  command.take("--chunk-frames", flags->chunk_frames,
               "stream so many frames at a time; 0 = all at once");
  command.choice("--codec-dtype", flags->type, {"f32", "bf16", "i8"},
                 "what it computes in, if the processor can");
  flags->compute.add_to(command);
  command.need("-o,--out", flags->out, "safetensors file to write");
  command.runs(action, [flags] { run(*flags); });
}

}  // namespace kani::tool
