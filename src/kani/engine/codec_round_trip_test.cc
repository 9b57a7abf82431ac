// Sound through the codec and back.
#include <gtest/gtest.h>

#include <cmath>

#include "kani/audio/level.h"
#include "kani/audio/sound_reader.h"
#include "kani/audio/spectral_distance.h"
#include "kani/codec.h"

namespace kani {
namespace {

EngineOptions mini() {
  EngineOptions options;
  options.model = "models/kani-mini";
  options.threads = 1;
  options.codec_type = CodecType::kF32;
  return options;
}

TEST(CodecRoundTrip, keeps_length_and_likeness) {
  CodecRoundTrip codec(mini());
  EXPECT_EQ(codec.sample_rate_hz(), 22050);
  const Sound sound = read_sound("models/kani-mini/samples/1.wav");
  const std::vector<float> back = codec.pass(sound.samples, sound.rate_hz);
  ASSERT_EQ(back.size(), sound.samples.size());
  // What comes back is nearer to the sound than silence is, in spectrum and in loudness.
  const std::vector<float> silence(back.size());
  EXPECT_LT(spectral_distance_db(sound.samples, back),
            0.6 * spectral_distance_db(sound.samples, silence));
  EXPECT_NEAR(std::log2(rms(back) / rms(sound.samples)), 0, 1);
}

TEST(CodecRoundTrip, other_rates_are_resampled_and_nothing_is_refused) {
  CodecRoundTrip codec(mini());
  const std::vector<float> half_second(8000);
  EXPECT_EQ(codec.pass(half_second, 16000).size(), 11025U);
  EXPECT_THROW(codec.pass({}, 16000), Error);
  EXPECT_THROW(codec.pass(half_second, 4000), Error);
}

}  // namespace
}  // namespace kani
