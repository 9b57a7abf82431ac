// Long recordings with timed sentences: whole builds, and what they find again.
#include "kani/dataset/cutting.h"

#include "kani/dataset/test_build.h"
#include "kani/formats/test_files.h"

namespace kani {
namespace {

namespace fs = std::filesystem;

class Cut : public testing::Test {
 protected:
  /// Sentences of 2 s with 0.6 s of silence behind each; sentence n of seed s says "Number s0n …".
  std::vector<float> talk(size_t sentences, uint64_t seed) {
    std::vector<float> out;
    for (size_t i = 0; i < sentences; ++i) {
      const std::vector<float> one = babble(2, 16000, seed * 100 + i);
      out.insert(out.end(), one.begin(), one.end());
      out.insert(out.end(), 9600, 0.0F);
    }
    return out;
  }
  static std::string segments(size_t sentences, uint64_t seed = 0) {
    std::string list;
    for (size_t i = 0; i < sentences; ++i) {
      const double start = 2.6 * static_cast<double>(i);
      list += concat(i > 0 ? ", " : "", "{\"start\": ", start, ", \"end\": ", start + 2,
                     ", \"text\": \" Number ", seed * 100 + i, " is said here now.\"}");
    }
    return "[" + list + "]";
  }
  void add(const std::string& name, size_t sentences, uint64_t seed) {
    records_.sound(name, talk(sentences, seed));
    lines_ += concat("{\"audio\": \"", name,
                     "\", \"text\": \"whole\", \"segments\": ", segments(sentences, seed), "}\n");
  }
  BuildOptions options(const std::string& out) {
    BuildOptions options = records_.options(out);
    records_.folder().write("talks.jsonl", lines_);
    options.manifest = records_.folder() / "talks.jsonl";
    options.defaults.language = "en";
    options.cut.on = true;
    options.cut.pieces.max_seconds = 6;
    options.assembly.selection.split.valid_share = 0;
    options.assembly.selection.allowed_errors = {"talks"};
    return options;
  }
  std::vector<Json> lines_of(const std::string& out, const std::string& file) {
    std::vector<Json> lines;
    std::ifstream in(records_.folder() / out / file);
    for (std::string line; std::getline(in, line);) lines.push_back(parse_json(line, file));
    return lines;
  }
  fs::path path(const std::string& name) { return records_.folder() / name; }

  test::BuildFolder records_;
  std::string lines_;
};

TEST_F(Cut, sentences_become_clips_of_the_stretches_between_silences) {
  add("one.wav", 5, 1);
  add("two.flac", 4, 2);
  records_.sound("short.wav", babble(1, 16000, 50));
  lines_ += R"({"audio": "short.wav", "text": "Not cut at all."})"
            "\n";
  test::build_alike(options("one"));
  EXPECT_EQ(build_set(options("one"), nullptr, {}).end, BuildEnd::kWasThere);
  // Two sentences each, as a third would be over the limit; of five the one that is left out is the
  // first, because no silence before it makes it longer.
  const std::vector<Json> clips = lines_of("one", "clips.jsonl");
  ASSERT_EQ(clips.size(), 5U);
  EXPECT_EQ(clips[0].at("audio"), "one.wav");
  EXPECT_NEAR(clips[0].at("start").get<double>(), 2.3, 0.06);
  EXPECT_NEAR(clips[0].at("end").get<double>(), 7.5, 0.06);
  EXPECT_EQ(clips[1].at("start"), clips[0].at("end"));
  EXPECT_FALSE(clips[4].contains("start"));
  const TokenShard shard(path("one") / "train-00000-of-00001.kshard");
  EXPECT_NE(shard.clip(1).notes.find("Number 103 is said here now. Number 104 is said here now."),
            std::string::npos);
  EXPECT_NE(shard.clip(4).notes.find("Not cut at all."), std::string::npos);
  const std::vector<Json> rejects = lines_of("one", "rejects.jsonl");
  ASSERT_EQ(rejects.size(), 1U);
  EXPECT_EQ(rejects[0].at("reason"), "piece_too_short");
  EXPECT_NEAR(rejects[0].at("value").get<double>(), 2.3, 0.06);
  EXPECT_EQ(rejects[0].at("start"), 0);
  EXPECT_EQ(rejects[0].at("end"), clips[0].at("start"));
  EXPECT_EQ(rejects[0].at("audio"), "one.wav");

  // The same stretches named by a manifest are the same clips.
  std::string named;
  for (const Json& clip : clips) {
    const Json line = {{"audio", clip.at("audio")},
                       {"text", "Number one is said now."},
                       {"start", clip.value("start", 0.0)},
                       {"end", clip.value("end", 0.0)}};
    named += dump_json(line) + "\n";
  }
  records_.folder().write("named.jsonl", named);
  BuildOptions by_name = options("by_name");
  by_name.manifest = path("named.jsonl");
  by_name.cut.on = false;
  ASSERT_EQ(build_set(by_name, nullptr, {}).end, BuildEnd::kFinished);
  const TokenShard other(path("by_name") / "train-00000-of-00001.kshard");
  ASSERT_EQ(other.clips(), 5U);
  for (size_t i = 0; i < 5; ++i) EXPECT_EQ(other.clip(i).codes, shard.clip(i).codes) << i;
}

TEST_F(Cut, without_the_flag_segments_are_not_looked_at) {
  records_.sound("one.wav", babble(1, 16000, 1));
  lines_ = R"({"audio": "one.wav", "text": "One is said.", "segments": ["anything"]})"
           "\n";
  BuildOptions off = options("off");
  off.cut.on = false;
  EXPECT_EQ(build_set(off, nullptr, {}).end, BuildEnd::kFinished);
  EXPECT_TRUE(test::rejects_of(path("off")).empty());
  EXPECT_THROW(build_set(options("on"), nullptr, {}), Error);  // nothing is left
}

TEST_F(Cut, a_recording_that_changed_is_cut_again_and_no_other) {
  add("one.wav", 4, 1);
  add("two.wav", 4, 2);
  ASSERT_EQ(build_set(options("out"), nullptr, {}).work.done, 4U);
  // Its second piece is another one; the first is made again because its recording changed.
  std::vector<float> changed = talk(4, 1);
  const std::vector<float> other = babble(2, 16000, 77);
  std::copy(other.begin(), other.end(), changed.begin() + 83200);
  records_.sound("one.wav", changed);
  EXPECT_EQ(build_set(options("out"), nullptr, {}).work.done, 2U);
  ASSERT_EQ(build_set(options("fresh"), nullptr, {}).end, BuildEnd::kFinished);
  EXPECT_EQ(test::set_of(path("out")), test::set_of(path("fresh")));
  // A recording that went, and came again.
  fs::rename(path("two.wav"), path("kept.wav"));
  ASSERT_EQ(build_set(options("out"), nullptr, {}).end, BuildEnd::kFinished);
  EXPECT_EQ(test::rejects_of(path("out")),
            (std::map<std::string, std::string>{{"two.wav", "audio_missing"}}));
  fs::rename(path("kept.wav"), path("two.wav"));
  EXPECT_EQ(build_set(options("out"), nullptr, {}).work.done, 0U);
  EXPECT_EQ(test::set_of(path("out")), test::set_of(path("fresh")));
  // Without work/, or with a list of cuts that is not whole.
  for (const auto& entry : fs::directory_iterator(path("out") / "work")) {
    if (entry.path().filename().string().starts_with("cuts-")) write_file(entry.path(), "{\"pie");
  }
  EXPECT_EQ(build_set(options("out"), nullptr, {}).end, BuildEnd::kWasThere);
  fs::remove_all(path("out") / "work");
  EXPECT_EQ(build_set(options("out"), nullptr, {}).end, BuildEnd::kWasThere);
}

TEST_F(Cut, other_limits_are_another_set_which_takes_over_what_stays) {
  add("one.wav", 4, 1);
  ASSERT_EQ(build_set(options("out"), nullptr, {}).work.done, 2U);
  BuildOptions longer = options("out");
  longer.cut.pieces.max_seconds = 20;
  const BuildResult result = build_set(longer, nullptr, {});
  EXPECT_EQ(result.end, BuildEnd::kFinished);
  EXPECT_EQ(result.work.done, 1U);
  EXPECT_EQ(lines_of("out", "clips.jsonl").size(), 1U);
  const BuildResult back = build_set(options("out"), nullptr, {});
  EXPECT_EQ(back.end, BuildEnd::kFinished);
  EXPECT_EQ(back.work.done, 0U);
}

TEST_F(Cut, all_pieces_of_a_recording_are_of_one_split) {
  for (uint64_t i = 1; i <= 12; ++i) add(concat(i, ".wav"), 4, i);
  BuildOptions build = options("out");
  build.assembly.selection.split.valid_share = 0.4;  // no speakers are known
  ASSERT_EQ(build_set(build, nullptr, {}).end, BuildEnd::kFinished);
  std::map<std::string, std::set<std::string>> splits;
  std::set<std::string> all;
  for (const Json& clip : lines_of("out", "clips.jsonl")) {
    splits[clip.at("audio")].insert(clip.at("split").get<std::string>());
    all.insert(clip.at("split").get<std::string>());
  }
  EXPECT_EQ(all.size(), 2U);
  EXPECT_EQ(splits.size(), 12U);
  for (const auto& [audio, of] : splits) EXPECT_EQ(of.size(), 1U) << audio;
}

TEST_F(Cut, several_machines_and_an_interruption_give_the_same_bytes) {
  for (uint64_t i = 1; i <= 4; ++i) add(concat(i, ".wav"), 4, i);
  CancelToken cancel;
  cancel.cancel();
  EXPECT_EQ(build_set(options("out"), &cancel, {}).end, BuildEnd::kCancelled);
  BuildOptions part = options("out");
  part.part = {1, 2};
  EXPECT_EQ(build_set(part, nullptr, {}).end, BuildEnd::kPartDone);
  part.part = {0, 2};
  EXPECT_EQ(build_set(part, nullptr, {}).end, BuildEnd::kFinished);
  ASSERT_EQ(build_set(options("fresh"), nullptr, {}).end, BuildEnd::kFinished);
  EXPECT_EQ(test::set_of(path("out")), test::set_of(path("fresh")));
}

TEST_F(Cut, members_of_an_archive_are_cut_as_files_are) {
  add("one.wav", 4, 1);
  const std::string sound = read_file(path("one.wav"), 1 << 24);
  records_.folder().write(
      "talks.tar",
      test::tar_member({.name = "one.wav", .data = sound}) +
          test::tar_member({.name = "one.json", .data = "{\"segments\": " + segments(4) + "}"}) +
          test::tar_end());
  BuildOptions archive = options("archive");
  archive.manifest = path("talks.tar");
  ASSERT_EQ(build_set(archive, nullptr, {}).end, BuildEnd::kFinished);
  ASSERT_EQ(build_set(options("files"), nullptr, {}).end, BuildEnd::kFinished);
  const TokenShard members(path("archive") / "train-00000-of-00001.kshard");
  const TokenShard files(path("files") / "train-00000-of-00001.kshard");
  ASSERT_EQ(members.clips(), 2U);
  ASSERT_EQ(files.clips(), 2U);
  for (const size_t i : {0U, 1U}) EXPECT_EQ(members.clip(i).codes, files.clip(i).codes);
}

TEST_F(Cut, what_cannot_be_cut_is_a_reject_with_its_reason) {
  add("good.wav", 4, 1);
  const auto line = [&](const std::string& name, const std::string& segments,
                        const std::string& more = "") {
    lines_ += concat("{\"audio\": \"", name, "\", \"segments\": ", segments, more, "}\n");
  };
  const std::string list = segments(4);
  records_.folder().write("none.wav", "This is no sound.");
  records_.sound("loud.wav", babble(12, 16000, 9));
  records_.sound("cut.wav", talk(2, 8));
  line("missing.wav", list);
  line("none.wav", list);
  line("loud.wav", list);
  line("cut.wav", list);
  line("both.wav", list, ", \"start\": 1, \"end\": 5");
  line("codes.wav", list, ", \"codes\": [[1, 2]]");
  size_t faults = 0;
  for (const char* bad :
       {"{}", "[]", "[1]", "[{\"start\": 1, \"end\": 2}]", "[{\"start\": \"1\", \"end\": 2}]",
        "[{\"start\": -1, \"end\": 2, \"text\": \"a\"}]",
        "[{\"start\": 3, \"end\": 2, \"text\": \"a\"}]",
        "[{\"start\": 1, \"end\": 1e300, \"text\": \"a\"}]",
        "[{\"start\": 1, \"end\": 2, \"text\": 7}]",
        "[{\"start\": 5, \"end\": 6, \"text\": \"a\"}, {\"start\": 4, \"end\": 5, \"word\": "
        "\"b\"}]"})
    line(concat("fault", faults++, ".wav"), bad);
  ASSERT_EQ(build_set(options("out"), nullptr, {}).end, BuildEnd::kFinished);
  std::map<std::string, std::string> expected = {
      {"missing.wav", "audio_missing"}, {"none.wav", "audio"},
      {"loud.wav", "piece_too_long"},   {"cut.wav", "cut"},
      {"both.wav", "manifest"},         {"codes.wav", "manifest"}};
  for (size_t i = 0; i < faults; ++i) expected[concat("fault", i, ".wav")] = "manifest";
  EXPECT_EQ(test::rejects_of(path("out")), expected);
  // Of good.wav two pieces, of the one that was cut off what is there.
  EXPECT_EQ(lines_of("out", "clips.jsonl").size(), 3U);
}

TEST_F(Cut, words_in_json_beside_a_sound_do_as_well) {
  records_.folder().write("in/one.json", R"({"text": "not this", "words": [
      {"start": 0, "end": 0.9, "word": " Number"}, {"start": 0.9, "end": 2, "word": " one."},
      {"start": 2.6, "end": 4.5, "word": " Number two is said."}]})");
  records_.sound("in/one.wav", talk(2, 1));
  BuildOptions build = options("out");
  build.manifest = path("in");
  ASSERT_EQ(build_set(build, nullptr, {}).end, BuildEnd::kFinished);
  const TokenShard shard(path("out") / "train-00000-of-00001.kshard");
  ASSERT_EQ(shard.clips(), 1U);
  EXPECT_NE(shard.clip(0).notes.find("\"Number one. Number two is said.\""), std::string::npos);
}

}  // namespace
}  // namespace kani
