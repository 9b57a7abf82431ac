// subtitles_test.cc - forms of the timing files.
#include "apps/kani/subtitles.h"

#include <gtest/gtest.h>

#include "kani/base/json.h"

namespace kani::cli {
namespace {

TimedSegment segment(const std::string& text, double start_s, double end_s) {
  TimedSegment timed;
  timed.segment.text = text;
  timed.segment.start_s = start_s;
  timed.segment.end_s = end_s;
  return timed;
}

TEST(Subtitles, srt_numbers_its_cues_and_separates_milliseconds_by_a_comma) {
  const std::vector<TimedSegment> segments = {segment("One.", 0, 1.5),
                                              segment("Two.", 3661.0004, 3662.9996)};
  EXPECT_EQ(to_srt(segments),
            "1\n00:00:00,000 --> 00:00:01,500\nOne.\n\n2\n01:01:01,000 --> 01:01:03,000\nTwo.\n\n");
}

TEST(Subtitles, vtt_begins_with_its_name_and_escapes_marks) {
  const std::vector<TimedSegment> segments = {segment("a < b & c --> d", 0, 1)};
  EXPECT_EQ(to_vtt(segments),
            "WEBVTT\n\n00:00:00.000 --> 00:00:01.000\na &lt; b &amp; c --&gt; d\n\n");
}

TEST(Subtitles, long_text_is_wrapped_and_never_holds_an_empty_line) {
  const std::vector<TimedSegment> segments = {
      segment("This sentence is much too long for a single line of subtitles.\n\nMore.", 0, 1)};
  const std::string srt = to_srt(segments);
  EXPECT_NE(srt.find("This sentence is much too long for a\nsingle line of subtitles. More.\n\n"),
            std::string::npos)
      << srt;
}

TEST(Subtitles, no_segments_give_files_without_cues) {
  EXPECT_EQ(to_srt({}), "");
  EXPECT_EQ(to_vtt({}), "WEBVTT\n\n");
}

TEST(Subtitles, json_holds_times_and_offsets) {
  TimedSegment timed = segment("x", 0.12345, 1);
  timed.text = 2;
  timed.segment.source_end = 7;
  const std::vector<TimedSegment> segments = {timed};
  const Json document = parse_json(to_timestamps_json({22050, 1.0}, segments), "t");
  EXPECT_EQ(document["sample_rate"], 22050);
  EXPECT_EQ(document["segments"][0]["start"], 0.123);
  EXPECT_EQ(document["segments"][0]["text_index"], 2);
  EXPECT_EQ(document["segments"][0]["source_end"], 7);
}

}  // namespace
}  // namespace kani::cli
