// What a stream promises: refusals, restarts, threads, memory, models that are not the released
// ones.  Made-up weights; the codes themselves are encoder_golden_test.cc's business.
#include "kani/codec/streaming_encoder.h"

#include <gtest/gtest.h>

#include <limits>
#include <memory>

#include "kani/backend/cpu/signal_ops_cpu.h"
#include "kani/base/error.h"
#include "kani/codec/streaming_decoder.h"
#include "kani/spec/memory_tensors.h"

namespace kani {
namespace {

NanoCodecConfig narrow() {
  NanoCodecConfig config = nanocodec_06kbps();
  config.decoder.base_channels = 64;
  return with_encoder(config, /*base_channels=*/2);
}

// Few layers and wide ones alone would not do: kernels and dilations differ, one branch has no
// look-ahead in its first block, a rate is 1.
NanoCodecConfig odd() {
  NanoCodecConfig config = narrow();
  config.samples_per_frame = 30;
  config.decoder.rates = {5, 3, 2};
  config.encoder.rates = {2, 1, 3, 5};
  config.encoder.base_channels = 3;
  config.encoder.resblock_kernels = {5, 1, 9};
  config.encoder.resblock_dilations = {2, 1};
  config.encoder.in_kernel = 3;
  config.encoder.out_kernel = 1;
  return config;
}

// A model that encodes an hour in a moment.
NanoCodecConfig tiny() {
  NanoCodecConfig config = narrow();
  config.samples_per_frame = 42;
  config.decoder.rates = {7, 6};
  config.encoder.rates = {6, 7};
  config.encoder.base_channels = 1;
  config.encoder.resblock_kernels = {3};
  config.encoder.resblock_dilations = {1};
  return config;
}

std::vector<float> some_sound(size_t count) {
  std::vector<float> samples(count);
  for (size_t i = 0; i < count; ++i) {
    samples[i] = static_cast<float>(static_cast<double>(splitmix64(i) >> 40) * 0x1p-23 - 1);
  }
  return samples;
}

bool same(const EncodedFrames& a, const EncodedFrames& b) {
  return a.codes == b.codes && a.latent == b.latent;
}

class StreamingEncoderTest : public testing::Test {
 protected:
  ThreadPool pool_{2};
  std::unique_ptr<SignalOps> ops_ = cpu::make_signal_ops(pool_, cpu::best_isa());
  NanoCodecConfig config_ = narrow();
  MemoryTensors file_ = rule_codec(config_, 5);
  NanoCodecEncoder model_{config_, file_, *ops_};
  std::vector<float> samples_ = some_sound(30'000);
  EncodedFrames whole_ = encode_recording(model_, samples_);
};

TEST_F(StreamingEncoderTest, frames_are_samples_divided_and_rounded_up) {
  for (const size_t count : {1, 1763, 1764, 1765, 3528, 30'000}) {
    const EncodedFrames out = encode_recording(model_, std::span(samples_).first(count));
    const size_t frames = (count + 1763) / 1764;
    EXPECT_EQ(out.codes.size(), frames * 4) << count;
    EXPECT_EQ(out.latent.size(), frames * 16) << count;
  }
}

TEST_F(StreamingEncoderTest, zeros_up_to_the_frame_change_nothing) {
  std::vector<float> padded = samples_;
  padded.resize((samples_.size() + 1763) / 1764 * 1764);
  EXPECT_TRUE(same(encode_recording(model_, padded), whole_));
}

TEST_F(StreamingEncoderTest, codes_are_those_of_the_latent) {
  for (size_t i = 0; i < whole_.codes.size(); ++i) {
    FiniteScalarQuantizer::Vector z{};
    std::copy_n(whole_.latent.begin() + static_cast<ptrdiff_t>(i * 4), 4, z.begin());
    ASSERT_EQ(whole_.codes[i], model_.quantizer().code(z));
  }
}

TEST_F(StreamingEncoderTest, what_was_encoded_can_be_decoded) {
  const NanoCodecDecoder decoder(config_, rule_decoder(config_, 5), *ops_);
  const std::vector<float> sound = decode_frames(decoder, whole_.codes);
  EXPECT_EQ(sound.size(), (samples_.size() + 1763) / 1764 * 1764);
}

TEST_F(StreamingEncoderTest, an_empty_recording_is_refused) {
  StreamingEncoder stream(model_);
  EncodedFrames out;
  stream.push({}, out);
  try {
    stream.finish(out);
    ADD_FAILURE() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kBadInput);
    EXPECT_STREQ(error.what(), "the recording has no samples");
  }
  EXPECT_TRUE(out.codes.empty());
}

TEST_F(StreamingEncoderTest, what_is_no_number_is_refused_and_changes_nothing) {
  StreamingEncoder stream(model_);
  EncodedFrames out;
  stream.push(std::span(samples_).first(5000), out);
  using Limits = std::numeric_limits<float>;
  for (const float bad : {Limits::quiet_NaN(), Limits::infinity(), -Limits::infinity()}) {
    std::vector<float> samples(samples_.begin() + 5000, samples_.begin() + 9000);
    samples[77] = bad;
    try {
      stream.push(samples, out);
      ADD_FAILURE() << "accepted " << bad;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kBadInput);
      EXPECT_STREQ(error.what(), "sample 5077 is NaN or infinite");
    }
  }
  EXPECT_EQ(stream.samples(), 5000u);
  stream.push(std::span(samples_).subspan(5000), out);
  stream.finish(out);
  EXPECT_TRUE(same(out, whole_));
}

TEST_F(StreamingEncoderTest, samples_that_overflow_inside_are_refused) {
  StreamingEncoder stream(model_);
  EncodedFrames out;
  const auto encode = [&] {
    stream.push(std::vector<float>(4000, std::numeric_limits<float>::max()), out);
    stream.finish(out);
  };
  EXPECT_THROW(encode(), Error);
  stream.reset();
  out = {};
  stream.push(samples_, out);
  stream.finish(out);
  EXPECT_TRUE(same(out, whole_));
}

TEST_F(StreamingEncoderTest, finish_and_reset_are_a_new_start) {
  StreamingEncoder stream(model_);
  EncodedFrames out;
  stream.push(std::span(samples_).subspan(100), out);
  stream.finish(out);
  EXPECT_EQ(stream.samples(), 0u);
  stream.push(std::span(samples_).first(20'000), out);
  stream.reset();
  out = {};
  stream.push(samples_, out);
  stream.finish(out);
  EXPECT_TRUE(same(out, whole_));
}

TEST_F(StreamingEncoderTest, a_moved_stream_goes_on) {
  StreamingEncoder first(model_);
  EncodedFrames out;
  first.push(std::span(samples_).first(12'345), out);
  StreamingEncoder second(std::move(first));
  StreamingEncoder third(model_);
  EncodedFrames other;
  third.push(std::span(samples_).first(4), other);
  third = std::move(second);
  third.push(std::span(samples_).subspan(12'345), out);
  third.finish(out);
  EXPECT_TRUE(same(out, whole_));
}

TEST_F(StreamingEncoderTest, streams_of_one_model_do_not_disturb_each_other) {
  StreamingEncoder a(model_), b(model_);
  EncodedFrames out, other;
  for (size_t first = 0; first < samples_.size(); first += 1000) {
    a.push(std::span(samples_).subspan(first, 1000), out);
    b.push(std::span(samples_).subspan(samples_.size() - 1000 - first, 1000), other);
  }
  a.finish(out);
  b.finish(other);
  EXPECT_TRUE(same(out, whole_));
  EXPECT_FALSE(same(other, whole_));
}

TEST_F(StreamingEncoderTest, frames_come_before_the_end) {
  // As many numbers in a piece as give it the columns that it has at the released width of 24.
  StreamingEncoder stream(model_, StreamingEncoder::kPieceFloats * 2 / 24);
  EncodedFrames out;
  stream.push(some_sound(10 * 22'050), out);
  EXPECT_GE(out.codes.size(), 4u * (125 - 18 - 18 - 15));  // gathered, of a piece, looked ahead
}

TEST_F(StreamingEncoderTest, the_length_of_a_piece_changes_no_bit) {
  for (const size_t floats : {0, 1, 500, 3000, 10'000'000}) {
    StreamingEncoder stream(model_, floats);
    EncodedFrames out;
    stream.push(samples_, out);
    stream.finish(out);
    EXPECT_TRUE(same(out, whole_)) << floats;
  }
}

TEST(StreamingEncoderMemory, does_not_grow_in_an_hour) {
  ThreadPool pool(1);
  const auto ops = cpu::make_signal_ops(pool, cpu::best_isa());
  const NanoCodecConfig config = tiny();
  const NanoCodecEncoder model(config, rule_codec(config, 2), *ops);
  StreamingEncoder stream(model);
  const size_t before = stream.bytes(), state = stream.state_bytes();
  const std::vector<float> second = some_sound(22'050);
  EncodedFrames out;
  size_t frames = 0;
  for (int i = 0; i < 3600; ++i) {
    stream.push(second, out);
    frames += out.codes.size() / 4;
    out.codes.clear();
    out.latent.clear();
  }
  EXPECT_EQ(stream.samples(), 3600u * 22'050);
  stream.finish(out);
  frames += out.codes.size() / 4;
  EXPECT_EQ(frames, 3600u * 22'050 / 42);
  EXPECT_EQ(stream.bytes(), before);
  EXPECT_EQ(stream.state_bytes(), state);
}

TEST(StreamingEncoderMemory, at_the_released_width_fits_the_caches) {
  ThreadPool pool(1);
  const auto ops = cpu::make_signal_ops(pool, cpu::best_isa());
  const NanoCodecConfig config = with_encoder(nanocodec_06kbps());
  const NanoCodecEncoder model(config, rule_codec(config, 1), *ops);
  EXPECT_GE(model.weight_bytes(), 30'263'920u * 4);  // codec.md 1
  EXPECT_LE(model.weight_bytes(), 30'263'920u * 4 + 97 * 64);
  EXPECT_LE(StreamingEncoder(model).bytes(), size_t{8} << 20);
}

// Levels x threads: bits may differ between instruction sets, never between numbers of threads or
// ways of cutting, of the recording as of the work.
class EncoderThreads : public testing::TestWithParam<cpu::Isa> {};

TEST_P(EncoderThreads, threads_and_cuts_change_no_bit) {
  const std::vector<float> samples = some_sound(41'234);
  for (const NanoCodecConfig& config : {narrow(), odd(), tiny()}) {
    const MemoryTensors file = rule_codec(config, 9);
    EncodedFrames expected;
    for (const int threads : {1, 2, 3}) {
      ThreadPool pool(threads);
      const auto ops = cpu::make_signal_ops(pool, GetParam());
      const NanoCodecEncoder model(config, file, *ops);
      if (expected.codes.empty()) expected = encode_recording(model, samples);
      // One thread takes the shortest pieces that there are.
      StreamingEncoder stream(model, threads == 1 ? 1 : StreamingEncoder::kPieceFloats);
      EncodedFrames out;
      size_t first = 0;
      for (uint64_t draw = 0; first < samples.size(); ++draw) {
        const size_t step = std::min<size_t>(splitmix64(draw) % 5000, samples.size() - first);
        stream.push(std::span(samples).subspan(first, step), out);
        first += step;
      }
      stream.finish(out);
      ASSERT_TRUE(same(out, expected)) << threads << " threads";
    }
  }
}

std::string isa_label(const testing::TestParamInfo<cpu::Isa>& info) {
  return std::string(cpu::isa_name(info.param));
}
INSTANTIATE_TEST_SUITE_P(Isas, EncoderThreads, testing::ValuesIn(cpu::available_isas()), isa_label);

TEST(NanoCodecEncoderTest, a_file_that_does_not_fit_is_refused) {
  ThreadPool pool(1);
  const auto ops = cpu::make_signal_ops(pool, cpu::best_isa());
  NanoCodecConfig config = narrow();
  const MemoryTensors file = rule_codec(config, 1);
  config.encoder.base_channels = 3;
  EXPECT_THROW(NanoCodecEncoder(config, file, *ops), Error);
  config.encoder = {};
  EXPECT_THROW(NanoCodecEncoder(config, file, *ops), Error);
}

}  // namespace
}  // namespace kani
