// The network against the float64 reference numbers of the runtime's own goldens: limits from
// tests/data/speaker/README.md.
#include "kani/train/speaker/speaker_module.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>

#include "kani/base/file.h"
#include "kani/base/json.h"
#include "kani/formats/safetensors.h"
#include "kani/train/model_files.h"
#include "kani/train/speaker/speaker_trainer.h"

namespace kani::train {
namespace {

const std::filesystem::path kData = std::filesystem::path(KANI_TEST_DATA) / "speaker";
constexpr double kEmbeddingLimit = 2e-5;
constexpr double kActivationLimit = 3e-5;  // times max(1, largest value)

at::Tensor clip(const std::string& name) {
  std::vector<float> samples = read_reference_sound(kData / "audio" / (name + ".wav"));
  normalize_signal(samples);
  return at::tensor(samples).unsqueeze(0);
}

TEST(SpeakerModule, embeddings_of_all_recordings_are_the_goldens) {
  SpeakerModule module(kData / "model");
  const Json golden = parse_json(read_file(kData / "cases.json", 1 << 24), "cases");
  size_t compared = 0;
  for (const Json& entry : golden["cases"]) {
    if (entry["expect"] != "ok" || entry.contains("policy")) continue;
    const auto want = entry["embedding"].get<std::vector<float>>();
    const std::vector<float> got = embed_file(module, kData / entry["file"].get<std::string>());
    ASSERT_EQ(got.size(), want.size());
    for (size_t i = 0; i < want.size(); ++i)
      ASSERT_NEAR(got[i], want[i], kEmbeddingLimit) << entry["name"] << " " << i;
    ++compared;
  }
  EXPECT_GE(compared, 9u);
}

TEST(SpeakerModule, activations_are_the_goldens) {
  SpeakerModule module(kData / "model");
  at::NoGradGuard no_grad;
  for (const std::string name : {"clip_16k", "speech_16k"}) {
    const auto file = open_safetensors(kData / ("activations_" + name + ".safetensors"));
    size_t compared = 0;
    module.embed(clip(name), /*training=*/false,
                 [&](std::string_view layer, const at::Tensor& values) {
                   const TensorInfo* info = file->find(layer);
                   if (info == nullptr) return;
                   const at::Tensor want = at::tensor(tensor_to_f32(*info));
                   ASSERT_EQ(values.numel(), want.numel()) << layer;
                   const double largest = std::max(1.0, want.abs().max().item<double>());
                   EXPECT_LE((values.reshape({-1}) - want).abs().max().item<double>(),
                             kActivationLimit * largest)
                       << name << " " << layer;
                   ++compared;
                 });
    EXPECT_GE(compared, name == "clip_16k" ? 16u : 9u);
  }
}

TEST(SpeakerModule, a_batch_gives_what_its_clips_give_alone) {
  SpeakerModule module(small_speaker_encoder(), 5);
  at::NoGradGuard no_grad;
  const at::Tensor one = clip("speech_16k").slice(1, 0, 16000);
  const at::Tensor other = clip("speech_16k").slice(1, 9000, 25000);
  const at::Tensor both = module.embed(at::cat({one, other}), false);
  EXPECT_LE((both[0] - module.embed(one, false)[0]).abs().max().item<double>(), 1e-5);
  EXPECT_LE((both[1] - module.embed(other, false)[0]).abs().max().item<double>(), 1e-5);
  EXPECT_NEAR(both[0].norm().item<double>(), 1, 1e-6);
}

TEST(SpeakerModule, what_it_writes_it_reads_and_names_as_upstream) {
  SpeakerModule module(small_speaker_encoder(), 5);
  const auto folder =
      std::filesystem::temp_directory_path() / ("kani-speaker-" + std::to_string(getpid()));
  module.write(folder);
  SpeakerModule again(folder);
  for (const auto& [name, tensor] : module.parameters())
    EXPECT_TRUE(at::equal(tensor, again.parameters().at(name))) << name;
  EXPECT_EQ(module.buffers().size(), 4u);
  const at::Tensor samples = clip("clip_16k");
  EXPECT_TRUE(at::equal(module.embed(samples, false), again.embed(samples, false)));

  // Every tensor of the reference model, of as many layers, is in the file under its name.
  const auto reference = open_safetensors(kData / "model");
  const auto written = open_safetensors(folder);
  size_t shared = 0;
  for (const TensorInfo& info : reference->tensors()) {
    if (info.name.find("encoder.layers.3.") != std::string::npos || info.dtype != DType::kF32)
      continue;
    if (info.name == "wavlm.masked_spec_embed") continue;
    ASSERT_NE(written->find(info.name), nullptr) << info.name;
    EXPECT_EQ(written->find(info.name)->shape.size(), info.shape.size()) << info.name;
    ++shared;
  }
  EXPECT_EQ(shared, written->tensors().size());
  std::filesystem::remove_all(folder);
}

TEST(SpeakerModule, every_parameter_learns) {
  SpeakerModule module(small_speaker_encoder(), 7);
  const at::Tensor samples =
      at::cat({clip("speech_16k").slice(1, 0, 6000), clip("speech_16k").slice(1, 8000, 14000),
               clip("speech_16k").slice(1, 12000, 18000)});
  const at::Tensor direction = at::linspace(-1, 1, 3 * 128, at::kFloat).view({3, 128});
  const at::Tensor before = module.buffers().at("top_layers.batchnorm1.running_mean").clone();
  (module.embed(samples, /*training=*/true) * direction).sum().backward();
  for (const auto& [name, parameter] : module.parameters()) {
    ASSERT_TRUE(parameter.grad().defined()) << name;
    EXPECT_TRUE(parameter.grad().isfinite().all().item<bool>()) << name;
    // A bias of the keys moves all scores of a query alike, which softmax does not see.
    if (name.ends_with("k_proj.bias")) continue;
    EXPECT_GT(parameter.grad().norm().item<double>(), 1e-7) << name;
  }
  EXPECT_FALSE(at::equal(before, module.buffers().at("top_layers.batchnorm1.running_mean")));
}

}  // namespace
}  // namespace kani::train
