// Which machine this is, from flags and launchers.
#include "kani/dataset/part.h"

#include <gtest/gtest.h>

#include <map>

#include "kani/base/error.h"

namespace kani {
namespace {

Part part_of(const std::map<std::string, std::string>& variables) {
  return part_from_environment([&](const char* name) -> const char* {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  });
}

TEST(Part, a_flag_counts_from_one) {
  EXPECT_EQ(parse_part("2/4").index, 1);
  EXPECT_EQ(parse_part("2/4").count, 4);
  for (const char* bad : {"", "2", "0/4", "5/4", "a/4", "1/", "/1", "1/0", "1/2/3", "-1/2"})
    EXPECT_THROW(parse_part(bad), Error) << bad;
}

TEST(Part, launchers_are_asked_in_order_and_none_means_a_single_one) {
  EXPECT_EQ(part_of({}).count, 1);
  EXPECT_EQ(part_of({{"RANK", "1"}}).count, 1);
  EXPECT_EQ(part_of({{"SLURM_PROCID", "2"}, {"SLURM_NTASKS", "3"}}).index, 2);
  EXPECT_EQ(part_of({{"PMI_RANK", "1"}, {"PMI_SIZE", "2"}}).count, 2);
  EXPECT_EQ(part_of({{"OMPI_COMM_WORLD_RANK", "0"},
                     {"OMPI_COMM_WORLD_SIZE", "5"},
                     {"SLURM_PROCID", "2"},
                     {"SLURM_NTASKS", "3"}})
                .count,
            5);
  EXPECT_THROW(part_of({{"RANK", "3"}, {"WORLD_SIZE", "3"}}), Error);
  EXPECT_THROW(part_of({{"RANK", "x"}, {"WORLD_SIZE", "3"}}), Error);
}

}  // namespace
}  // namespace kani
