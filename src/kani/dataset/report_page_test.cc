// The page of a set's report.
#include "kani/dataset/report_page.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "kani/base/error.h"
#include "kani/dataset/set_clip.h"
#include "kani/dataset/set_report.h"
#include "kani/dataset/test_records.h"

namespace kani {
namespace {

class Reporting : public testing::Test {
 protected:
  void add(const std::string& speaker, double seconds, Split split = Split::kTrain) {
    SetClip clip;
    clip.split = split;
    clip.file = "train-00000-of-00001";
    clip.index = clips_;
    clip.record = std::string(64, '0');
    clip.audio = concat(clips_++, ".wav");
    clip.source = "<b>source</b>";
    clip.speaker = speaker;
    clip.language = "en";
    clip.seconds = seconds;
    clip.frames = static_cast<int64_t>(seconds * 12.5);
    clip.text_ids = 20;
    clip.characters_per_second = 14;
    clip.loudness_lufs = -20;
    clip.noise_distance_db = 40;
    clip.bandwidth_hz = speaker == "caller" ? 3400 : 9000;
    clip.trimmed_s = 0.5;
    lines_ += clip_line(clip) + "\n";
  }
  Json report() {
    folder_.write("clips.jsonl", lines_);
    folder_.write("rejects.jsonl", rejects_);
    folder_.write("set.json", "{}");
    folder_.write("audio_length_statistics.json",
                  R"({"duration_seconds":{"mean":1,"std":0,"min":1,"max":1,"median":1,)"
                  R"("quartiles":{"q25":1,"q50":1,"q75":1}}})");
    return read_report(folder_.path());
  }

  RecordFolder folder_;
  size_t clips_ = 0;
  std::string lines_, rejects_;
};

TEST_F(Reporting, counts_hours_tokens_and_updates) {
  for (int i = 0; i < 3600; ++i) add(i % 2 == 0 ? "anna" : "caller", 10);
  add("ben", 36, Split::kValid);
  rejects_ = R"({"index":1,"audio":"x.wav","source":"s","reason":"too_long","value":41})"
             "\n"
             R"({"index":2,"audio":"y.wav","source":"s","reason":"duplicate_text"})"
             "\n";
  const Json r = report();
  EXPECT_EQ(r["records"], 3603);
  EXPECT_EQ(r["splits"]["train"]["hours"], 10);
  EXPECT_EQ(r["splits"]["valid"]["clips"], 1);
  EXPECT_EQ(r["speakers_in_all"], 3);
  EXPECT_EQ(r["speakers"][0]["hours"], 5);
  EXPECT_EQ(r["narrow_clips"], 1800);
  EXPECT_NEAR(r["trimmed_hours"].get<double>(), 0.5, 0.001);
  EXPECT_EQ(r["training"]["frames"], 3600 * 125);
  EXPECT_EQ(r["training"]["elements"], 3600 * (20 + 4 * 125 + 8));
  EXPECT_EQ(r["training"]["updates_per_epoch"], 15);  // 1,900,800 / 0.99 / 131,072 = 14.65
  EXPECT_EQ(r["histograms"]["seconds"]["from"], 10);
  EXPECT_EQ(r["histograms"]["seconds"]["counts"][0], 3600);
  EXPECT_EQ(r["rejected"]["reasons"][1]["reason"], "too_long");
  EXPECT_EQ(r["duplicates"]["text"], 1);
  const auto bad = std::find_if(r["sources"].begin(), r["sources"].end(),
                                [](const Json& one) { return one["name"] == "s"; });
  EXPECT_EQ((*bad)["error_share"], 0.5);
}

TEST_F(Reporting, the_page_loads_nothing_and_takes_names_as_text) {
  add("<script>alert(1)</script>", 3);
  rejects_ = R"({"index":1,"audio":"<img src=x>","reason":"audio","detail":"\"&\""})"
             "\n";
  const std::string page = report_page(report());
  EXPECT_EQ(page.find("<script"), std::string::npos);
  EXPECT_EQ(page.find("<img"), std::string::npos);
  EXPECT_EQ(page.find("<b>source"), std::string::npos);
  EXPECT_NE(page.find("&lt;script&gt;alert(1)&lt;/script&gt;"), std::string::npos);
  EXPECT_NE(page.find("&quot;&amp;&quot;"), std::string::npos);
  for (const char* outside : {"http:", "https:", "url(", "@import", "<link"})
    EXPECT_EQ(page.find(outside), std::string::npos) << outside;
}

TEST(ReportPage, numbers_are_grouped) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1000), "1,000");
  EXPECT_EQ(grouped(1234567), "1,234,567");
}

TEST(ReportPage, lengths_have_the_unit_that_suits_them) {
  EXPECT_EQ(length_text(8.2 / 3600), "8.2 s");
  EXPECT_EQ(length_text(0.5), "30.0 min");
  EXPECT_EQ(length_text(3.25), "3.2 h");
  EXPECT_EQ(length_text(1234), "1,234 h");
}

TEST(ReportPage, a_histogram_has_a_bar_for_each_bin_that_is_not_empty) {
  const std::string svg =
      histogram_svg({{"from", 2}, {"step", 1}, {"counts", {5, 0, 10}}}, "Length", "seconds");
  size_t bars = 0;
  for (size_t at = 0; (at = svg.find("<rect", at)) != std::string::npos; ++at) ++bars;
  EXPECT_EQ(bars, 2U);
  EXPECT_NE(svg.find("4 to 5 seconds: 10"), std::string::npos);
  EXPECT_NO_THROW(histogram_svg({{"from", 0}, {"step", 1}, {"counts", {0}}}, "Empty", "dB"));
}

}  // namespace
}  // namespace kani
