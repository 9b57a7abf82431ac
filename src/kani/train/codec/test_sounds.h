// test_sounds.h - a folder with recordings for the tests of this folder, and a codec small enough
// to train within seconds.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <numbers>
#include <string>
#include <vector>

#include "kani/audio/sound_writer.h"
#include "kani/base/error.h"
#include "kani/train/codec/codec_config.h"

namespace kani::train {

constexpr int kTestRate = 8000;

class SoundTest : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_ / "sounds" / "deep");
    write("sounds/a.wav", 120, 1.5, kTestRate);
    write("sounds/b.wav", 180, 2.25, kTestRate);
    write("sounds/deep/c.wav", 90, 1.0, 16000);  // will be resampled
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  // A voice of sorts: harmonics of a pitch that wanders, with a beat.
  void write(const std::string& name, double hz, double seconds, int rate_hz) const {
    std::vector<float> sound;
    double phase = 0;
    for (int i = 0; i < static_cast<int>(seconds * rate_hz); ++i) {
      const double t = static_cast<double>(i) / rate_hz;
      phase += 2 * std::numbers::pi * hz * (1 + 0.2 * std::sin(3 * t)) / rate_hz;
      double value = 0;
      for (int k = 1; k <= 8; ++k) value += std::sin(k * phase) / k;
      sound.push_back(static_cast<float>(0.25 * value * (0.6 + 0.4 * std::sin(11 * t))));
    }
    const auto writer = open_sound_file(folder_ / name, {.input_rate_hz = rate_hz});
    writer->write(sound);
    writer->finish();
  }

  std::string sounds() const { return (folder_ / "sounds").string(); }

  // 32 frames of 256 samples a second; 6,000 numbers.
  CodecTrainConfig tiny(CodecStage stage, const std::string& out) const {
    CodecTrainConfig c = codec_defaults(stage);
    c.codec.sample_rate_hz = kTestRate;
    c.codec.samples_per_frame = 256;
    c.codec.decoder.rates = c.codec.encoder.rates = {4, 4, 4, 4};
    c.codec.decoder.base_channels = 32;
    c.codec.encoder.base_channels = 2;
    for (NanoCodecSide* side : {&c.codec.decoder, &c.codec.encoder}) {
      side->resblock_kernels = {3};
      side->resblock_dilations = {1};
    }
    c.analysis = {.bands = 20, .width = 16, .blocks = 1};
    c.data = {sounds()};
    c.output_dir = (folder_ / out).string();
    c.batch_size = 2;
    c.crop_frames = 8;
    c.eval_crops = 4;
    c.optimizer.warmup_steps = 2;
    c.optimizer.total_steps = 12;
    c.device = "cpu";
    return c;
  }

  const std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() /
      concat("kani-codec-", getpid(), "-",
             testing::UnitTest::GetInstance()->current_test_info()->name());
};

}  // namespace kani::train
