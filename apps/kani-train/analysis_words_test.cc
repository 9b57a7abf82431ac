// analysis_words_test.cc - the table of RoPE's factors and the limits of the grades.
#include "analysis_words.h"

#include <gtest/gtest.h>

#include "kani/base/error.h"

namespace kani::train {
namespace {

// The attention layers of LFM2-350M.
Figures factors_of(const std::vector<double>& values) {
  const std::vector<int> layers{2, 5, 8, 10, 12, 14};
  Figures out{{"rope_alpha/mean", 1.0625},
              {"rope_alpha/min", 0.5},
              {"rope_alpha/max", 1.5},
              {"rope_alpha/std", 0.25}};
  for (size_t i = 0; i < values.size(); ++i) {
    const std::string name = concat("rope_alpha/layer_", layers[i]);
    out[name + "/value"] = values[i];
    out[name + "/raw_weight"] = -static_cast<double>(layers[i]);
  }
  return out;
}

// Its lines.
std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = text.find('\n', begin);
    out.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return out;
}

TEST(RopeTable, layers_stand_in_their_order_with_their_changes) {
  const auto lines =
      lines_of(rope_table(factors_of({1.07, 1.059, 1.0405, 1.03, 1.05, 1.06}), 16, 1.05));
  ASSERT_EQ(lines.size(), 8U);
  EXPECT_EQ(lines[0], "  layer  2  weight  -2.0000  factor  1.0700  +0.0200 ^");
  EXPECT_EQ(lines[1], "  layer  5  weight  -5.0000  factor  1.0590  +0.0090 ");
  EXPECT_EQ(lines[2], "  layer  8  weight  -8.0000  factor  1.0405  -0.0095 ");
  EXPECT_EQ(lines[3], "  layer 10  weight -10.0000  factor  1.0300  -0.0200 v");
  EXPECT_EQ(lines[4].substr(0, 10), "  layer 12");
  EXPECT_EQ(lines[5].substr(0, 10), "  layer 14");
  EXPECT_EQ(lines[6],
            "  0.5000 to 1.5000, mean 1.0625, standard deviation 0.2500; changes are from 1.0500");
  EXPECT_EQ(lines[7], "  early layers 1.0565, late layers 1.0467: no difference");
}

TEST(RopeTable, early_layers_are_those_with_the_lower_numbers) {
  // As text their names would come as 10, 12, 14, 2, 5, 8.
  const auto verdict = [](const std::vector<double>& values) {
    return lines_of(rope_table(factors_of(values), 16, 1)).back();
  };
  EXPECT_NE(verdict({1.2, 1.2, 1.2, 1, 1, 1}).find("early layers turn faster"), std::string::npos);
  EXPECT_NE(verdict({1, 1, 1, 1.2, 1.2, 1.2}).find("late layers turn faster"), std::string::npos);
  EXPECT_NE(verdict({1.04, 1.04, 1.04, 1, 1, 1}).find("no difference"), std::string::npos);
}

TEST(RopeTable, factors_that_never_moved_have_no_arrow) {
  const std::string table = rope_table(factors_of({1, 1, 1, 1, 1, 1}), 16, /*start=*/1);
  for (const std::string& line : lines_of(table)) EXPECT_FALSE(line.ends_with(" v")) << line;
  EXPECT_EQ(table.find('^'), std::string::npos);
  EXPECT_NE(table.find("+0.0000"), std::string::npos);
}

TEST(RopeTable, without_factors_there_is_none) { EXPECT_EQ(rope_table({}, 16, 1), ""); }

TEST(Grades, a_limit_belongs_to_the_worse_side) {
  for (const auto& [value, word] :
       {std::pair{49.9, "excellent"}, std::pair{50.0, "good"}, std::pair{99.9, "good"},
        std::pair{100.0, "acceptable"}, std::pair{199.9, "acceptable"}, std::pair{200.0, "poor"}})
    EXPECT_STREQ(grade_below(value, kPerplexityGrades), word) << value;
  for (const auto& [value, word] :
       {std::pair{2.1, "excellent"}, std::pair{2.0, "good"}, std::pair{1.5, "acceptable"},
        std::pair{1.01, "acceptable"}, std::pair{1.0, "poor"}})
    EXPECT_STREQ(grade_above(value, kVarianceGrades), word) << value;
}

}  // namespace
}  // namespace kani::train
