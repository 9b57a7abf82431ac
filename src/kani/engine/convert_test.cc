// Converting: the same sound as quantized at load, what is refused, what is left behind.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "kani/engine/engine_impl.h"

namespace kani {
namespace {

namespace fs = std::filesystem;

const fs::path kModel = fs::path(KANI_SOURCE_DIR) / "models" / "kani-mini";

class ConvertTest : public testing::Test {
 protected:
  ConvertTest() { fs::create_directories(folder_); }
  ~ConvertTest() override { fs::remove_all(folder_); }

  ConvertOptions options(WeightType type) const {
    ConvertOptions o;
    o.engine.model = kModel;
    o.engine.weights = type;
    o.engine.threads = 2;
    o.output = folder_ / "out";
    o.calibration = 0;
    return o;
  }
  static std::vector<float> spoken(const fs::path& model, WeightType type) {
    EngineOptions engine_options;
    engine_options.model = model;
    engine_options.weights = type;
    engine_options.threads = 2;
    engine_options.check_tensors = true;
    Engine engine(engine_options);
    std::vector<float> samples;
    SpeechRequest request;
    request.text = "The old clock strikes nine.";
    request.sampling.seed = 7;
    request.sampling.max_new_tokens = 80;
    engine.speak(request, [&](std::span<const float> some) {
      samples.insert(samples.end(), some.begin(), some.end());
      return true;
    });
    return samples;
  }
  static ErrorCode refusal(const ConvertOptions& options) {
    try {
      convert_model(options);
    } catch (const Error& error) {
      return error.code();
    }
    ADD_FAILURE() << "accepted";
    return ErrorCode::kInternal;
  }

  fs::path folder_ = fs::path(testing::TempDir()) /
                     concat("kani-convert-", getpid(), "-",
                            testing::UnitTest::GetInstance()->current_test_info()->name());
};

TEST_F(ConvertTest, eight_bits_sound_as_quantized_at_load) {
  const ConvertReport report = convert_model(options(WeightType::kQ8));
  EXPECT_EQ(report.stored_type, "q8");
  EXPECT_LT(report.bytes, report.source_bytes);
  EXPECT_EQ(spoken(folder_ / "out", WeightType::kAuto), spoken(kModel, WeightType::kQ8));
  EXPECT_THROW(spoken(folder_ / "out", WeightType::kF32), Error);
}

TEST_F(ConvertTest, four_bits_sound_as_quantized_at_load_without_calibration) {
  convert_model(options(WeightType::kQ4));
  EXPECT_EQ(spoken(folder_ / "out", WeightType::kAuto), spoken(kModel, WeightType::kQ4));
}

TEST_F(ConvertTest, calibration_brings_four_bits_closer) {
  ConvertOptions o = options(WeightType::kQ4);
  o.calibration = 1000;
  convert_model(o);
  const std::string texts[] = {"We walked home in the rain."};
  EngineOptions converted = o.engine, loaded = o.engine;
  converted.model = o.output;
  const double after = compare_quality(converted, kModel, texts, 20, 1).kl_mean;
  EXPECT_LT(after, 0.8 * compare_quality(loaded, texts, 20, 1).kl_mean);
}

TEST_F(ConvertTest, the_same_weights_and_codec_are_at_no_distance_and_coarser_ones_are) {
  const std::string texts[] = {"We walked home in the rain."};
  EngineOptions o;
  o.model = kModel;
  o.weights = WeightType::kF32;
  o.codec_type = CodecType::kF32;
  const QualityReport same = compare_quality(o, texts, 10, 1);
  EXPECT_EQ(same.kl_mean, 0);
  EXPECT_EQ(same.same_top, 1);
  EXPECT_EQ(same.codec_snr_db, INFINITY);
  EXPECT_EQ(same.spectral_db, 0);
  o.weights = WeightType::kQ4;
  const QualityReport coarse = compare_quality(o, texts, 10, 1);
  EXPECT_GT(coarse.kl_mean, 0);
  EXPECT_LT(coarse.same_top, 1);
  EXPECT_EQ(coarse.codec_snr_db, INFINITY);
  EXPECT_EQ(coarse.codec_spectral_db, 0);
  EXPECT_GT(coarse.spectral_db, 0);
}

TEST_F(ConvertTest, what_is_said_of_the_model_stays_true) {
  convert_model(options(WeightType::kQ4));
  EngineOptions before, after;
  before.model = kModel;
  after.model = folder_ / "out";
  const ModelInfo a = describe_model(before), b = describe_model(after);
  EXPECT_EQ(a.parameters, b.parameters);
  EXPECT_EQ(a.voices, b.voices);
  EXPECT_EQ(b.stored_type, "q4");
  EXPECT_EQ(check_file(after.model, true).kind, "model set");
}

TEST_F(ConvertTest, what_exists_is_replaced_only_if_asked_and_only_a_model) {
  ConvertOptions o = options(WeightType::kQ8);
  convert_model(o);
  EXPECT_EQ(refusal(o), ErrorCode::kCannotWrite);
  o.overwrite = true;
  convert_model(o);
  o.output = folder_ / "letters";
  fs::create_directories(o.output);
  EXPECT_EQ(refusal(o), ErrorCode::kCannotWrite);
  for (const fs::directory_entry& entry : fs::directory_iterator(folder_))
    EXPECT_TRUE(entry.path().filename() == "out" || entry.path().filename() == "letters");
}

TEST_F(ConvertTest, other_types_and_places_are_refused) {
  EXPECT_EQ(refusal(options(WeightType::kF32)), ErrorCode::kInvalidArgument);
  ConvertOptions o = options(WeightType::kQ8);
  o.output = kModel / "lm" / "q8";
  EXPECT_EQ(refusal(o), ErrorCode::kInvalidArgument);
  o = options(WeightType::kQ8);
  convert_model(o);
  o.engine.model = o.output;
  o.output = folder_ / "twice";
  EXPECT_EQ(refusal(o), ErrorCode::kInvalidArgument);
}

TEST_F(ConvertTest, a_damaged_file_is_refused) {
  convert_model(options(WeightType::kQ8));
  const fs::path file = folder_ / "out" / "lm" / "model.safetensors";
  {
    std::fstream stream(file, std::ios::binary | std::ios::in | std::ios::out);
    uint64_t header = 0;
    stream.read(reinterpret_cast<char*>(&header), sizeof header);
    const uint32_t nan = 0x7FC00000;  // the first row's scale
    stream.seekp(static_cast<std::streamoff>(8 + header));
    stream.write(reinterpret_cast<const char*>(&nan), sizeof nan);
  }
  EXPECT_THROW(check_file(folder_ / "out", true), Error);
  EXPECT_NO_THROW(check_file(folder_ / "out", false));
  fs::resize_file(file, fs::file_size(file) - 1);
  EXPECT_THROW(check_file(folder_ / "out", false), Error);
}

}  // namespace
}  // namespace kani
