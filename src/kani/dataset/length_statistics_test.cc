// length_statistics_test.cc - numpy's figures for small lists.
#include "kani/dataset/length_statistics.h"

#include <gtest/gtest.h>

#include <vector>

#include "kani/base/json.h"

namespace kani {
namespace {

TEST(LengthStatistics, quartiles_lie_between_neighbours) {
  const std::vector<double> values = {4, 1, 3, 2};
  const LengthSummary s = summarize(values);
  EXPECT_DOUBLE_EQ(s.mean, 2.5);
  EXPECT_DOUBLE_EQ(s.deviation, 1.118033988749895);
  EXPECT_EQ(s.least, 1);
  EXPECT_EQ(s.most, 4);
  EXPECT_DOUBLE_EQ(s.q25, 1.75);
  EXPECT_DOUBLE_EQ(s.median, 2.5);
  EXPECT_DOUBLE_EQ(s.q75, 3.25);
}

TEST(LengthStatistics, one_clip_is_all_of_its_figures) {
  const std::vector<int64_t> lengths = {25};
  const Json json = parse_json(length_statistics_json(lengths), "the test");
  EXPECT_EQ(json["total_samples"], 1);
  for (const char* key : {"mean", "min", "max", "median"}) {
    EXPECT_EQ(json["encoded_length"][key], 25.0) << key;
    EXPECT_EQ(json["duration_seconds"][key], 2.0) << key;
  }
  EXPECT_EQ(json["encoded_length"]["std"], 0.0);
}

TEST(LengthStatistics, no_clips_give_zeros) {
  EXPECT_EQ(parse_json(length_statistics_json({}), "the test")["encoded_length"]["mean"], 0.0);
}

}  // namespace
}  // namespace kani
