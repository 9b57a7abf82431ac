// The encoder against float64 reference numbers, on every level that this CPU has.  Cases and
// limits: tests/data/speaker/README.md.
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <string>

#include "kani/audio/sinc_resampler.h"
#include "kani/backend/cpu/cpu_backend.h"
#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/base/json.h"
#include "kani/formats/safetensors.h"
#include "kani/speaker/reference.h"
#include "kani/speaker/speaker_encoder.h"

namespace kani {
namespace {

constexpr double kEmbeddingLimit = 2e-5;
constexpr double kActivationLimit = 3e-5;  // times max(1, largest value)
constexpr double kResamplerLimit = 1e-6;
constexpr double kKernelLimit = 1e-7;

std::filesystem::path data(const std::string& name) {
  return std::filesystem::path(KANI_TEST_DATA) / "speaker" / name;
}
Json json(const std::string& name) {
  return parse_json(read_file(data(name), 1 << 24), name, {.values = 1'000'000});
}

struct Distance {
  double largest = 0;
  double cosine = 0;
};
Distance compare(std::span<const float> got, std::span<const float> want) {
  double dot = 0, a = 0, b = 0;
  Distance result;
  for (size_t i = 0; i < want.size(); ++i) {
    const double x = got[i], y = want[i];
    result.largest = std::max(result.largest, std::fabs(x - y));
    if (std::isnan(x)) result.largest = 1e9;
    dot += x * y;
    a += x * x;
    b += y * y;
  }
  result.cosine = dot / std::sqrt(a * b);
  return result;
}

TEST(SpeakerGolden, buckets_of_all_distances) {
  const Json golden = json("buckets.json");
  const int first = golden["first_distance"].get<int>();
  const auto buckets = golden["bucket"].get<std::vector<int>>();
  for (size_t i = 0; i < buckets.size(); ++i) {
    ASSERT_EQ(position_bucket(first + static_cast<int>(i), golden["num_buckets"].get<int>(),
                              golden["max_bucket_distance"].get<int>()),
              buckets[i])
        << first + static_cast<int>(i);
  }
}

TEST(SpeakerGolden, the_resampler_and_its_kernel_are_torchaudios) {
  const Json golden = json("resample.json");
  const auto tensors = open_safetensors(data("resample.safetensors"));
  for (const Json& pair : golden["pairs"]) {
    const auto name = pair["pair"].get<std::string>();
    const int from = std::stoi(name), to = std::stoi(name.substr(name.find('_') + 1));
    const std::vector<float> in = tensor_to_f32(*tensors->find(name + ".in"));
    const std::vector<float> want = tensor_to_f32(*tensors->find(name + ".sinc"));
    const std::vector<float> got = SincResampler(from, to).resample(in);
    ASSERT_EQ(got.size(), want.size()) << name;
    EXPECT_LE(compare(got, want).largest, kResamplerLimit) << name;
  }
  for (const Json& length : golden["lengths"]) {
    const SincResampler resampler(length["rate"].get<int>(), 16000);
    EXPECT_EQ(resampler.output_size(length["in"].get<size_t>()), length["out"].get<size_t>());
  }
  size_t kernels = 0;
  for (const TensorInfo& tensor : tensors->tensors()) {
    if (tensor.name.find("kernel") == std::string::npos) continue;
    ++kernels;
    const std::vector<float> want = tensor_to_f32(tensor);
    const SincResampler resampler(44100, 16000);
    const size_t width = want.size() / resampler.phases().size();
    constexpr int64_t kHalf = 17;  // columns before the first sample
    std::vector<float> got(want.size());
    for (size_t j = 0; j < resampler.phases().size(); ++j) {
      const SincResampler::Phase& phase = resampler.phases()[j];
      for (size_t i = 0; i < phase.taps.size(); ++i) {
        got[j * width + static_cast<size_t>(phase.first + kHalf) + i] = phase.taps[i];
      }
    }
    EXPECT_LE(compare(got, want).largest, kKernelLimit);
  }
  EXPECT_EQ(kernels, 1u);
}

class SpeakerGolden : public testing::TestWithParam<cpu::Isa> {
 protected:
  std::unique_ptr<Backend> backend_ = cpu::make_cpu_backend(2, GetParam());
  SpeakerEncoder encoder_{data("model"), *backend_};
};

TEST_P(SpeakerGolden, embeddings_of_all_recordings) {
  const Json golden = json("cases.json");
  size_t embedded = 0, refused = 0;
  for (const Json& entry : golden["cases"]) {
    const auto name = entry["name"].get<std::string>();
    const auto expect = entry["expect"].get<std::string>();
    Reference reference;
    if (expect.starts_with("error") || entry.contains("policy")) {
      EXPECT_THROW(read_reference(data(entry["file"].get<std::string>())), Error) << name;
      ++refused;
      if (!entry.contains("embedding")) continue;
      reference.samples.assign(entry["samples_used"].get<size_t>(), 0.0F);  // digital silence
    } else {
      reference = read_reference(data(entry["file"].get<std::string>()));
      EXPECT_NEAR(reference.mean, entry["signal_mean"].get<double>(), 1e-7) << name;
      EXPECT_NEAR(reference.deviation, entry["signal_std"].get<double>(), 1e-6) << name;
    }
    ASSERT_EQ(reference.samples.size(), entry["samples_used"].get<size_t>()) << name;
    EXPECT_EQ(speaker_frames(encoder_.config(), reference.samples.size()),
              entry["feature_frames"].get<size_t>());
    const auto want = entry["embedding"].get<std::vector<float>>();
    const std::vector<float> got = encoder_.embed(reference.samples);
    ASSERT_EQ(got.size(), want.size());
    EXPECT_LE(compare(got, want).largest, kEmbeddingLimit) << name;
    ++embedded;
  }
  EXPECT_GE(embedded, 10u);
  EXPECT_GE(refused, 5u);
}

TEST_P(SpeakerGolden, every_activation) {
  for (const std::string clip : {"clip_16k", "speech_16k"}) {
    const auto tensors = open_safetensors(data("activations_" + clip + ".safetensors"));
    const Reference reference = read_reference(data("audio/" + clip + ".wav"));
    std::map<std::string, std::vector<float>> seen;
    encoder_.embed(reference.samples, nullptr, [&](std::string_view name, ConstMatrix values) {
      seen[std::string(name)] = {values.data(), values.data() + values.rows() * values.cols()};
    });
    size_t compared = 0;
    for (const TensorInfo& tensor : tensors->tensors()) {
      const auto found = seen.find(tensor.name);
      if (found == seen.end()) continue;
      const std::vector<float> want = tensor_to_f32(tensor);
      ASSERT_EQ(found->second.size(), want.size()) << tensor.name;
      double largest = 1;
      for (const float value : want) largest = std::max(largest, std::fabs(double{value}));
      EXPECT_LE(compare(found->second, want).largest, kActivationLimit * largest)
          << clip << " " << tensor.name;
      ++compared;
    }
    EXPECT_GE(compared, clip == "clip_16k" ? 36u : 28u);
  }
}

TEST_P(SpeakerGolden, reduced_products_stay_close) {
  SpeakerEncoder reduced(data("model"), *backend_, ProductPrecision::kFixed16);
  const Json golden = json("cases.json");
  double worst = 1;
  for (const Json& entry : golden["cases"]) {
    if (entry["expect"] != "ok" || entry.contains("policy")) continue;
    const Reference reference = read_reference(data(entry["file"].get<std::string>()));
    const auto want = entry["embedding"].get<std::vector<float>>();
    worst = std::min(worst, compare(reduced.embed(reference.samples), want).cosine);
  }
  EXPECT_GE(worst, 0.9999);  // what the README asks of a float16 path
  RecordProperty("worst_cosine", std::to_string(worst));
}

TEST_P(SpeakerGolden, threads_do_not_matter) {
  const Reference reference = read_reference(data("audio/speech_16k.wav"));
  const auto one = cpu::make_cpu_backend(1, GetParam());
  SpeakerEncoder single(data("model"), *one);
  EXPECT_EQ(single.embed(reference.samples), encoder_.embed(reference.samples));
}

std::vector<cpu::Isa> isas() {
  std::vector<cpu::Isa> all = cpu::available_isas();
  std::erase(all, cpu::Isa::kAvx512Bf16);  // the kernels of the level below
  return all;
}
INSTANTIATE_TEST_SUITE_P(Isas, SpeakerGolden, testing::ValuesIn(isas()),
                         [](const auto& level) { return std::string(isa_name(level.param)); });

}  // namespace
}  // namespace kani
