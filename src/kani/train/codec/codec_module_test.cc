// The trainer's codec against NeMo's own numbers and through its own files.  Cases and limits:
// tests/data/codec/README.md; the runtime is held against the same.
#include "kani/train/codec/codec_module.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <sstream>

#include "kani/audio/sound_reader.h"
#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/formats/nemo.h"
#include "kani/formats/safetensors.h"
#include "kani/train/codec/analysis.h"
#include "kani/train/codec/codec_files.h"
#include "kani/train/codec/layers.h"
#include "kani/train/model_files.h"

namespace kani::train {
namespace {

constexpr double kSoundLimit = 2e-5, kSoundRmsLimit = 1e-6;
constexpr double kLatentLimit = 3e-5;  // divided by max(1, largest value)
constexpr double kMargin = 1e-3;       // tokens this near to another may differ

std::filesystem::path golden(const std::string& name) {
  return std::filesystem::path(KANI_TEST_DATA) / "codec" / name;
}

at::Tensor padded(const at::Tensor& pcm, int64_t hop) {
  const at::Tensor sound = pcm.to(at::kFloat) / 32768;
  const int64_t rest = (hop - sound.size(1) % hop) % hop;
  return at::constant_pad_nd(sound, {0, rest});
}

double largest(const at::Tensor& x) { return x.abs().max().item<double>(); }

TEST(CodecModule, decodes_as_nemo_does) {
  at::NoGradGuard no_grad;
  for (const std::string model : {"nano06", "nano178", "nano189"}) {
    const CodecFile file = load_codec(golden(model + ".nemo"));
    const CodecModule codec(file.config, file.parameters);
    const ParameterMap cases = load_tensors(golden(model + "_decode.safetensors"));
    for (const std::string name : {"one", "two", "eight", "long25", "extreme"}) {
      const auto tokens = cases.find(name + ".tokens");
      if (tokens == cases.end()) continue;
      SCOPED_TRACE(model + " " + name);
      const at::Tensor sound = codec.decode(codec.fsq().values(tokens->second.to(at::kLong)));
      const at::Tensor difference = (sound - cases.at(name + ".audio")).to(at::kDouble);
      EXPECT_LE(largest(difference), kSoundLimit);
      EXPECT_LE(difference.square().mean().sqrt().item<double>(), kSoundRmsLimit);
    }
  }
}

TEST(CodecModule, encodes_as_nemo_does) {
  at::NoGradGuard no_grad;
  for (const std::string model : {"nano06", "nano178", "nano189"}) {
    const CodecFile file = load_codec(golden(model + ".nemo"));
    const CodecModule codec(file.config, file.parameters);
    const ParameterMap cases = load_tensors(golden(model + "_encode.safetensors"));
    for (const std::string name : {"speech", "speech_odd", "noise", "loud_noise", "silence",
                                   "one_sample", "hundred", "one_frame_plus_one"}) {
      const auto pcm = cases.find(name + ".pcm");
      if (pcm == cases.end()) continue;
      SCOPED_TRACE(model + " " + name);
      const at::Tensor latent = codec.encode(padded(pcm->second, file.config.samples_per_frame));
      const at::Tensor expected = cases.at(name + ".encoded");
      EXPECT_LE(largest(latent - expected), kLatentLimit * std::max(1.0, largest(expected)));
      const at::Tensor codes = codec.fsq().codes(codec.fsq().quantize(latent).digits);
      const at::Tensor other = codes != cases.at(name + ".tokens");
      EXPECT_FALSE((other & (cases.at(name + ".margin") > kMargin)).any().item<bool>());
    }
  }
}

TEST(CodecModule, says_the_samples_of_the_model_in_the_repository) {
  at::NoGradGuard no_grad;
  const std::filesystem::path folder = std::filesystem::path(KANI_SOURCE_DIR) / "models/kani-mini";
  const CodecFile file = load_codec(folder / "codec.nemo");
  std::istringstream text(read_file(folder / "samples/1.codes.txt", 1 << 20));
  std::vector<int64_t> codes;
  for (int64_t code = 0; text >> code;) codes.push_back(code);
  const at::Tensor frames = at::tensor(codes).view({1, -1, file.config.codebooks}).transpose(1, 2);
  const std::vector<float> samples = read_sound(folder / "samples/1.wav").samples;
  const at::Tensor expected = at::tensor(samples).unsqueeze(0);
  for (const CodecKernels kernels : {CodecKernels::kPlain, CodecKernels::kFast}) {
    const CodecModule codec(file.config, file.parameters, at::kCPU, kernels);
    const at::Tensor sound = codec.decode(codec.fsq().values(frames));
    ASSERT_EQ(sound.sizes(), expected.sizes());
    EXPECT_LE(largest(sound - expected), 5e-5);  // the file's 16 bits
  }
}

TEST(CodecModule, a_frame_hangs_on_no_more_than_the_context_that_is_told) {
  at::NoGradGuard no_grad;
  const CodecFile file = load_codec(golden("nano06.nemo"));
  const CodecModule codec(file.config, file.parameters);
  const int64_t context = codec.encoder_context(), hop = file.config.samples_per_frame;
  EXPECT_EQ(context, 14);  // codec.md 6: 13.8 before and 14.6 after the first sample of a frame
  at::manual_seed(1);
  const at::Tensor sound = at::rand({1, (2 * context + 3) * hop}) - 0.5;
  const at::Tensor inner = sound.narrow(1, hop, (2 * context + 1) * hop);
  const auto middle = [&](const at::Tensor& x, int64_t frame) {
    return codec.encode(x).narrow(2, frame, 1);
  };
  EXPECT_LT(largest(middle(sound, context + 1) - middle(inner, context)), 1e-5);
}

TEST(Fsq, all_codes_survive_the_way_to_vectors_and_back) {
  const CodecFile file = load_codec(golden("nano06.nemo"));
  const Fsq fsq(file.config);
  const at::Tensor table = load_tensors(golden("fsq.safetensors")).at("fsq_9887.table");
  const int64_t size = table.size(0);
  const at::Tensor codes = at::arange(size).view({1, 1, size}).repeat({1, 4, 1});
  const at::Tensor values = fsq.values(codes);
  EXPECT_TRUE(at::equal(values[0].narrow(0, 4, 4).t().contiguous(), table));
  const at::Tensor digits = at::round(values * fsq.half() + fsq.half());
  EXPECT_TRUE(at::equal(fsq.codes(digits), codes));
}

TEST(Fsq, rounding_passes_the_gradient_on) {
  const CodecFile file = load_codec(golden("nano06.nemo"));
  const Fsq fsq(file.config);
  at::manual_seed(1);
  const at::Tensor latent = at::randn({2, 16, 3}).set_requires_grad(true);
  const Fsq::Result result = fsq.quantize(latent);
  result.values.sum().backward();
  const at::Tensor through = latent.grad().clone();
  latent.mutable_grad() = at::Tensor();
  (fsq.quantize(latent).compressed / fsq.half()).sum().backward();
  EXPECT_TRUE(at::equal(through, latent.grad()));
  EXPECT_GT(through.min().item<double>(), 0);
}

TEST(Layers, half_snake_has_the_gradient_of_its_formula) {
  at::manual_seed(3);
  const auto direct = [](const at::Tensor& x, const at::Tensor& alpha) {
    const at::Tensor head = x.narrow(1, 0, 2), tail = x.narrow(1, 2, 3);
    return at::cat({head + (alpha + 1e-9).reciprocal() * (alpha * head).sin().square(),
                    at::leaky_relu(tail, 0.01)},
                   1);
  };
  const at::Tensor x = at::randn({2, 5, 7}, at::kDouble).set_requires_grad(true);
  const at::Tensor alpha =
      at::tensor({0.7, -1.9}, at::kDouble).view({1, 2, 1}).set_requires_grad(true);
  const at::Tensor direction = at::randn({2, 5, 7}, at::kDouble);
  std::vector<at::Tensor> results;
  for (const bool node : {true, false}) {
    const at::Tensor y = node ? half_snake(x, alpha) : direct(x, alpha);
    (y * direction).sum().backward();
    for (const at::Tensor& part : {y.detach(), x.grad(), alpha.grad()})
      results.push_back(part.clone());
    x.mutable_grad() = alpha.mutable_grad() = at::Tensor();
  }
  // The formula's gradient has 1e-9 in it where the node takes alpha.
  for (size_t i = 0; i < 3; ++i) EXPECT_LT(largest(results[i] - results[i + 3]), 1e-7) << i;
}

// Everything that a network gives and every gradient, by both kinds of kernels.
TEST(CodecModule, fast_kernels_give_what_plain_ones_do) {
  for (const std::vector<int>& kernels : {std::vector<int>{7}, std::vector<int>{3, 5}}) {
    NanoCodecConfig config = load_codec(golden("nano06.nemo")).config;
    config.samples_per_frame = 42;
    config.decoder.rates = {7, 3, 2};
    config.encoder.rates = {2, 3, 7};
    config.decoder.base_channels = 192;
    config.encoder.base_channels = 8;
    for (NanoCodecSide* side : {&config.decoder, &config.encoder}) {
      side->resblock_kernels = kernels;
      side->resblock_dilations = {1, 3};
    }
    std::map<CodecKernels, std::map<std::string, at::Tensor>> results;
    for (const CodecKernels kind : {CodecKernels::kPlain, CodecKernels::kFast}) {
      ParameterMap parameters = random_codec(config, 3);
      at::manual_seed(5);
      for (auto& [name, tensor] : parameters) {
        if (name.ends_with("alpha")) tensor.mul_(at::rand_like(tensor) * 4 - 2);
        tensor.set_requires_grad(true);
      }
      const CodecModule codec(config, parameters, at::kCPU, kind);
      const at::Tensor sound = (at::rand({2, 42 * 5}) - 0.5).set_requires_grad(true);
      const at::Tensor latent = codec.encode(sound);
      const at::Tensor values = (at::rand({2, 16, 5}) * 2 - 1).set_requires_grad(true);
      const at::Tensor first = codec.front(values), made = codec.rest(first);
      auto& all = results[kind];
      all = {{"latent", latent}, {"first", first}, {"made", made}};
      ((latent * at::randn_like(latent)).sum() + (first * at::randn(first.sizes())).sum() +
       (made * at::randn_like(made)).sum())
          .backward();
      all["d sound"] = sound.grad();
      all["d values"] = values.grad();
      for (const auto& [name, tensor] : parameters) all["d " + name] = tensor.grad();
    }
    for (const auto& [name, plain] : results[CodecKernels::kPlain]) {
      const at::Tensor fast = results[CodecKernels::kFast].at(name);
      ASSERT_TRUE(fast.defined()) << name;
      // Sums of at most some thousand float32 numbers in another order, and another sine.
      EXPECT_LT(((fast - plain).norm() / plain.norm()).item<double>(), 2e-5) << name;
    }
  }
}

TEST(CodecFiles, what_is_written_reads_back_as_the_same_bits) {
  const std::filesystem::path path =
      std::filesystem::temp_directory_path() / concat("kani_codec_", getpid(), ".nemo");
  for (const std::string model : {"nano06.nemo", "nano178.nemo"}) {
    const CodecFile file = load_codec(golden(model));
    export_codec(path, file.config, file.parameters);
    const CodecFile again = load_codec(path);
    ASSERT_EQ(again.parameters.size(), file.parameters.size());
    for (const auto& [name, tensor] : file.parameters)
      EXPECT_TRUE(at::equal(tensor, again.parameters.at(name))) << name;
    EXPECT_EQ(nanocodec_config_yaml(again.config), nanocodec_config_yaml(file.config));
    // Old names of weight normalization, which NeMo reads too, and the quantizer's buffers.
    const NemoArchive archive = open_nemo(path);
    EXPECT_NE(archive.weights->find("audio_decoder.pre_conv.conv.weight_g"), nullptr);
    EXPECT_NE(archive.weights->find("vector_quantizer.fsqs.3.num_levels"), nullptr);
  }
  std::filesystem::remove(path);
}

TEST(CodecFiles, half_precision_rounds_the_weights_and_halves_the_file) {
  const std::filesystem::path path =
      std::filesystem::temp_directory_path() / concat("kani_half_", getpid(), ".nemo");
  const CodecFile file = load_codec(golden("nano06.nemo"));
  export_codec(path, file.config, file.parameters, CodecStorage::kHalf);
  const CodecFile again = load_codec(path);
  for (const auto& [name, tensor] : file.parameters)
    EXPECT_TRUE(at::equal(tensor.to(at::kHalf).to(at::kFloat), again.parameters.at(name))) << name;
  EXPECT_LT(static_cast<double>(std::filesystem::file_size(path)),
            0.6 * static_cast<double>(std::filesystem::file_size(golden("nano06.nemo"))));
  const NemoArchive archive = open_nemo(path);
  EXPECT_EQ(archive.weights->find("vector_quantizer.fsqs.3.num_levels")->dtype, DType::kI32);
  std::filesystem::remove(path);
}

TEST(CodecModule, a_codec_that_has_learnt_nothing_follows_from_its_seed) {
  const NanoCodecConfig config = load_codec(golden("nano06.nemo")).config;
  const ParameterMap a = random_codec(config, 1), b = random_codec(config, 1),
                     c = random_codec(config, 2);
  const std::string name = "audio_decoder.post_conv.conv.weight_v";
  EXPECT_TRUE(at::equal(a.at(name), b.at(name)));
  EXPECT_FALSE(at::equal(a.at(name), c.at(name)));
  const CodecModule codec(config, a);
  // What is to be quantized has the size that the quantizer is made for, and is the sound's.
  const at::Tensor sound = at::randn({2, 20 * config.samples_per_frame}) * 0.15;
  const at::Tensor latent = CodecModule(config, a).encode(sound);
  const double spread = latent.std().item<double>();
  EXPECT_GT(spread, 0.2);
  EXPECT_LT(spread, 3);
  EXPECT_GT((latent[0] - latent[1]).std().item<double>(), 0.5 * spread);
  ParameterMap lacking = a;
  lacking.erase(name);
  EXPECT_THROW(CodecModule(config, lacking), Error);
}

TEST(CodecModule, a_deeper_decoder_says_the_same_until_it_learns) {
  NanoCodecConfig config = load_codec(golden("nano06.nemo")).config;
  ParameterMap parameters = load_codec(golden("nano06.nemo")).parameters;
  const at::Tensor values = at::rand({2, config.latent_width(), 6}) * 2 - 1;
  at::NoGradGuard no_grad;
  const at::Tensor before = CodecModule(config, parameters).decode(values);
  const size_t count = parameters.size(), dilations = config.decoder.resblock_dilations.size();
  deepen_decoder(config, parameters, {7, 9}, /*seed=*/1);
  EXPECT_EQ(config.decoder.resblock_dilations.size(), dilations + 2);
  EXPECT_GT(parameters.size(), count);
  EXPECT_EQ(config.encoder.resblock_dilations,
            load_codec(golden("nano06.nemo")).config.encoder.resblock_dilations);
  EXPECT_TRUE(CodecModule(config, parameters).decode(values).equal(before));
  // What is new can learn: a gain that is no longer 0 is heard.
  for (auto& [name, tensor] : parameters) {
    if (name.ends_with(".skip_conv.conv.weight_g") && !tensor.any().item<bool>()) tensor.fill_(0.1);
  }
  EXPECT_FALSE(CodecModule(config, parameters).decode(values).equal(before));
}

TEST(CodecModule, muon_updates_what_mixes_channels_but_not_the_ends) {
  const NanoCodecConfig config = load_codec(golden("nano06.nemo")).config;
  ParameterMap all = random_codec(config, 1);
  all.merge(random_analysis(config, {.bands = 20, .width = 8, .blocks = 1}, 1));
  const auto is = [&](const std::string& name) { return is_codec_matrix(name, all.at(name)); };
  for (const char* name :
       {"audio_decoder.pre_conv.conv.weight_v",
        "audio_decoder.res_layers.0.res_blocks.0.res_blocks.0.input_conv.conv.weight_v",
        "audio_encoder.down_sample_conv_layers.0.conv.weight_v", "analysis.in.weight",
        "analysis.coarse.0.mix.weight"})
    EXPECT_TRUE(is(name)) << name;
  for (const char* name :
       {"audio_decoder.post_conv.conv.weight_v", "audio_encoder.post_conv.conv.weight_v",
        "audio_encoder.pre_conv.conv.weight_v",                 // of one channel
        "audio_decoder.up_sample_conv_layers.0.conv.weight_v",  // a channel each
        "audio_decoder.pre_conv.conv.weight_g", "audio_decoder.pre_conv.conv.bias",
        "mel_head.weight", "analysis.out.weight", "analysis.in.bias"})
    EXPECT_FALSE(is(name)) << name;
}

}  // namespace
}  // namespace kani::train
