// progress_test.cc - the words of bar and summary.
#include "apps/kani/progress.h"

#include <gtest/gtest.h>

namespace kani::cli {
namespace {

TEST(Progress, the_summary_has_the_words_that_scripts_look_for) {
  SpeechResult result;
  result.sound_s = 4.2;
  result.elapsed_s = 0.9;
  result.first_sound_s = 0.18;
  result.seed = 1234;
  EXPECT_EQ(summary_line(result),
            "4.2 s of sound in 0.9 s (RTF 0.21), first sound after 0.18 s, seed 1234");
}

TEST(Progress, no_sound_has_no_real_time_factor_to_divide_by) {
  EXPECT_EQ(summary_line({}),
            "0.0 s of sound in 0.0 s (RTF 0.00), first sound after 0.00 s, seed 0");
}

TEST(Progress, the_bar_tells_sentence_sound_speed_and_what_is_left) {
  SpeechProgress progress;
  progress.segment = 1;
  progress.segments = 4;
  progress.sound_s = 10;
  progress.elapsed_s = 2;
  progress.fraction = 0.25;
  EXPECT_EQ(bar_text(progress, 0),
            "sentence 2/4 [######------------------]  10.0 s of sound  RTF 0.20  6 s left");
  progress.elapsed_s = 2000;
  EXPECT_EQ(
      bar_text(progress, 3),
      "text 3, sentence 2/4 [######------------------]  10.0 s of sound  RTF 200.00  1:40:00 left");
}

TEST(Progress, nothing_is_foretold_at_the_very_start) {
  SpeechProgress progress;
  progress.segments = 1;
  EXPECT_EQ(bar_text(progress, 0),
            "sentence 1/1 [------------------------]  0.0 s of sound  RTF 0.00");
}

}  // namespace
}  // namespace kani::cli
