// random_model.cc - `kani-tool random-model`: presets and the whole set.
#include "random_model.h"

#include <memory>

#include "kani/base/error.h"
#include "kani/base/random.h"
#include "tool.h"

namespace kani::tool {
namespace {

uint64_t fnv1a(std::string_view name) {
  uint64_t hash = 0xCBF29CE484222325u;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3u;
  return hash;
}

NanoCodecConfig codec_config(int decoder_channels, int encoder_channels) {
  NanoCodecConfig config;
  config.sample_rate_hz = 22050;
  config.samples_per_frame = 1764;
  config.codebooks = 4;
  config.levels = {9, 8, 8, 7};
  config.decoder.present = config.encoder.present = true;
  config.decoder.rates = {7, 7, 6, 3, 2};
  config.encoder.rates = {2, 3, 6, 7, 7};
  config.decoder.base_channels = decoder_channels;
  config.encoder.base_channels = encoder_channels;
  config.encoder.out_kernel = 7;
  return config;
}

std::vector<LayerKind> layers_with_attention_at(int count, std::initializer_list<int> attention) {
  std::vector<LayerKind> layers(static_cast<size_t>(count), LayerKind::kConv);
  for (const int i : attention) layers[static_cast<size_t>(i)] = LayerKind::kAttention;
  return layers;
}

Preset real_sizes() {
  Preset preset;
  Lfm2Config& lm = preset.language_model;
  lm.vocab_size = 80538;
  lm.hidden_size = 1024;
  lm.heads = 16;
  lm.kv_heads = 8;
  lm.head_dim = 64;
  lm.intermediate_size = 4608;
  lm.layers = layers_with_attention_at(16, {2, 5, 8, 10, 12, 14});
  lm.use_learnable_rope = true;
  preset.text_entries = 64400;
  preset.codec = codec_config(864, 24);
  return preset;
}

Preset tiny_sizes() {
  Preset preset;
  Lfm2Config& lm = preset.language_model;
  lm.audio_tokens_start = 410;
  lm.vocab_size = 410 + 4 * 4032;
  lm.hidden_size = 32;
  lm.heads = 4;
  lm.kv_heads = 2;
  lm.head_dim = 8;
  lm.intermediate_size = 64;
  lm.rope_theta = 10000;
  lm.layers = layers_with_attention_at(4, {1, 3});
  lm.use_learnable_rope = true;
  preset.text_entries = 400;
  preset.codec = codec_config(32, 2);
  SpeakerConfig& speaker = preset.speaker;
  speaker.hidden_size = 32;
  speaker.layers = 2;
  speaker.heads = 4;
  speaker.intermediate_size = 64;
  speaker.conv_dims.assign(speaker.conv_kernels.size(), 16);
  speaker.position_kernel = 16;
  speaker.position_groups = 4;
  speaker.head_width = 64;
  return preset;
}

struct Flags {
  std::string preset = "tiny";
  uint64_t seed = 1;
  std::filesystem::path out;
  bool no_speaker = false;
};

void run(const Flags& flags) {
  const Preset preset = preset_named(flags.preset);
  std::error_code error;
  for (const char* part : {"lm", "speaker"}) {
    if (flags.no_speaker && std::string_view(part) == "speaker") continue;
    std::filesystem::create_directories(flags.out / part, error);
    if (error)
      throw Error(ErrorCode::kCannotWrite, "cannot make ", flags.out / part, ": ", error.message());
  }
  write_random_language_model(flags.out / "lm", preset, flags.seed);
  write_random_tokenizer(flags.out / "lm", preset.text_entries);
  write_random_codec(flags.out / "codec.nemo", preset.codec, flags.seed);
  if (!flags.no_speaker) write_random_speaker(flags.out / "speaker", preset.speaker, flags.seed);
}

}  // namespace

NamedRandom::NamedRandom(std::string_view name, uint64_t seed)
    : base_(fnv1a(name) ^ splitmix64(seed)) {}

float NamedRandom::uniform(uint64_t i) const {
  return static_cast<float>(splitmix64(base_ + i) >> 40) * 0x1p-24F;
}

Preset preset_named(const std::string& name) {
  if (name == "kani-tts-2") return real_sizes();
  if (name == "tiny") return tiny_sizes();
  throw Error(ErrorCode::kInvalidArgument, "preset \"", printable(name),
              "\" is unknown, expected kani-tts-2 or tiny");
}

void add_random_model(CLI::App& app, Action& action) {
  Command command(app, "random-model", "a complete model set with random weights");
  auto flags = std::make_shared<Flags>();
  command.take("--preset", flags->preset, "kani-tts-2 (the real sizes) or tiny");
  command.take("-s,--seed", flags->seed, "seed of the weights");
  command.toggle("--no-speaker", flags->no_speaker,
                 "leave the speaker encoder out (1.3 GB at the real size)");
  command.need("-o,--out", flags->out, "folder to write");
  command.runs(action, [flags] { run(*flags); });
}

}  // namespace kani::tool
