// launch_test.cc - every launcher's variables, and which wins.
#include "kani/train/launch.h"

#include <gtest/gtest.h>

#include <map>

#include "kani/base/error.h"

namespace kani::train {
namespace {

Launch of(const std::map<std::string, std::string>& variables) {
  return read_launch([&](const char* name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  });
}

TEST(Launch, alone_without_variables) {
  EXPECT_EQ(of({}).size, 1);
  EXPECT_EQ(of({}).launcher, "none");
  EXPECT_EQ(of({{"RANK", "3"}}).size, 1);
}

TEST(Launch, torchrun_comes_first) {
  const Launch launch = of({{"RANK", "3"},
                            {"WORLD_SIZE", "8"},
                            {"LOCAL_RANK", "1"},
                            {"MASTER_ADDR", "a"},
                            {"MASTER_PORT", "1234"},
                            {"TORCHELASTIC_USE_AGENT_STORE", "True"},
                            {"TORCHELASTIC_RESTART_COUNT", "2"},
                            {"SLURM_PROCID", "5"},
                            {"SLURM_NTASKS", "9"}});
  EXPECT_EQ(launch.rank, 3);
  EXPECT_EQ(launch.size, 8);
  EXPECT_EQ(launch.local_rank, 1);
  EXPECT_EQ(launch.master_address, "a");
  EXPECT_EQ(launch.master_port, 1234);
  EXPECT_EQ(launch.restarts, 2);
  EXPECT_TRUE(launch.store_is_served);
}

TEST(Launch, the_other_launchers) {
  EXPECT_EQ(of({{"OMPI_COMM_WORLD_RANK", "1"}, {"OMPI_COMM_WORLD_SIZE", "2"}}).rank, 1);
  EXPECT_EQ(of({{"PMI_RANK", "1"}, {"PMI_SIZE", "2"}}).launcher, "PMI");
  const Launch slurm =
      of({{"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "2"}, {"SLURM_STEP_NODELIST", "gpu[07-09],x"}});
  EXPECT_EQ(slurm.master_address, "gpu07");
}

TEST(Launch, contradictions_are_named) {
  EXPECT_THROW(of({{"RANK", "2"}, {"WORLD_SIZE", "2"}}), Error);
  EXPECT_THROW(of({{"RANK", "x"}, {"WORLD_SIZE", "2"}}), Error);
  EXPECT_THROW(of({{"RANK", "0"}, {"WORLD_SIZE", "2"}, {"MASTER_PORT", "70000"}}), Error);
}

TEST(Launch, first_host_of_a_slurm_list) {
  EXPECT_EQ(first_host("n1"), "n1");
  EXPECT_EQ(first_host("n1,n2"), "n1");
  EXPECT_EQ(first_host("n[03-05,09]"), "n03");
  EXPECT_EQ(first_host("n[7]"), "n7");
}

}  // namespace
}  // namespace kani::train
