// The decoder against NeMo's own sound, on every level that this CPU has.  Cases and limits:
// tests/data/codec/README.md.
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "kani/backend/cpu/signal_ops_cpu.h"
#include "kani/codec/golden_files.h"
#include "kani/codec/streaming_decoder.h"
#include "kani/formats/nemo.h"
#include "kani/formats/safetensors.h"
#include "kani/spec/memory_tensors.h"

namespace kani {
namespace {

constexpr double kSoundLimit = 2e-5, kSoundRmsLimit = 1e-6, kFullSoundLimit = 1e-5;
constexpr double kStageLimit = 1e-5;  // divided by max(1, largest value)

void expect_sound(std::span<const float> got, std::span<const float> expected, double limit) {
  ASSERT_EQ(got.size(), expected.size());
  double largest = 0, squares = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    const double difference = std::fabs(static_cast<double>(got[i]) - expected[i]);
    ASSERT_FALSE(std::isnan(difference)) << "sample " << i;
    largest = std::max(largest, difference);
    squares += difference * difference;
  }
  EXPECT_LE(largest, limit);
  EXPECT_LE(std::sqrt(squares / static_cast<double>(got.size())), kSoundRmsLimit);
}

class DecoderGolden : public testing::TestWithParam<cpu::Isa> {
 protected:
  std::unique_ptr<NanoCodecDecoder> load(const std::string& name) {
    const NemoArchive archive = open_nemo(
        golden_path(name), [](std::string_view tensor) { return nanocodec_wants(tensor, false); });
    const NanoCodecConfig config = parse_nanocodec_config(archive.config_yaml, name);
    return std::make_unique<NanoCodecDecoder>(config, *archive.weights, *ops_);
  }
  void check_full(const std::string& name, const NanoCodecConfig& config, uint64_t seed);

  ThreadPool pool_{2};
  std::unique_ptr<SignalOps> ops_ = cpu::make_signal_ops(pool_, GetParam());
};

TEST_P(DecoderGolden, every_case_sounds_like_nemo) {
  const std::map<std::string, std::vector<std::string>> cases{
      {"nano06", {"one", "two", "long25", "extreme"}},
      {"nano178", {"one", "eight"}},
      {"nano189", {"one", "eight"}}};
  for (const auto& [model, names] : cases) {
    const auto decoder = load(model + ".nemo");
    const auto file = open_safetensors(golden_path(model + "_decode.safetensors"));
    for (const std::string& name : names) {
      SCOPED_TRACE(model + " " + name);
      const std::vector<float> sound = decode_frames(*decoder, tokens_of(*file, name)[0]);
      expect_sound(sound, floats_of(*file, name + ".audio"), kSoundLimit);
      expect_sound(sound, floats_of(*file, name + ".audio_f64"), kSoundLimit);
    }
  }
}

TEST_P(DecoderGolden, items_of_a_batch_sound_as_they_do_alone) {
  const auto decoder = load("nano06.nemo");
  const auto file = open_safetensors(golden_path("nano06_decode.safetensors"));
  const auto items = tokens_of(*file, "batch");
  const std::vector<float> lengths = floats_of(*file, "batch.tokens_len");
  const std::vector<float> audio = floats_of(*file, "batch.audio");
  const size_t hop = decoder->samples_per_frame(), books = decoder->codebooks();
  const size_t row = audio.size() / items.size();
  StreamingDecoder stream(*decoder);
  for (size_t b = 0; b < items.size(); ++b) {
    SCOPED_TRACE(b);
    const auto frames = static_cast<size_t>(lengths[b]);
    stream.reset();
    const std::vector<float> sound = stream.push(std::span(items[b]).first(frames * books));
    const std::span<const float> expected = std::span(audio).subspan(b * row, row);
    expect_sound(sound, expected.first(frames * hop), kSoundLimit);
    for (const float beyond : expected.subspan(frames * hop)) ASSERT_EQ(beyond, 0.0F);
  }
}

TEST_P(DecoderGolden, every_stage_is_nemos) {
  const auto decoder = load("nano06.nemo");
  const auto file = open_safetensors(golden_path("nano06_stages.safetensors"));
  const std::vector<float> tokens = floats_of(*file, "tokens");
  const size_t frames = tokens.size() / decoder->codebooks();
  std::vector<int32_t> codes;
  for (size_t t = 0; t < frames; ++t) {
    for (size_t g = 0; g < decoder->codebooks(); ++g) {
      codes.push_back(static_cast<int32_t>(tokens[g * frames + t]));
    }
  }
  Stages stages;
  StreamingDecoder stream(*decoder);
  stream.set_tap(collect(stages));
  const std::vector<float> sound = stream.push(codes);
  size_t compared = 0;
  for (const TensorInfo& tensor : file->tensors()) {
    if (tensor.name == "tokens") continue;
    SCOPED_TRACE(tensor.name);
    const std::vector<float> expected = tensor_to_f32(tensor);
    std::vector<float> got;
    if (tensor.name == "audio") {
      got = sound;
    } else {
      for (const auto& row : stages[tensor.name]) got.insert(got.end(), row.begin(), row.end());
    }
    ASSERT_EQ(got.size(), expected.size());
    double largest = 1;
    for (const float value : expected) largest = std::max<double>(largest, std::fabs(value));
    for (size_t i = 0; i < got.size(); ++i) {
      ASSERT_NEAR(got[i], expected[i], kStageLimit * largest) << i;
    }
    ++compared;
  }
  EXPECT_EQ(compared, 53u);
}

TEST_P(DecoderGolden, chunks_give_the_bits_of_the_whole) {
  const auto decoder = load("nano06.nemo");
  const auto file = open_safetensors(golden_path("nano06_decode.safetensors"));
  const std::vector<int32_t> codes = tokens_of(*file, "long25")[0];
  const std::vector<float> whole = decode_frames(*decoder, codes);
  const size_t books = decoder->codebooks();
  const std::vector<std::vector<size_t>> plans{
      std::vector<size_t>(25, 1), {3, 7, 15}, {24, 1}, {5, 5, 5, 5, 5}};  // manifest.json
  for (const std::vector<size_t>& plan : plans) {
    StreamingDecoder stream(*decoder);
    std::vector<float> sound;
    for (const size_t count : plan) {
      const std::vector<float> part =
          stream.push(std::span(codes).subspan(stream.frames() * books, count * books));
      sound.insert(sound.end(), part.begin(), part.end());
    }
    ASSERT_EQ(sound, whole);
  }
}

void DecoderGolden::check_full(const std::string& name, const NanoCodecConfig& config,
                               uint64_t seed) {
  const auto file = open_safetensors(golden_path(name + ".safetensors"));
  const NanoCodecDecoder decoder(config, rule_decoder(config, seed), *ops_);
  const std::vector<int32_t> codes = tokens_of(*file, "decode")[0];
  Stages stages;
  StreamingDecoder stream(decoder);
  stream.set_tap(collect(stages));
  const std::vector<float> sound = stream.push(codes);
  expect_sound(sound, floats_of(*file, "decode.audio"), kFullSoundLimit);
  expect_sound(sound, floats_of(*file, "decode.audio_f64"), kFullSoundLimit);
  size_t compared = 0;
  for (const TensorInfo& tensor : file->tensors()) {
    const std::string_view full = tensor.name;
    const bool first = full.ends_with(".first");
    if (!full.starts_with("decode.") || !(first || full.ends_with(".last"))) continue;
    SCOPED_TRACE(tensor.name);
    const auto found = stages.find(full.substr(7, full.rfind('.') - 7));
    ASSERT_NE(found, stages.end());
    const std::vector<float> expected = tensor_to_f32(tensor);
    ASSERT_EQ(found->second.size(), expected.size());
    double largest = 1;
    for (const auto& row : found->second) {
      for (const float value : row) largest = std::max<double>(largest, std::fabs(value));
    }
    for (size_t c = 0; c < expected.size(); ++c) {
      const std::vector<float>& row = found->second[c];
      ASSERT_NEAR(first ? row.front() : row.back(), expected[c], kStageLimit * largest) << c;
    }
    ++compared;
  }
  EXPECT_EQ(compared, 36u);
}

TEST_P(DecoderGolden, full_width_06_kbps_is_nemos) {
  check_full("full06", nanocodec_06kbps(), /*seed=*/1);
}

TEST_P(DecoderGolden, full_width_189_kbps_is_nemos) {
  check_full("full189", nanocodec_189kbps(), /*seed=*/2);
}

INSTANTIATE_TEST_SUITE_P(Isas, DecoderGolden, testing::ValuesIn(float32_isas()), isa_label);

}  // namespace
}  // namespace kani
