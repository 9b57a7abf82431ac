// nanocodec.cc - model_config.yaml of a codec: read, validated, written.  Source: codec.md 2.2.
// Not here: the tensors (nanocodec_tensors.cc), the archive around the YAML (formats/nemo.h).
#include "kani/spec/nanocodec.h"

#include <array>
#include <charconv>
#include <optional>

#include "kani/base/error.h"
#include "kani/base/yaml.h"

namespace kani {
namespace {

constexpr std::string_view kModel = "nemo.collections.tts.models.audio_codec.AudioCodecModel";
// The same class under the name of the package that re-exports it.
constexpr std::string_view kModelAlias = "nemo.collections.tts.models.AudioCodecModel";
constexpr std::string_view kDecoder =
    "nemo.collections.tts.modules.audio_codec_modules.CausalHiFiGANDecoder";
constexpr std::string_view kEncoder =
    "nemo.collections.tts.modules.audio_codec_modules.HiFiGANEncoder";
constexpr std::string_view kQuantizer =
    "nemo.collections.tts.modules.audio_codec_modules.GroupFiniteScalarQuantizer";

// Bounds that no codec of this family comes near; they keep every later product small.
constexpr int kMaxChannels = 8192;
constexpr int kMaxSamplesPerFrame = 1 << 20;
constexpr int kMaxCodebookSize = 1 << 16;
constexpr size_t kLevelsPerGroup = 4;

struct Range {
  int least;
  int most;
};
constexpr Range kAnyLength{1, 8};
constexpr Range kKernel{1, 63};

// One map of the document; `path` is how messages name it ("audio_decoder.", "" at the top).
class Section {
 public:
  Section(const YamlValue& map, std::string_view source, std::string path)
      : map_(map), source_(source), path_(std::move(path)) {
    if (map.kind != YamlValue::Kind::kMap) {
      fail(ErrorCode::kBadInput, map, path_.empty() ? "document" : path_, " is no map of keys");
    }
  }

  bool has(std::string_view key) const { return map_.find(key) != nullptr; }
  Section section(std::string_view key) const {
    return Section(need(key), source_, concat(path_, key, "."));
  }

  int integer(std::string_view key, Range range, std::optional<int> missing = std::nullopt) const {
    const YamlValue* value = look(key, missing.has_value());
    return value == nullptr ? *missing : integer_of(*value, concat(path_, key), range);
  }

  std::vector<int> integers(std::string_view key, Range length, Range range,
                            const std::optional<std::vector<int>>& missing = std::nullopt) const {
    const YamlValue* value = look(key, missing.has_value());
    if (value == nullptr) return *missing;
    const auto count = static_cast<int>(value->items.size());
    if (value->kind != YamlValue::Kind::kList || count < length.least || count > length.most) {
      fail(ErrorCode::kBadInput, *value, path_, key, " is ", seen(*value), ", expected a list of ",
           length.least, " to ", length.most, " integers");
    }
    std::vector<int> out;
    for (const YamlValue& item : value->items) {
      out.push_back(integer_of(item, concat(path_, key, "[", out.size(), "]"), range));
    }
    return out;
  }

  float fraction(std::string_view key, float missing) const {
    const YamlValue* value = look(key, /*optional=*/true);
    if (value == nullptr) return missing;
    const std::optional<double> number = value->number();
    if (!number || *number <= 0 || *number >= 0.5) {
      fail(ErrorCode::kBadInput, *value, path_, key, " is ", seen(*value),
           ", expected a number between 0 and 0.5");
    }
    return static_cast<float>(*number);
  }

  /// The value (or `missing`, what NeMo takes for a key that is not there) must be one of
  /// `accepted`; anything else is well-formed but not this codec.
  void expect_text(std::string_view key, std::initializer_list<std::string_view> accepted,
                   std::optional<std::string_view> missing = std::nullopt) const {
    const YamlValue* value = look(key, missing.has_value());
    if (value != nullptr && value->kind != YamlValue::Kind::kScalar) {
      fail(ErrorCode::kBadInput, *value, path_, key, " is ", seen(*value), ", expected a name");
    }
    const std::string_view text = value == nullptr ? *missing : std::string_view(value->text);
    for (const std::string_view name : accepted) {
      if (text == name) return;
    }
    fail(ErrorCode::kUnsupported, value == nullptr ? map_ : *value, path_, key, " is ",
         printable(text), value == nullptr ? " (not given)" : "", ", expected ", *accepted.begin());
  }

  void expect_true(std::string_view key) const {
    const YamlValue* value = look(key, /*optional=*/true);
    if (value == nullptr) return;
    const std::optional<bool> flag = value->boolean();
    if (!flag) {
      fail(ErrorCode::kBadInput, *value, path_, key, " is ", seen(*value), ", expected true");
    }
    if (!*flag) fail(ErrorCode::kUnsupported, *value, path_, key, " is false, expected true");
  }

  template <typename... Parts>
  [[noreturn]] void fail(ErrorCode code, const YamlValue& where, const Parts&... parts) const {
    throw Error(code, source_, ": line ", where.line, ": ", parts...);
  }
  template <typename... Parts>
  [[noreturn]] void fail_key(ErrorCode code, std::string_view key, const Parts&... parts) const {
    fail(code, need(key), path_, key, " ", parts...);
  }

 private:
  static std::string seen(const YamlValue& value) {
    switch (value.kind) {
      case YamlValue::Kind::kNull:
        return "null";
      case YamlValue::Kind::kScalar:
        return value.quoted ? concat('"', printable(value.text), '"') : printable(value.text);
      case YamlValue::Kind::kList:
        return concat("a list of ", value.items.size());
      case YamlValue::Kind::kMap:
        break;
    }
    return "a map";
  }

  const YamlValue& need(std::string_view key) const { return *look(key, /*optional=*/false); }

  const YamlValue* look(std::string_view key, bool optional) const {
    const YamlValue* value = map_.find(key);
    if (value == nullptr && !optional) {
      throw Error(ErrorCode::kBadInput, source_, ": key ", path_, key, " is missing");
    }
    return value;
  }

  int integer_of(const YamlValue& value, const std::string& name, Range range) const {
    const std::optional<int64_t> number = value.integer();
    if (!number || *number < range.least || *number > range.most) {
      fail(ErrorCode::kBadInput, value, name, " is ", seen(value), ", expected an integer from ",
           range.least, " to ", range.most);
    }
    return static_cast<int>(*number);
  }

  const YamlValue& map_;
  std::string_view source_;
  std::string path_;
};

// The product, or `most` + 1 if it is larger than `most`.
int bounded_product(const std::vector<int>& factors, int most) {
  int64_t product = 1;
  for (const int factor : factors) {
    product *= factor;
    if (product > most) return most + 1;
  }
  return static_cast<int>(product);
}

void read_residual_layers(const Section& section, NanoCodecSide& side) {
  side.resblock_kernels =
      section.integers("resblock_kernel_sizes", kAnyLength, kKernel, std::vector<int>{3, 7, 11});
  side.resblock_dilations =
      section.integers("resblock_dilation_sizes", kAnyLength, {1, 64}, std::vector<int>{1, 3, 5});
}

NanoCodecSide read_decoder(const Section& section) {
  NanoCodecSide side;
  side.present = true;
  section.expect_text("_target_", {kDecoder});
  section.expect_text("activation", {"half_snake"}, "lrelu");
  section.expect_text("output_activation", {"clamp"}, "tanh");
  section.expect_text("pad_mode", {"zeros"}, "zeros");
  section.expect_true("n_groups_equal_to_out_channels");
  side.rates = section.integers("up_sample_rates", kAnyLength, {1, 64});
  side.base_channels = section.integer("base_channels", {1, kMaxChannels}, 512);
  side.in_kernel = section.integer("in_kernel_size", kKernel, 7);
  side.out_kernel = section.integer("out_kernel_size", kKernel, 3);
  read_residual_layers(section, side);
  const int divisor = 1 << side.rates.size();
  if (side.base_channels % divisor != 0) {
    section.fail_key(ErrorCode::kBadInput, "up_sample_rates", "has ", side.rates.size(),
                     " entries, but the width ", side.base_channels,
                     " cannot be halved that often");
  }
  return side;
}

NanoCodecSide read_encoder(const Section& section) {
  NanoCodecSide side;
  side.present = true;
  section.expect_text("_target_", {kEncoder});
  section.expect_text("activation", {"lrelu"}, "lrelu");
  section.expect_text("pad_mode", {"replicate"}, "reflect");
  side.rates = section.integers("down_sample_rates", kAnyLength, {1, 64});
  side.base_channels = section.integer("base_channels", {1, kMaxChannels}, 32);
  side.in_kernel = section.integer("in_kernel_size", kKernel, 7);
  side.out_kernel = section.integer("out_kernel_size", kKernel, 7);
  read_residual_layers(section, side);
  if (side.base_channels << side.rates.size() > kMaxChannels) {
    section.fail_key(ErrorCode::kBadInput, "down_sample_rates", "has ", side.rates.size(),
                     " entries, which doubles the width ", side.base_channels, " beyond ",
                     kMaxChannels);
  }
  std::vector<int> kernels = side.resblock_kernels;
  kernels.push_back(side.in_kernel);
  kernels.push_back(side.out_kernel);
  for (const int kernel : kernels) {
    if (kernel % 2 == 1) continue;
    section.fail_key(ErrorCode::kUnsupported, "_target_",
                     "pads both sides alike, so its kernels must be odd, found ", kernel);
  }
  return side;
}

void read_quantizer(const Section& section, NanoCodecConfig& config) {
  section.expect_text("_target_", {kQuantizer});
  config.codebooks = section.integer("num_groups", {1, 64});
  config.levels = section.integers("num_levels_per_group",
                                   {static_cast<int>(kLevelsPerGroup), kLevelsPerGroup}, {2, 256});
  config.fsq_eps = section.fraction("eps", config.fsq_eps);
  if (bounded_product(config.levels, kMaxCodebookSize) > kMaxCodebookSize) {
    section.fail_key(ErrorCode::kBadInput, "num_levels_per_group", "makes more than ",
                     kMaxCodebookSize, " codes");
  }
}

void check_side(const Section& top, std::string_view name, std::string_view rates_key,
                std::string_view width_key, const NanoCodecSide& side,
                const NanoCodecConfig& config) {
  const Section section = top.section(name);
  if (bounded_product(side.rates, kMaxSamplesPerFrame) != config.samples_per_frame) {
    section.fail_key(ErrorCode::kBadInput, rates_key, "do not multiply to samples_per_frame ",
                     config.samples_per_frame);
  }
  const int width = section.integer(width_key, {1, kMaxChannels});
  if (width != config.latent_width()) {
    section.fail_key(ErrorCode::kBadInput, width_key, "is ", width, ", expected ",
                     config.latent_width(), " (", config.codebooks, " groups of ",
                     config.levels.size(), " levels)");
  }
}

/// What NeMo's class wants to find before it makes anything, though only its own training uses it:
/// its usual losses, and no discriminators, which an exported codec has not.
constexpr const char* kTrainingKeys =
    "loss_resolutions: [[32, 8, 32], [64, 16, 64], [128, 32, 128], [256, 64, 256], [512, 128, 512],"
    " [1024, 256, 1024], [2048, 512, 2048]]\n"
    "mel_loss_dims: [5, 10, 20, 40, 80, 160, 320]\n"
    "mel_loss_l1_scale: 10.0\nmel_loss_l2_scale: 0.0\nstft_loss_scale: 20.0\n"
    "time_domain_loss_scale: 0.0\ncommit_loss_scale: 0.0\n"
    "discriminator:\n"
    "  _target_: nemo.collections.tts.modules.audio_codec_modules.Discriminator\n"
    "  discriminators: []\n"
    "generator_loss:\n"
    "  _target_: nemo.collections.tts.losses.audio_codec_loss.GeneratorSquaredLoss\n"
    "discriminator_loss:\n"
    "  _target_: nemo.collections.tts.losses.audio_codec_loss.DiscriminatorSquaredLoss\n";

void add_list(std::string& out, std::string_view key, const std::vector<int>& values) {
  out += concat("  ", key, ": [");
  for (size_t i = 0; i < values.size(); ++i) out += concat(i == 0 ? "" : ", ", values[i]);
  out += "]\n";
}

void add_side(std::string& out, const NanoCodecSide& side) {
  out += concat("  base_channels: ", side.base_channels, "\n");
  out += concat("  in_kernel_size: ", side.in_kernel, "\n");
  out += concat("  out_kernel_size: ", side.out_kernel, "\n");
  add_list(out, "resblock_kernel_sizes", side.resblock_kernels);
  add_list(out, "resblock_dilation_sizes", side.resblock_dilations);
}

std::string shortest(float value) {
  std::array<char, 32> text{};
  const auto result = std::to_chars(text.data(), text.data() + text.size(), value);
  return std::string(text.data(), result.ptr);
}

}  // namespace

NanoCodecConfig parse_nanocodec_config(std::string_view yaml, std::string_view source) {
  const YamlValue document = parse_yaml(yaml, source);
  const Section top(document, source, "");
  top.expect_text("target", {kModel, kModelAlias});
  NanoCodecConfig config;
  config.sample_rate_hz = top.integer("sample_rate", {1000, 192'000});
  config.samples_per_frame = top.integer("samples_per_frame", {1, kMaxSamplesPerFrame});
  read_quantizer(top.section("vector_quantizer"), config);
  config.decoder = read_decoder(top.section("audio_decoder"));
  check_side(top, "audio_decoder", "up_sample_rates", "input_dim", config.decoder, config);
  if (top.has("audio_encoder")) {
    config.encoder = read_encoder(top.section("audio_encoder"));
    check_side(top, "audio_encoder", "down_sample_rates", "encoded_dim", config.encoder, config);
  }
  return config;
}

std::string nanocodec_config_yaml(const NanoCodecConfig& config) {
  std::string out = concat("target: ", kModel, "\nsample_rate: ", config.sample_rate_hz,
                           "\nsamples_per_frame: ", config.samples_per_frame, "\n");
  if (config.encoder.present) {
    out += concat("audio_encoder:\n  _target_: ", kEncoder, "\n");
    add_list(out, "down_sample_rates", config.encoder.rates);
    out += concat("  encoded_dim: ", config.latent_width(), "\n");
    add_side(out, config.encoder);
    out += "  activation: lrelu\n  pad_mode: replicate\n";
  }
  out += concat("audio_decoder:\n  _target_: ", kDecoder, "\n");
  add_list(out, "up_sample_rates", config.decoder.rates);
  out += concat("  input_dim: ", config.latent_width(), "\n");
  add_side(out, config.decoder);
  out +=
      "  activation: half_snake\n  output_activation: clamp\n  pad_mode: zeros\n"
      "  n_groups_equal_to_out_channels: true\n";
  out += concat("vector_quantizer:\n  _target_: ", kQuantizer, "\n  num_groups: ", config.codebooks,
                "\n");
  add_list(out, "num_levels_per_group", config.levels);
  out += concat("  eps: ", shortest(config.fsq_eps), "\n");
  return out + kTrainingKeys;
}

}  // namespace kani
