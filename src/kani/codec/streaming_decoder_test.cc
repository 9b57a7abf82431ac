// What a stream promises: refusals, restarts, threads, memory, models that are not the released
// ones.  Made-up weights; the sound itself is golden_test.cc's business.
#include "kani/codec/streaming_decoder.h"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>

#include "kani/backend/cpu/signal_ops_cpu.h"
#include "kani/base/error.h"
#include "kani/spec/memory_tensors.h"

namespace kani {
namespace {

NanoCodecConfig narrow() {
  NanoCodecConfig config = nanocodec_06kbps();
  config.decoder.base_channels = 64;
  return config;
}

std::vector<int32_t> some_codes(const NanoCodecConfig& config, size_t frames) {
  std::vector<int32_t> codes(frames * static_cast<size_t>(config.codebooks));
  for (size_t i = 0; i < codes.size(); ++i) {
    codes[i] = static_cast<int32_t>(splitmix64(i) % static_cast<uint64_t>(config.codebook_size()));
  }
  return codes;
}

class StreamingDecoderTest : public testing::Test {
 protected:
  ThreadPool pool_{2};
  std::unique_ptr<SignalOps> ops_ = cpu::make_signal_ops(pool_, cpu::best_isa());
  NanoCodecConfig config_ = narrow();
  NanoCodecDecoder model_{config_, rule_decoder(config_, 5), *ops_};
  std::vector<int32_t> codes_ = some_codes(config_, 40);
  std::vector<float> whole_ = decode_frames(model_, codes_);
};

TEST_F(StreamingDecoderTest, a_code_out_of_range_is_refused_and_changes_nothing) {
  StreamingDecoder stream(model_);
  stream.push(std::span(codes_).first(8));
  for (const int32_t bad : {4032, -1, 1 << 30}) {
    std::vector<int32_t> codes(codes_.begin() + 8, codes_.begin() + 16);
    codes[6] = bad;
    try {
      stream.push(codes);
      ADD_FAILURE() << "accepted " << bad;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kBadInput);
      EXPECT_EQ(std::string(error.what()),
                concat("frame 3, codebook 2: code ", bad, ", expected 0 to 4031"));
    }
  }
  EXPECT_EQ(stream.frames(), 2u);
  const std::vector<float> rest = stream.push(std::span(codes_).subspan(8));
  EXPECT_EQ(rest, std::vector<float>(whole_.begin() + 2 * 1764, whole_.end()));
}

TEST_F(StreamingDecoderTest, sizes_that_disagree_are_refused) {
  StreamingDecoder stream(model_);
  EXPECT_THROW(stream.push(std::span(codes_).first(3)), Error);
  std::vector<float> room(1763);
  EXPECT_THROW(stream.push(std::span(codes_).first(4), room), Error);
  EXPECT_EQ(stream.frames(), 0u);
}

TEST_F(StreamingDecoderTest, no_frames_give_no_sound) {
  StreamingDecoder stream(model_);
  EXPECT_TRUE(stream.push({}).empty());
  const std::vector<float> sound = stream.push(codes_);
  EXPECT_TRUE(stream.push({}).empty());
  EXPECT_EQ(sound, whole_);
}

TEST_F(StreamingDecoderTest, reset_is_a_new_start) {
  StreamingDecoder stream(model_);
  stream.push(std::span(codes_).first(20));
  stream.reset();
  EXPECT_EQ(stream.frames(), 0u);
  EXPECT_EQ(stream.push(codes_), whole_);
}

TEST_F(StreamingDecoderTest, a_moved_stream_goes_on) {
  StreamingDecoder first(model_);
  std::vector<float> sound = first.push(std::span(codes_).first(20));
  StreamingDecoder second(std::move(first));
  StreamingDecoder third(model_);
  third.push(std::span(codes_).first(4));
  third = std::move(second);
  const std::vector<float> rest = third.push(std::span(codes_).subspan(20));
  sound.insert(sound.end(), rest.begin(), rest.end());
  EXPECT_EQ(sound, whole_);
}

TEST_F(StreamingDecoderTest, streams_of_one_model_do_not_disturb_each_other) {
  StreamingDecoder a(model_), b(model_);
  std::vector<float> sound;
  for (size_t frame = 0; frame < 40; ++frame) {
    const std::vector<float> part = a.push(std::span(codes_).subspan(frame * 4, 4));
    sound.insert(sound.end(), part.begin(), part.end());
    b.push(std::span(codes_).subspan((39 - frame) * 4, 4));
  }
  EXPECT_EQ(sound, whole_);
}

TEST_F(StreamingDecoderTest, state_is_small_and_does_not_grow) {
  StreamingDecoder stream(model_);
  const size_t before = stream.bytes();
  for (int i = 0; i < 3; ++i) stream.push(codes_);
  EXPECT_EQ(stream.bytes(), before);
  // codec.md 5.1: 216 columns per channel in the residual layers, 6 latent and 2 last ones.
  const size_t floats = 216 * (32 + 16 + 8 + 4 + 2) + 64 + 32 + 16 + 8 + 4 + 6 * 16 + 2 * 2;
  EXPECT_GE(stream.state_bytes(), floats * 4);
  EXPECT_LE(stream.state_bytes(), floats * 4 + 100 * 64);
}

TEST_F(StreamingDecoderTest, sound_stays_within_bounds) {
  for (const float sample : whole_) {
    ASSERT_GE(sample, -1.0F);
    ASSERT_LE(sample, 1.0F);
  }
}

// Levels x threads: bits may differ between instruction sets, never between numbers of threads or
// ways of cutting.
class DecoderThreads : public testing::TestWithParam<cpu::Isa> {
 protected:
  static void expect_same_bits(const NanoCodecConfig& config, SignalType precision) {
    const MemoryTensors file = rule_decoder(config, 9);
    const std::vector<int32_t> codes = some_codes(config, 37);
    std::vector<float> expected;
    for (const int threads : {1, 2, 3}) {
      ThreadPool pool(threads);
      const auto ops = cpu::make_signal_ops(pool, GetParam());
      const NanoCodecDecoder model(config, file, *ops, precision);
      if (model.precision() != precision) return;  // the float32 run is another call
      if (expected.empty()) expected = decode_frames(model, codes);
      StreamingDecoder stream(model);
      std::vector<float> sound;
      for (const size_t count : {1, 2, 3, 5, 26}) {
        const auto part = stream.push(std::span(codes).subspan(stream.frames() * 4, count * 4));
        sound.insert(sound.end(), part.begin(), part.end());
      }
      ASSERT_EQ(sound, expected) << threads << " threads";
    }
  }
};

TEST_P(DecoderThreads, threads_and_cuts_change_no_bit) {
  NanoCodecConfig odd = narrow();  // a codec of other numbers, as small models have them
  odd.decoder.rates = {7, 3, 2, 6, 7};
  odd.decoder.resblock_kernels = {7};
  odd.decoder.resblock_dilations = {1, 3};
  odd.decoder.in_kernel = 5;
  odd.decoder.out_kernel = 4;
  for (const SignalType precision : {SignalType::kF32, SignalType::kBf16, SignalType::kI8}) {
    for (const NanoCodecConfig& config : {narrow(), odd}) {
      expect_same_bits(config, precision);
    }
  }
}

// Signal to noise in dB of full-width random weights against float32.
double snr(const NanoCodecConfig& config, uint64_t seed, SignalType precision) {
  ThreadPool pool(2);
  const auto ops = cpu::make_signal_ops(pool, cpu::best_isa());
  const MemoryTensors file = rule_decoder(config, seed);
  const std::vector<int32_t> codes = some_codes(config, 8);
  const NanoCodecDecoder model(config, file, *ops, precision);
  if (model.precision() != precision) return INFINITY;  // this CPU has no instructions for it
  const std::vector<float> right = decode_frames(NanoCodecDecoder(config, file, *ops), codes);
  const std::vector<float> got = decode_frames(model, codes);
  double signal = 0, noise = 0;
  for (size_t i = 0; i < right.size(); ++i) {
    const double difference = static_cast<double>(got[i]) - right[i];
    signal += static_cast<double>(right[i]) * right[i];
    noise += difference * difference;
  }
  return 10 * std::log10(signal / noise);
}

void expect_snr(SignalType precision, double least) {
  for (const auto& [config, seed] :
       {std::pair{nanocodec_06kbps(), 1}, std::pair{nanocodec_189kbps(), 2}}) {
    const double found = snr(config, static_cast<uint64_t>(seed), precision);
    if (std::isinf(found)) GTEST_SKIP() << "this CPU has no instructions for it";
    EXPECT_GE(found, least);
  }
}

// codec.md 11 measured 48.1 and 35.7 dB in another implementation.
TEST(NanoCodecDecoderTest, bf16_adds_little_noise) { expect_snr(SignalType::kBf16, 45); }
TEST(NanoCodecDecoderTest, i8_adds_some_noise) { expect_snr(SignalType::kI8, 33); }

std::string isa_label(const testing::TestParamInfo<cpu::Isa>& info) {
  return std::string(cpu::isa_name(info.param));
}
INSTANTIATE_TEST_SUITE_P(Isas, DecoderThreads, testing::ValuesIn(cpu::available_isas()), isa_label);

TEST(NanoCodecDecoderTest, a_file_that_does_not_fit_is_refused) {
  ThreadPool pool(1);
  const auto ops = cpu::make_signal_ops(pool, cpu::best_isa());
  NanoCodecConfig config = narrow();
  const MemoryTensors file = rule_decoder(config, 1);
  config.decoder.base_channels = 96;
  EXPECT_THROW(NanoCodecDecoder(config, file, *ops), Error);
}

TEST(NanoCodecDecoderTest, all_spellings_of_weight_normalisation_are_one_model) {
  ThreadPool pool(1);
  const auto ops = cpu::make_signal_ops(pool, cpu::best_isa());
  const NanoCodecConfig config = narrow();
  const std::vector<int32_t> codes = some_codes(config, 2);
  const MemoryTensors old_names = rule_decoder(config, 1, NormSpelling::kOld);
  MemoryTensors folded = rule_decoder(config, 1, NormSpelling::kOld);
  for (const NanoCodecConv& conv : nanocodec_decoder_tensors(config).convs) {
    folded.remove(conv.name + ".weight_g");
    folded.remove(conv.name + ".weight_v");
    folded.add(conv.name + ".weight", DType::kF32, {conv.shape.begin(), conv.shape.end()},
               fold_weight_norm(conv, old_names).weight);
  }
  const auto expected = decode_frames(NanoCodecDecoder(config, old_names, *ops), codes);
  EXPECT_EQ(decode_frames(NanoCodecDecoder(config, folded, *ops), codes), expected);
  const MemoryTensors new_names = rule_decoder(config, 1, NormSpelling::kNew);
  EXPECT_EQ(decode_frames(NanoCodecDecoder(config, new_names, *ops), codes), expected);
}

}  // namespace
}  // namespace kani
