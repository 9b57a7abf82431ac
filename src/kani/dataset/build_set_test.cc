// D2 (reliability.md 5.7): the same recordings give the same bytes, whoever did how much of the
// work and however often it was killed; and what a set holds.
#include "kani/dataset/build_set.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kani/base/sha256.h"
#include "kani/dataset/parquet_output.h"
#include "kani/dataset/test_build.h"

namespace kani {
namespace {

namespace fs = std::filesystem;

class BuildSet : public testing::Test {
 protected:
  static constexpr size_t kGood = 24;

  void SetUp() override {
    for (size_t i = 0; i < kGood; ++i) records_.good(i);
    records_.line("none.wav", "Nothing to be heard.");
  }
  BuildOptions options(const std::string& out) const {
    BuildOptions options = records_.options(out);
    options.assembly.shard_clips = 7;
    options.assembly.selection.split.valid_share = 0.2;
    options.assembly.parquet = parquet_supported();
    return options;
  }
  fs::path out(const std::string& name) const { return records_.folder() / name; }

  test::BuildFolder records_;
};

TEST_F(BuildSet, d2_one_worker_and_eight_give_the_same_bytes) {
  BuildOptions one = options("one"), eight = options("eight");
  one.workers = 1;
  eight.workers = 8;
  EXPECT_EQ(build_set(one, nullptr, {}).end, BuildEnd::kFinished);
  EXPECT_EQ(build_set(eight, nullptr, {}).end, BuildEnd::kFinished);
  const auto files = test::set_of(out("one"));
  EXPECT_EQ(files, test::set_of(out("eight")));
  EXPECT_TRUE(files.contains("train-00000-of-00003.kshard"));
  EXPECT_TRUE(files.contains("valid-00000-of-00001.kshard"));
  EXPECT_TRUE(files.contains("report/sample-1.wav"));
  EXPECT_EQ(files.contains("train-00002-of-00003.parquet"), parquet_supported());
  EXPECT_EQ(build_set(one, nullptr, {}).end, BuildEnd::kWasThere);
}

TEST_F(BuildSet, d2_killed_again_and_again_it_ends_with_the_same_bytes) {
  ASSERT_EQ(build_set(options("whole"), nullptr, {}).end, BuildEnd::kFinished);
  size_t kills = 0;
  for (bool ended = false; !ended;) {
    ASSERT_LT(kills, 30U);
    const pid_t child = fork();
    if (child == 0) {
      // SIGKILL comes from inside, at once when some more records are done: no time is measured.
      const auto tell = [](const WorkCounts& counts) {
        if (counts.done >= 8) kill(getpid(), SIGKILL);
      };
      try {
        _exit(build_set(options("killed"), nullptr, tell).end == BuildEnd::kFinished ? 0 : 1);
      } catch (const std::exception&) {
        _exit(2);
      }
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ended = WIFEXITED(status);
    if (ended) {
      ASSERT_EQ(WEXITSTATUS(status), 0);
    } else {
      ++kills;
    }
  }
  EXPECT_GE(kills, 1U);
  EXPECT_EQ(test::set_of(out("whole")), test::set_of(out("killed")));
}

TEST_F(BuildSet, d2_two_parts_give_the_same_bytes) {
  ASSERT_EQ(build_set(options("whole"), nullptr, {}).end, BuildEnd::kFinished);
  BuildOptions part = options("parts");
  part.part = {0, 2};
  EXPECT_EQ(build_set(part, nullptr, {}).end, BuildEnd::kPartDone);
  EXPECT_FALSE(fs::exists(out("parts") / "MANIFEST"));
  part.part = {1, 2};
  EXPECT_EQ(build_set(part, nullptr, {}).end, BuildEnd::kFinished);
  EXPECT_EQ(test::set_of(out("whole")), test::set_of(out("parts")));
}

TEST_F(BuildSet, interrupted_it_goes_on_from_there) {
  CancelToken cancel;
  const auto tell = [&](const WorkCounts& counts) {
    if (counts.done >= 5) cancel.cancel();
  };
  const BuildResult first = build_set(options("out"), &cancel, tell);
  EXPECT_EQ(first.end, BuildEnd::kCancelled);
  EXPECT_FALSE(fs::exists(out("out") / "MANIFEST"));
  const BuildResult second = build_set(options("out"), nullptr, {});
  EXPECT_EQ(second.end, BuildEnd::kFinished);
  EXPECT_EQ(second.work.before, first.work.done);
  EXPECT_EQ(second.work.before + second.work.done, records_.records());
  test::set_of(out("out"));
}

TEST_F(BuildSet, every_clip_leads_back_to_its_recording) {
  BuildOptions self = options("out");
  self.assembly.voices = SpeakerVector::kSelf;
  ASSERT_EQ(build_set(self, nullptr, {}).end, BuildEnd::kFinished);
  std::ifstream in(out("out") / "clips.jsonl");
  size_t lines = 0;
  std::set<std::string> seen;
  for (std::string text; std::getline(in, text); ++lines) {
    const Json line = parse_json(text, "line");
    const std::string file = line.at("file").get<std::string>() + ".kshard";
    const TrainingClip clip = TokenShard(out("out") / file).clip(line.at("row").get<size_t>());
    EXPECT_EQ(hex_text(clip.record), line.at("record"));
    EXPECT_EQ(parse_json(clip.notes, "notes").at("audio"), line.at("audio"));
    EXPECT_EQ(clip.speaker, line.at("speaker"));
    seen.insert(line.at("audio").get<std::string>());
  }
  EXPECT_EQ(lines, kGood);
  EXPECT_EQ(seen.size(), kGood);
  EXPECT_EQ(test::rejects_of(out("out")),
            (std::map<std::string, std::string>{{"none.wav", "audio_missing"}}));
}

TEST_F(BuildSet, other_settings_of_the_set_use_the_finished_work_and_other_rules_do_not) {
  BuildOptions changed = options("out");
  ASSERT_EQ(build_set(changed, nullptr, {}).end, BuildEnd::kFinished);
  changed.assembly.shard_clips = 100;
  const BuildResult again = build_set(changed, nullptr, {});
  EXPECT_EQ(again.end, BuildEnd::kFinished);
  EXPECT_EQ(again.work.done, 0U);
  EXPECT_TRUE(test::set_of(out("out")).contains("train-00000-of-00001.kshard"));
  EXPECT_FALSE(fs::exists(out("out") / "train-00000-of-00003.kshard"));
  changed.clips.language_tags = true;
  try {
    build_set(changed, nullptr, {});
    FAIL() << "work of other rules was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    EXPECT_NE(std::string(error.what()).find("language_tags"), std::string::npos);
  }
  changed.restart = true;
  EXPECT_EQ(build_set(changed, nullptr, {}).end, BuildEnd::kFinished);
}

TEST_F(BuildSet, a_damaged_set_is_noticed_and_made_again) {
  ASSERT_EQ(build_set(options("out"), nullptr, {}).end, BuildEnd::kFinished);
  const auto before = test::set_of(out("out"));
  write_file(out("out") / "train-00000-of-00003.kshard", "broken");
  EXPECT_THROW(verify_set(out("out")), Error);
  EXPECT_EQ(build_set(options("out"), nullptr, {}).end, BuildEnd::kFinished);
  EXPECT_EQ(test::set_of(out("out")), before);
  write_file(out("out") / "train-00009-of-00003.kshard", "not of it");
  EXPECT_THROW(verify_set(out("out")), Error);
}

TEST_F(BuildSet, a_folder_of_somebody_else_is_left_alone) {
  records_.folder().write("mine/letter.txt", "dear");
  EXPECT_THROW(build_set(options("mine"), nullptr, {}), Error);
  EXPECT_EQ(std::distance(fs::directory_iterator(out("mine")), {}), 1);
}

TEST_F(BuildSet, recordings_with_a_manifest_of_sha256sum_are_no_set) {
  records_.folder().write("corpus/MANIFEST", std::string(64, '0') + "  a.wav\n");
  records_.folder().write("corpus/a.wav", "sound");
  records_.folder().write("project/work/thesis.txt", "years");
  for (const bool restart : {false, true}) {
    for (const char* name : {"corpus", "project"}) {
      BuildOptions mine = options(name);
      mine.restart = restart;
      EXPECT_THROW(build_set(mine, nullptr, {}), Error) << name;
    }
  }
  EXPECT_TRUE(fs::exists(out("corpus/a.wav")));
  EXPECT_TRUE(fs::exists(out("project/work/thesis.txt")));
}

TEST_F(BuildSet, nothing_is_begun_again_while_another_process_is_at_work) {
  BuildOptions part = options("out");
  part.part = {0, 2};
  ASSERT_EQ(build_set(part, nullptr, {}).end, BuildEnd::kPartDone);
  const auto count = [&] { return std::distance(fs::directory_iterator(out("out/work")), {}); };
  const auto files = count();
  {
    const WorkFolder other(out("out/work"), {1, 2});
    records_.folder().write("out/work/.unit-1.kshard.abcdef.tmp", "half");
    BuildOptions again = options("out");
    again.restart = true;
    try {
      build_set(again, nullptr, {});
      FAIL() << "its work was thrown away";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kBusy);
    }
    const WorkFolder single(out("out/work"), {});
    EXPECT_TRUE(fs::exists(out("out/work/.unit-1.kshard.abcdef.tmp")));
    try {
      const WorkFolder twice(out("out/work"), {1, 2});
      FAIL() << "one part twice";
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find("part 2 of 2 is being built"), std::string::npos);
    }
  }
  EXPECT_GE(count(), files);
  records_.folder().write("out/work/mine.txt", "kept");
  BuildOptions again = options("out");
  again.restart = true;
  EXPECT_EQ(build_set(again, nullptr, {}).work.before, 0U);
  EXPECT_FALSE(fs::exists(out("out/work/.unit-1.kshard.abcdef.tmp")));
  EXPECT_TRUE(fs::exists(out("out/work/mine.txt")));
}

TEST_F(BuildSet, killed_while_the_set_is_put_together_the_old_one_stays_or_the_next_run_ends_it) {
  ASSERT_EQ(build_set(options("out"), nullptr, {}).end, BuildEnd::kFinished);
  const auto old_set = test::set_of(out("out"));
  BuildOptions changed = options("out"), fresh = options("fresh");
  changed.assembly.shard_clips = fresh.assembly.shard_clips = 4;
  ASSERT_EQ(build_set(fresh, nullptr, {}).end, BuildEnd::kFinished);
  const auto new_set = test::set_of(out("fresh"));
  size_t kills = 0;
  useconds_t wait_us = 500;
  for (bool ended = false; !ended; wait_us += wait_us / 2) {
    const pid_t child = fork();
    if (child == 0) {
      // All records are done, so that it is told just before.
      const auto tell = [&](const WorkCounts&) { ualarm(wait_us, 0); };
      try {
        build_set(changed, nullptr, tell);
        _exit(0);
      } catch (const std::exception&) {
        _exit(2);
      }
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ended = WIFEXITED(status);
    if (ended) {
      ASSERT_EQ(WEXITSTATUS(status), 0);
    } else {
      ++kills;
      ASSERT_EQ(WTERMSIG(status), SIGALRM);
    }
    if (!fs::exists(out("out/MANIFEST"))) continue;
    const auto now = test::set_of(out("out"));
    EXPECT_TRUE(now == new_set || (!ended && now == old_set));
  }
  EXPECT_GE(kills, 2U);
  EXPECT_EQ(test::set_of(out("out")), new_set);
}

TEST_F(BuildSet, of_what_left_no_clip_there_is_a_list_and_the_flag_that_helps) {
  BuildOptions bad = options("out");
  bad.manifest = records_.folder() / "bad.tsv";
  std::string lines = "audio\ttext\tsource\n";
  for (size_t i = 0; i < 10; ++i)
    lines += concat(i < 6 ? "none" : "good", i, ".wav\tNumber ", i, " is said.\tmy source\n");
  records_.folder().write("bad.tsv", lines);
  try {
    build_set(bad, nullptr, {});
    FAIL() << "a set of nothing";
  } catch (const Error& error) {
    EXPECT_NE(error.hint().find("--allow-errors \"my source\""), std::string::npos);
    EXPECT_NE(error.hint().find("work/rejects.jsonl says why"), std::string::npos) << error.hint();
  }
  const auto rejects = test::rejects_of(out("out/work"));
  EXPECT_EQ(rejects.size(), 10U);
  EXPECT_EQ(rejects.at("good7.wav"), "source_stopped");
}

TEST_F(BuildSet, voices_are_means_of_length_one_others_or_the_clips_own) {
  const auto voices = [&](SpeakerVector which, const char* name) {
    BuildOptions changed = options(name);
    changed.manifest = records_.folder() / "two.tsv";
    records_.folder().write("two.tsv",
                            "audio\ttext\tspeaker\ngood0.wav\tNumber 0 is said.\tanna\n"
                            "good1.wav\tNumber 1 is said.\tanna\n"
                            "good2.wav\tNumber 2 is said.\t\n");
    changed.assembly.selection.split.valid_share = 0;
    changed.assembly.voices = which;
    EXPECT_EQ(build_set(changed, nullptr, {}).end, BuildEnd::kFinished);
    const TokenShard shard(out(name) / "train-00000-of-00001.kshard");
    return std::vector{shard.clip(0).voice, shard.clip(1).voice, shard.clip(2).voice};
  };
  const auto self = voices(SpeakerVector::kSelf, "self");
  const auto other = voices(SpeakerVector::kOther, "other");
  const auto mean = voices(SpeakerVector::kMean, "mean");
  EXPECT_NE(self[0], self[1]);
  EXPECT_EQ(other, (std::vector{self[1], self[0], self[2]}));
  EXPECT_EQ(mean[0], mean[1]);
  EXPECT_EQ(mean[2], self[2]);
  double squares = 0, along = 0;
  for (size_t i = 0; i < mean[0].size(); ++i) {
    squares += double{mean[0][i]} * double{mean[0][i]};
    along += double{mean[0][i]} * (double{self[0][i]} - double{self[1][i]});
  }
  EXPECT_NEAR(squares, 1, 1e-5);
  EXPECT_NEAR(along, 0, 0.05);  // in the middle of the two
}

}  // namespace
}  // namespace kani
