// The device a setting means, and what is said where it cannot be had.
#include <gtest/gtest.h>

#include "kani/base/error.h"
#include "kani/train/cuda_device.h"

namespace kani::train {
namespace {

std::string refusal(std::string_view setting, bool built, int count, const Launch& launch = {}) {
  try {
    choose_device(setting, launch, built, count);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(DeviceChoice, auto_takes_a_gpu_if_there_is_one) {
  EXPECT_EQ(choose_device("auto", {}, false, 0), at::Device(at::kCPU));
  EXPECT_EQ(choose_device("auto", {}, true, 0), at::Device(at::kCPU));
  EXPECT_EQ(choose_device("auto", {}, true, 1), at::Device(at::kCUDA, 0));
  EXPECT_EQ(choose_device("cpu", {}, true, 8), at::Device(at::kCPU));
}

TEST(DeviceChoice, each_process_of_a_machine_has_its_own) {
  const Launch third{.rank = 11, .size = 16, .local_rank = 3};
  EXPECT_EQ(choose_device("cuda", third, true, 8), at::Device(at::kCUDA, 3));
  EXPECT_EQ(choose_device("auto", third, true, 8), at::Device(at::kCUDA, 3));
  EXPECT_EQ(choose_device("cuda:5", {}, true, 8), at::Device(at::kCUDA, 5));
  EXPECT_NE(refusal("cuda", true, 2, third).find("the machine has 2"), std::string::npos);
  EXPECT_NE(refusal("cuda:1", true, 8, third).find("cannot share a GPU"), std::string::npos);
}

TEST(DeviceChoice, what_cannot_be_had_is_refused_by_name) {
  EXPECT_NE(refusal("cuda", false, 0).find("KANI_CUDA"), std::string::npos);
  EXPECT_NE(refusal("cuda", true, 0).find("no GPU is found"), std::string::npos);
  EXPECT_NE(refusal("cuda:2", true, 2).find("GPU 2"), std::string::npos);
  for (const char* word : {"gpu", "cuda:", "cuda:x", "cuda:-1", "cuda:1x", ""})
    EXPECT_NE(refusal(word, true, 8).find("must be auto, cpu, cuda or cuda:N"), std::string::npos)
        << word;
}

TEST(DeviceChoice, this_build_runs_on_the_processor_without_a_gpu) {
  if (gpu_count() > 0) GTEST_SKIP() << "this machine has a GPU";
  EXPECT_EQ(choose_device("auto", {}), at::Device(at::kCPU));
}

}  // namespace
}  // namespace kani::train
