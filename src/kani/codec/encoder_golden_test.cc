// The encoder against NeMo's own numbers, on every level that this CPU has.  Cases and limits:
// tests/data/codec/README.md.  NeMo's batches are left out, as they put zeros where a recording
// ends: their items alone are the cases "…_alone", and the longest one is the same in both.
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "kani/codec/golden_files.h"
#include "kani/codec/streaming_encoder.h"
#include "kani/formats/nemo.h"
#include "kani/formats/safetensors.h"
#include "kani/spec/memory_tensors.h"

namespace kani {
namespace {

constexpr double kLatentLimit = 3e-5;  // divided by max(1, largest value)
constexpr double kStageLimit = 1e-5;   // the same
constexpr double kMargin = 1e-3;       // tokens this near to another may differ

// int16 as the goldens' README reads them.
std::vector<float> samples_of(const TensorFile& file, const std::string& name) {
  std::vector<float> samples = floats_of(file, name);
  for (float& sample : samples) sample /= 32768;
  return samples;
}

double largest_of(std::span<const float> values) {
  double largest = 1;
  for (const float value : values) largest = std::max<double>(largest, std::fabs(value));
  return largest;
}

// [C, T] in the file, [T, C] in the stream.
void expect_columns(std::span<const float> got, std::span<const float> expected, size_t channels,
                    double limit) {
  ASSERT_EQ(got.size(), expected.size());
  const size_t frames = got.size() / channels;
  const double bound = limit * largest_of(expected);
  for (size_t c = 0; c < channels; ++c) {
    for (size_t t = 0; t < frames; ++t) {
      ASSERT_NEAR(got[t * channels + c], expected[c * frames + t], bound) << c << ", " << t;
    }
  }
}

void expect_codes(std::span<const int32_t> got, std::span<const int32_t> expected,
                  std::span<const float> margin, size_t codebooks) {
  ASSERT_EQ(got.size(), expected.size());
  const size_t frames = got.size() / codebooks;
  for (size_t i = 0; i < got.size(); ++i) {
    if (got[i] == expected[i]) continue;
    const float distance = margin[i % codebooks * frames + i / codebooks];
    EXPECT_LE(distance, kMargin) << "frame " << i / codebooks << ", codebook " << i % codebooks;
    std::printf("a token at a margin of %g differs\n", static_cast<double>(distance));
  }
}

void check_case(const NanoCodecEncoder& encoder, const TensorFile& file, const std::string& name) {
  SCOPED_TRACE(name);
  const EncodedFrames got = encode_recording(encoder, samples_of(file, name + ".pcm"));
  const size_t width = encoder.latent_width();
  expect_columns(got.latent, floats_of(file, name + ".encoded"), width, kLatentLimit);
  expect_columns(got.latent, floats_of(file, name + ".encoded_f64"), width, kLatentLimit);
  expect_codes(got.codes, tokens_of(file, name)[0], floats_of(file, name + ".margin"),
               encoder.codebooks());
}

class EncoderGolden : public testing::TestWithParam<cpu::Isa> {
 protected:
  std::unique_ptr<NanoCodecEncoder> load(const std::string& name) {
    const NemoArchive archive = open_nemo(
        golden_path(name), [](std::string_view tensor) { return nanocodec_wants(tensor, true); });
    const NanoCodecConfig config = parse_nanocodec_config(archive.config_yaml, name);
    return std::make_unique<NanoCodecEncoder>(config, *archive.weights, *ops_);
  }

  ThreadPool pool_{2};
  std::unique_ptr<SignalOps> ops_ = cpu::make_signal_ops(pool_, GetParam());
};

TEST_P(EncoderGolden, every_case_gives_nemos_codes) {
  const std::map<std::string, std::vector<std::string>> cases{
      {"nano06",
       {"speech", "speech_odd", "noise", "loud_noise", "silence", "one_sample", "hundred",
        "one_frame", "one_frame_plus_one", "batch_0_alone", "batch_1_alone"}},
      {"nano178", {"speech"}},
      {"nano189", {"speech"}}};
  for (const auto& [model, names] : cases) {
    SCOPED_TRACE(model);
    const auto encoder = load(model + ".nemo");
    const auto file = open_safetensors(golden_path(model + "_encode.safetensors"));
    for (const std::string& name : names) check_case(*encoder, *file, name);
  }
}

TEST_P(EncoderGolden, every_stage_is_nemos) {
  const auto encoder = load("nano06.nemo");
  const auto file = open_safetensors(golden_path("nano06_encode_stages.safetensors"));
  std::vector<float> pcm = samples_of(*file, "pcm");
  Stages stages;
  StreamingEncoder stream(*encoder);
  stream.set_tap(collect(stages));
  EncodedFrames out;
  stream.push(pcm, out);
  stream.finish(out);
  size_t compared = 0;
  for (const TensorInfo& tensor : file->tensors()) {
    const auto found = stages.find(tensor.name);
    if (found == stages.end()) continue;
    SCOPED_TRACE(tensor.name);
    const std::vector<float> expected = tensor_to_f32(tensor);
    std::vector<float> got;
    for (const auto& row : found->second) got.insert(got.end(), row.begin(), row.end());
    ASSERT_EQ(got.size(), expected.size());
    const double bound = kStageLimit * largest_of(expected);
    for (size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got[i], expected[i], bound) << i;
    ++compared;
  }
  EXPECT_EQ(compared, 12u);
  expect_columns(out.latent, floats_of(*file, "encoded"), encoder->latent_width(), kLatentLimit);
  EXPECT_EQ(out.codes, tokens_of(*file, "")[0]);
  std::vector<float> compressed;
  for (size_t i = 0; i < out.latent.size(); i += FiniteScalarQuantizer::kDimensions) {
    FiniteScalarQuantizer::Vector z{};
    std::copy_n(out.latent.begin() + static_cast<ptrdiff_t>(i), z.size(), z.begin());
    for (const float c : encoder->quantizer().compress(z)) compressed.push_back(c);
  }
  // A level is at most as steep as 3.996 * tanh'(0).
  expect_columns(compressed, floats_of(*file, "compressed"), encoder->latent_width(),
                 4 * kLatentLimit);
}

TEST_P(EncoderGolden, chunks_give_the_bits_of_the_whole) {
  const auto encoder = load("nano06.nemo");
  const auto file = open_safetensors(golden_path("nano06_encode.safetensors"));
  const std::vector<float> samples = samples_of(*file, "speech_odd.pcm");
  const EncodedFrames whole = encode_recording(*encoder, samples);
  StreamingEncoder stream(*encoder, /*piece_floats=*/1);
  for (const size_t step : {size_t{1}, size_t{7}, size_t{1000}, encoder->samples_per_frame()}) {
    EncodedFrames out;
    for (size_t first = 0; first < samples.size(); first += step) {
      stream.push(std::span(samples).subspan(first, std::min(step, samples.size() - first)), out);
    }
    stream.finish(out);
    ASSERT_EQ(out.latent, whole.latent) << step;
    ASSERT_EQ(out.codes, whole.codes) << step;
  }
}

TEST_P(EncoderGolden, full_width_06_kbps_is_nemos) {
  const NanoCodecConfig config = with_encoder(nanocodec_06kbps());
  const NanoCodecEncoder encoder(config, rule_codec(config, /*seed=*/1), *ops_);
  const auto file = open_safetensors(golden_path("full06.safetensors"));
  check_case(encoder, *file, "encode");
}

INSTANTIATE_TEST_SUITE_P(Isas, EncoderGolden, testing::ValuesIn(float32_isas()), isa_label);

}  // namespace
}  // namespace kani
