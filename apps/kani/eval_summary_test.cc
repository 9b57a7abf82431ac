// The table and the limits of an evaluation.
#include "apps/kani/eval_summary.h"

#include <gtest/gtest.h>

#include "kani/eval/evaluation.h"

namespace kani::cli {
namespace {

JudgedSentence judged(size_t errors, size_t words, const std::string& set) {
  JudgedSentence one;
  one.sentence.set = set;
  one.model.emplace();
  one.model->sound.seconds = one.model->expected_s = 1;
  one.model->heard = "";
  one.model->words.length = words;
  one.model->words.deletions = errors;
  one.model->characters.length = 1;
  one.teacher = one.model;
  one.teacher->words.deletions = 0;
  return one;
}

Json document(bool heard) {
  Evaluation evaluation;
  evaluation.sentences = {judged(3, 10, "a"), judged(1, 10, "b")};
  evaluation.sentences[0].model->faults = {Fault::kCut};
  if (!heard) evaluation.sentences[1].model->faults = {Fault::kUnheard};
  return evaluation_json(evaluation);
}

TEST(EvalTable, has_a_line_for_each_group_and_no_empty_columns) {
  const std::string table = eval_table(document(true));
  EXPECT_NE(table.find("all    2       0.200"), std::string::npos) << table;
  EXPECT_NE(table.find("set a  1       0.300"), std::string::npos) << table;
  EXPECT_NE(table.find("teacher"), std::string::npos);
  EXPECT_EQ(table.find("cosine"), std::string::npos);
  EXPECT_EQ(std::count(table.begin(), table.end(), '\n'), 4);
}

TEST(EvalLimits, hold_up_to_the_bound_itself) {
  EvalOptions options;
  options.max_wer = 0.2;
  options.max_faulty = 0.49;
  options.max_wer_over_teacher = 0.2;
  const Json limits = eval_limits(options, document(true));
  ASSERT_EQ(limits.size(), 3U);
  EXPECT_TRUE(limits[0]["held"].get<bool>());
  EXPECT_TRUE(limits[1]["held"].get<bool>());
  EXPECT_FALSE(limits[2]["held"].get<bool>());
  EXPECT_EQ(limit_words(limits[2]), "max_faulty is 0.5, at most 0.49");
}

TEST(EvalLimits, what_is_not_known_is_not_held) {
  EvalOptions options;
  options.max_wer = 10;
  options.min_own_speaker = 0;
  const Json limits = eval_limits(options, document(false));
  EXPECT_FALSE(limits[0]["held"].get<bool>());
  EXPECT_FALSE(limits[1]["held"].get<bool>());
  EXPECT_EQ(limit_words(limits[1]), "min_own_speaker is not known, at least 0");
}

}  // namespace
}  // namespace kani::cli
