// The page of an evaluation.
#include "kani/eval/evaluation_page.h"

#include <gtest/gtest.h>

#include "kani/eval/evaluation.h"

namespace kani {
namespace {

JudgedSentence judged(const std::string& id, const std::string& text, const std::string& heard) {
  JudgedSentence one;
  one.sentence.id = id;
  one.sentence.text = text;
  RecordingFacts facts;
  facts.rate_hz = 16000;
  facts.expected_s = 1;
  facts.heard = heard;
  one.model = judge_recording(one.sentence, facts);
  one.model->faults.clear();
  one.model->file = "sounds/" + id + ".wav";
  return one;
}

Json document() {
  Evaluation evaluation;
  evaluation.asked = 3;
  evaluation.settings = {{"model", "<script>alert(2)</script>"}};
  evaluation.sentences = {judged("fine", "good day", "good day"),
                          judged("wrong", "<script>alert(1)</script> day", "\"img\" day"),
                          judged("cut", "one two", "one two")};
  evaluation.sentences[2].model->faults = {Fault::kCut};
  evaluation.sentences[0].teacher = evaluation.sentences[0].model;
  evaluation.sentences[0].teacher->file = "teacher/fine.wav";
  return evaluation_json(evaluation);
}

TEST(EvaluationPage, the_worst_come_first) {
  EXPECT_EQ(worst_first(document()), (std::vector<size_t>{2, 1, 0}));
  const std::string page = evaluation_page(document(), {});
  EXPECT_LT(page.find("sounds/cut.wav"), page.find("sounds/wrong.wav"));
  EXPECT_LT(page.find("sounds/wrong.wav"), page.find("sounds/fine.wav"));
}

TEST(EvaluationPage, loads_nothing_but_the_sounds_and_takes_texts_as_text) {
  const std::string page = evaluation_page(document(), {{"sounds/fine.wav", "PNG"}});
  EXPECT_EQ(page.find("<script"), std::string::npos);
  EXPECT_NE(page.find("&lt;script&gt;alert(1)"), std::string::npos);
  for (const char* outside : {"http:", "https:", "url(", "@import", "<link"})
    EXPECT_EQ(page.find(outside), std::string::npos) << outside;
  EXPECT_NE(page.find("data:image/png;base64,UE5H"), std::string::npos);
  EXPECT_NE(page.find("src=\"teacher/fine.wav\""), std::string::npos);
}

TEST(EvaluationPage, an_interrupted_evaluation_says_so) {
  Json e = document();
  EXPECT_EQ(evaluation_page(e, {}).find("interrupted"), std::string::npos);
  e["complete"] = false;
  EXPECT_NE(evaluation_page(e, {}).find("interrupted: 3 of 3"), std::string::npos);
}

TEST(EvaluationPage, limits_are_shown_with_what_was_found) {
  Json e = document();
  e["limits"] = {{{"name", "max_wer"}, {"bound", 0.1}, {"value", 0.25}, {"held", false}},
                 {{"name", "max_faulty"}, {"bound", 0.5}, {"value", nullptr}, {"held", false}}};
  const std::string page = evaluation_page(e, {});
  EXPECT_NE(page.find("not held"), std::string::npos);
  EXPECT_NE(page.find("not measured"), std::string::npos);
}

TEST(EvaluationPage, nothing_judged_is_a_page_too) {
  EXPECT_NE(evaluation_page(evaluation_json({}), {}).find("Nothing was judged"), std::string::npos);
}

TEST(MarkedTexts, words_that_differ_are_marked_on_both_sides) {
  const MarkedTexts marked = marked_texts("The old clock.", "the cold clock now", "en");
  EXPECT_EQ(marked.spoken, "the <del>old</del> clock");
  EXPECT_EQ(marked.heard, "the <ins>cold</ins> clock <ins>now</ins>");
  EXPECT_EQ(marked_texts("a & b", "", "en").spoken, "<del>a</del> <del>and</del> <del>b</del>");
}

}  // namespace
}  // namespace kani
