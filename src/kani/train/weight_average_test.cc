// The average against its formula, and through the files of however many processes.
#include "kani/train/weight_average.h"

#include "kani/base/error.h"
#include "kani/train/model_files.h"
#include "kani/train/test_run.h"

namespace kani::train {
namespace {

namespace fs = std::filesystem;

class WeightAverageTest : public RunTest {
 protected:
  WeightAverageTest() {
    for (const char* name : {"a", "b", "c"})
      weights_[name] = at::full({2, 3}, 1.0f).set_requires_grad(true);
    weights_["frozen"] = at::ones({2});
    optimizer_ = std::make_unique<AdamW>(OptimizerSettings{.total_steps = 10}, weights_);
  }
  void set(double value) {
    at::NoGradGuard no_grad;
    for (const char* name : {"a", "b", "c"}) weights_[name].fill_(value);
  }
  WeightAverage average(double decay = 0.75) {
    return WeightAverage(weights_, *optimizer_, nullptr, decay);
  }

  ParameterMap weights_;
  std::unique_ptr<AdamW> optimizer_;
};

TEST_F(WeightAverageTest, follows_and_then_lags) {
  WeightAverage average = this->average();
  EXPECT_EQ(average.owned().size(), 3u);
  set(3);
  average.update(/*follows=*/true);
  EXPECT_EQ(average.owned().at("a")[0][0].item<double>(), 3);
  set(7);
  average.update(/*follows=*/false);
  EXPECT_EQ(average.whole().at("b")[1][2].item<double>(), 4);  // 0.75 x 3 + 0.25 x 7
  EXPECT_FALSE(average.whole().contains("frozen"));
}

TEST_F(WeightAverageTest, is_read_from_the_files_of_any_number_of_processes) {
  const auto full = [](double value) { return at::full({2, 3}, value, at::kFloat); };
  const fs::path two = folder_ / "two", old = folder_ / "old", none = folder_ / "none";
  for (const fs::path& folder : {two, old, none}) fs::create_directories(folder);
  save_parameters(two / average_file(0, 2), {{"a", full(5)}, {"c", full(6)}});
  save_parameters(two / average_file(1, 2), {{"b", full(7)}});
  save_parameters(old / "ema.safetensors", {{"a", full(5)}, {"b", full(7)}, {"c", full(6)}});
  for (const fs::path& folder : {two, old}) {
    WeightAverage average = this->average();
    average.restore(folder);
    EXPECT_TRUE(average.owned().at("a").equal(full(5)));
    EXPECT_TRUE(average.owned().at("b").equal(full(7)));
    EXPECT_TRUE(average.owned().at("c").equal(full(6)));
  }
  // A checkpoint of a run without one: it begins where the weights are.
  WeightAverage average = this->average();
  set(9);
  average.restore(none);
  EXPECT_TRUE(average.owned().at("a").equal(full(9)));

  fs::remove(two / average_file(1, 2));
  try {
    average.restore(two);
    FAIL() << "a share is missing";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("b is missing in ema"), std::string::npos);
  }
  save_parameters(two / average_file(1, 2), {{"b", at::ones({3})}});
  EXPECT_THROW(average.restore(two), Error);
}

}  // namespace
}  // namespace kani::train
