// Archives of WebDataset as recordings: what is read, what is not, archives that lie.  Headers:
// formats/tar_test.cc, nemo_test.cc.
#include "kani/dataset/recording_tar.h"

#include "kani/dataset/recording_state.h"
#include "kani/dataset/test_build.h"
#include "kani/formats/test_files.h"

namespace kani {
namespace {

namespace fs = std::filesystem;
using test::tar_end;
using test::tar_member;

class RecordingTars : public test::InnerRecordings {
 protected:
  /// Samples [first, last) as members: number n says "Number n is said."
  std::string samples(size_t first, size_t last) {
    std::string members;
    const std::string endings[] = {".wav", ".flac", ".mp3", ".ogg", ".opus"};
    for (size_t i = first; i < last; ++i) {
      const std::string ending = endings[i % 5];
      members +=
          tar_member({.name = concat(i, ".json"),
                      .data = concat("{\"speaker\": ", i % 5, ", \"wav\": \"/etc/passwd\"}")});
      members += tar_member({.name = concat(i, ending), .data = sound(i, ending)});
      members +=
          tar_member({.name = concat(i, ".txt"), .data = concat("Number ", i, " is said.\n")});
    }
    return members;
  }
  void write(const std::string& name, const std::string& members) {
    records_.folder().write(name, members + tar_end());
  }
  BuildOptions options(const std::string& manifest, const std::string& out) {
    BuildOptions options = InnerRecordings::options(manifest, out);
    options.assembly.selection.allowed_errors = {"set"};
    return options;
  }
};

TEST_F(RecordingTars, members_become_clips_of_the_same_bytes_as_their_files) {
  write("set/train-000000.tar", samples(0, 12));
  write("set/train-000001.tar", samples(12, 20));
  write("set/dev-000000.tar", samples(20, 21));
  const Manifest manifest = read_manifest(folder() / "set");
  ASSERT_EQ(manifest.records.size(), 20U);
  EXPECT_EQ(manifest.records[9].audio, "train-000000.tar: 9.opus");
  EXPECT_EQ(manifest.records[9].text, "Number 9 is said.");
  EXPECT_EQ(manifest.records[9].speaker, "4");
  EXPECT_EQ(manifest.records[9].source, "set");
  test::build_alike(options("set", "one"));
  EXPECT_TRUE(test::rejects_of(folder() / "one").empty());
  const TokenShard members(folder() / "one" / "train-00000-of-00001.kshard");
  ASSERT_EQ(members.clips(), 20U);

  // The same as files beside each other.
  for (const size_t i : {6U, 15U}) write_beside(i, i % 5 == 1 ? ".flac" : ".wav");
  ASSERT_EQ(build_set(options("files", "of_files"), nullptr, {}).end, BuildEnd::kFinished);
  const TokenShard of_files(folder() / "of_files" / "train-00000-of-00001.kshard");
  EXPECT_EQ(of_files.clip(0).codes, members.clip(15).codes);
  EXPECT_EQ(of_files.clip(1).codes, members.clip(6).codes);
}

TEST_F(RecordingTars, members_that_changed_are_made_again_and_no_others_wherever_they_lie) {
  write("set.tar", samples(0, 8));
  ASSERT_EQ(build_set(options("set.tar", "out"), nullptr, {}).work.done, 8U);
  EXPECT_EQ(build_set(options("set.tar", "out"), nullptr, {}).end, BuildEnd::kWasThere);
  // In another order, one more and one that is another recording.
  const std::string changed = tar_member({.name = "3.mp3", .data = sound(99, ".mp3")}) +
                              tar_member({.name = "3.txt", .data = "Number 3 is said."}) +
                              tar_member({.name = "3.json", .data = R"({"speaker": 3})"});
  write("set.tar", samples(8, 9) + samples(4, 8) + changed + samples(0, 3));
  EXPECT_EQ(build_set(options("set.tar", "out"), nullptr, {}).work.done, 2U);
  ASSERT_EQ(build_set(options("set.tar", "fresh"), nullptr, {}).end, BuildEnd::kFinished);
  EXPECT_EQ(test::set_of(folder() / "out"), test::set_of(folder() / "fresh"));
  fs::remove_all(folder() / "out" / "work");
  EXPECT_EQ(build_set(options("set.tar", "out"), nullptr, {}).end, BuildEnd::kWasThere);
}

TEST_F(RecordingTars, interrupted_it_goes_on_to_the_same_bytes) {
  write("set.tar", samples(0, 6));
  CancelToken cancel;
  BuildOptions options = this->options("set.tar", "out");
  options.workers = 1;
  const auto tell = [&](const WorkCounts& counts) {
    if (counts.done >= 1) cancel.cancel();
  };
  EXPECT_EQ(build_set(options, &cancel, tell).end, BuildEnd::kCancelled);
  EXPECT_EQ(build_set(options, nullptr, {}).end, BuildEnd::kFinished);
  ASSERT_EQ(build_set(this->options("set.tar", "fresh"), nullptr, {}).end, BuildEnd::kFinished);
  EXPECT_EQ(test::set_of(folder() / "out"), test::set_of(folder() / "fresh"));
}

TEST_F(RecordingTars, names_are_those_of_a_folder) {
  const std::string long_name(200, 'n');
  write("set.tar",
        tar_member({.name = "./anna/1.WAV", .data = "x"}) +
            tar_member({.name = "./anna/1.normalized.txt", .data = "\xEF\xBB\xBFone\n"}) +
            tar_member({.name = "./anna/1.txt", .data = "1"}) +
            tar_member({.name = "._1.wav", .data = "x"}) +  // macOS's
            tar_member({.name = "2.5.flac", .data = "x"}) +
            tar_member(
                {.name = "2.5.json", .data = R"({"text": "two", "language": "de", "speaker": "ben",
                                    "source": "s", "license": "CC0", "start": 1, "end": 2.5})"}) +
            tar_member({.name = "@", .data = long_name + ".ogg", .type = 'L'}) +
            tar_member({.name = "n", .data = "x"}) +
            tar_member({.name = "@", .data = long_name + ".lab", .type = 'L'}) +
            tar_member({.name = "n", .data = "three"}) + tar_member({.name = "cover.png"}));
  const Manifest manifest =
      read_manifest(folder() / "set.tar", {.speaker = "none", .speaker_folders = true});
  ASSERT_EQ(manifest.records.size(), 3U);
  EXPECT_EQ(manifest.records[0].audio, "set.tar: anna/1.WAV");
  EXPECT_EQ(manifest.records[0].text, "one");
  EXPECT_EQ(manifest.records[0].speaker, "anna");
  EXPECT_EQ(manifest.records[0].source, "set");
  EXPECT_EQ(manifest.records[1].text, "two");
  EXPECT_EQ(manifest.records[1].language, "de");
  EXPECT_EQ(manifest.records[1].speaker, "ben");
  EXPECT_EQ(manifest.records[1].source, "s");
  EXPECT_EQ(manifest.records[1].licence, "CC0");
  EXPECT_EQ(manifest.records[1].start_s, 1);
  EXPECT_EQ(manifest.records[1].end_s, 2.5);
  EXPECT_EQ(manifest.records[2].audio, "set.tar: " + long_name + ".ogg");
  EXPECT_EQ(manifest.records[2].text, "three");
  EXPECT_EQ(manifest.records[2].speaker, "none");
  for (const SourceRecord& record : manifest.records) EXPECT_FALSE(record.problem);
}

TEST_F(RecordingTars, bad_members_are_named_and_cost_no_others) {
  constexpr uint64_t kLarge = (uint64_t{1} << 30) + 512;
  std::string members;
  const auto add = [&](const std::string& key, const std::string& sound, const std::string& text) {
    members += tar_member({.name = key + ".wav", .data = sound});
    members += tar_member({.name = key + ".txt", .data = text});
  };
  add("good", sound(1, ".wav"), "Good morning.");
  add("nothing", "", "Good morning.");
  add("no_sound", "This is no sound.", "Good morning.");
  add("cut", sound(2, ".wav").substr(0, 30), "Good morning.");
  add("long_text", sound(3, ".wav"), std::string(70'000, 'a'));
  members += tar_member({.name = "no_text.wav", .data = sound(4, ".wav")});
  members += tar_member({.name = "bad_json.wav", .data = sound(5, ".wav")});
  members += tar_member({.name = "bad_json.json", .data = "{\"text\": [1"});
  members += tar_member({.name = "link.wav", .type = '2'});  // to anywhere
  members += tar_member({.name = "link.txt", .data = "Good morning."});
  members += tar_member({.name = "linked.wav", .data = sound(6, ".wav")});
  members += tar_member({.name = "linked.txt", .type = '1'});
  members += tar_member({.name = "large.txt", .data = "Good morning."});
  members += tar_member({.name = "large.wav", .size_field = test::octal(kLarge, 11) + '\0'});
  records_.folder().write("set.tar", members);
  // Zeros, which end the archive, too.
  fs::resize_file(folder() / "set.tar", members.size() + kLarge + 1024);
  for (const int workers : {1, 5}) {
    BuildOptions build = options("set.tar", concat("out", workers));
    build.workers = workers;
    ASSERT_EQ(build_set(build, nullptr, {}).end, BuildEnd::kFinished);
    EXPECT_EQ(test::rejects_of(folder() / concat("out", workers)),
              (std::map<std::string, std::string>{{"set.tar: nothing.wav", "audio_missing"},
                                                  {"set.tar: no_sound.wav", "audio"},
                                                  {"set.tar: cut.wav", "audio"},
                                                  {"set.tar: long_text.wav", "text_length"},
                                                  {"set.tar: no_text.wav", "text_missing"},
                                                  {"set.tar: bad_json.wav", "manifest"},
                                                  {"set.tar: linked.wav", "text_missing"},
                                                  {"set.tar: large.wav", "audio"}}));
  }
  EXPECT_EQ(test::set_of(folder() / "out1"), test::set_of(folder() / "out5"));
}

TEST_F(RecordingTars, archives_that_are_none_are_cut_or_mean_harm_are_refused_as_a_whole) {
  const std::string good = samples(0, 2);
  const auto says = [&](const std::string& bytes, const std::string& why) {
    records_.folder().write("bad/1.tar", bytes);
    EXPECT_NE(refusal("bad").find(why), std::string::npos) << refusal("bad");
    EXPECT_NE(refusal("bad/1.tar").find("1.tar"), std::string::npos);
  };
  says("", "not a tar archive");
  says("This is no archive.", "not a tar archive");
  says(good.substr(0, 700), "the archive ends after");
  says(good, "two end blocks are missing");
  says(good + tar_member({.name = "/etc/x.wav"}) + tar_end(), "is absolute");
  says(good + tar_member({.name = "a/../../x.wav"}) + tar_end(), "\"..\" part");
  says(good + tar_member({.name = "x\xFF.wav"}) + tar_end(), "not UTF-8");
  says(good + tar_member({.name = "0.txt"}) + tar_end(), "occurs twice");
  says(good + tar_member({.name = "x.wav", .type = 'S'}) + tar_end(), "sparse");
  says(good + tar_end() + good + tar_end(), "something else follows");
  says(test::gzip_of(good + tar_end()), "is compressed");
  says(tar_member({.name = "read.me"}) + tar_end(), "no recordings in it");
}

TEST_F(RecordingTars, cut_and_changed_archives_end_in_records_or_one_error) {
  std::string good = tar_member({.name = "1.wav", .data = "sound"}) +
                     tar_member({.name = "1.txt", .data = "text"}) + tar_end();
  size_t refused = 0, read = 0;
  for (size_t at = 0; at < good.size(); at += 13) {
    std::string changed = good;
    changed[at] = static_cast<char>(changed[at] ^ 0x81);
    for (const std::string& bytes : {changed, good.substr(0, at)}) {
      std::ofstream(folder() / "1.tar", std::ios::binary) << bytes;  // fast: not flushed
      try {
        const Manifest manifest = read_manifest(folder() / "1.tar");
        RecordingStates states;
        for (const SourceRecord& record : manifest.records) {
          if (record.problem) continue;
          EXPECT_EQ(states.inner_sound(manifest, record).size(), 5U);
        }
        ++read;
      } catch (const Error&) {
        ++refused;
      }
    }
  }
  EXPECT_GT(refused, good.size() / 13);
  EXPECT_GT(read, 50U);
}

TEST_F(RecordingTars, an_archive_that_shrank_since_costs_its_records_only) {
  write("set.tar", samples(0, 2));
  const Manifest manifest = read_manifest(folder() / "set.tar");
  fs::resize_file(folder() / "set.tar", 3000);
  RecordingStates states;
  try {
    states.inner_sound(manifest, manifest.records[1]);
    FAIL() << "read beyond the end";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kBadInput);
  }
  EXPECT_TRUE(states.state(manifest, manifest.records[1]).is_readable());
}

}  // namespace
}  // namespace kani
