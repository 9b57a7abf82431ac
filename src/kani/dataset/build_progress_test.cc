// What is told while a set is built.
#include "kani/dataset/build_progress.h"

#include <gtest/gtest.h>

namespace kani {
namespace {

TEST(BuildProgress, tells_records_hours_speed_and_what_is_left) {
  WorkCounts counts{.records = 1000, .before = 100, .done = 200, .rejected = 4, .seconds = 1800};
  EXPECT_EQ(progress_text(counts, 50),
            "300 of 1000 records, 4 rejected, 0.50 h of clips, 4.0 clips/s, 2:55 left");
  counts.done = 899;
  EXPECT_EQ(progress_text(counts, 10),
            "999 of 1000 records, 4 rejected, 0.50 h of clips, 90 clips/s, 0:01 left");
  counts.done = 900;
  EXPECT_EQ(progress_text(counts, 10),
            "1000 of 1000 records, 4 rejected, 0.50 h of clips, 90 clips/s");
}

TEST(BuildProgress, before_anything_is_done_there_is_no_speed) {
  EXPECT_EQ(progress_text({.records = 10}, 0), "0 of 10 records, 0 rejected, 0.00 h of clips");
}

TEST(BuildProgress, recordings_that_are_cut_are_no_clips_yet) {
  EXPECT_EQ(progress_text({.records = 10, .done = 3, .cutting = true}, 5),
            "3 of 10 recordings are cut");
}

TEST(BuildProgress, without_a_terminal_a_short_run_says_nothing) {
  std::FILE* out = std::tmpfile();
  {
    BuildProgress progress(out, /*terminal=*/false);
    progress.tell({.records = 10, .done = 3});
  }
  EXPECT_EQ(std::ftell(out), 0);
  {
    BuildProgress progress(out, /*terminal=*/true);
    progress.tell({.records = 10, .done = 3});
  }
  EXPECT_GT(std::ftell(out), 10);
  std::fclose(out);
}

}  // namespace
}  // namespace kani
