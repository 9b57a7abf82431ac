// Every form of a manifest, and lines that cannot be understood.
#include "kani/dataset/manifest.h"

#include <gtest/gtest.h>

#include "kani/base/error.h"
#include "kani/base/log.h"
#include "kani/dataset/test_records.h"

namespace kani {
namespace {

TEST(Manifest, a_folder_gives_its_sounds_in_order_with_what_lies_beside_them) {
  const RecordFolder folder;
  for (const char* name : {"b/2.wav", "a/1.FLAC", "c.mp3", "d.ogg", "notes.pdf"})
    folder.write(name, "x");
  folder.write("a/1.txt", "\xEF\xBB\xBFone\n");
  folder.write("b/2.lab", "two");
  folder.write("c.json", R"({"text": "three", "speaker": 7, "language": "de"})");
  const Manifest manifest =
      read_manifest(folder.path(), {.language = "en", .source = "set", .speaker_folders = true});
  ASSERT_EQ(manifest.records.size(), 4U);
  EXPECT_EQ(manifest.records[0].audio, "a/1.FLAC");
  EXPECT_EQ(manifest.records[0].text, "one");
  EXPECT_EQ(manifest.records[0].speaker, "a");
  EXPECT_EQ(manifest.records[0].language, "en");
  EXPECT_EQ(manifest.records[1].text, "two");
  EXPECT_EQ(manifest.records[2].speaker, "7");
  EXPECT_EQ(manifest.records[2].language, "de");
  EXPECT_EQ(manifest.records[2].source, "set");
  ASSERT_TRUE(manifest.records[3].problem);
  EXPECT_EQ(manifest.records[3].problem->reason, RejectReason::kTextMissing);
}

TEST(Manifest, json_lines_may_be_bad_one_by_one) {
  const RecordFolder folder;
  folder.write("m.jsonl",
               "{\"audio\": \"a.wav\", \"text\": \"hi\", \"start\": 1.5, \"end\": 2}\n\n"
               "{\"audio\": \n"
               "{\"audio_filepath\": \"b.wav\", \"text\": \"ho\", \"offset\": 1, \"duration\": 2}\n"
               "{\"text\": \"no audio\"}\n{\"audio\": [1]}\n");
  const Manifest manifest = read_manifest(folder / "m.jsonl");
  ASSERT_EQ(manifest.records.size(), 5U);
  EXPECT_EQ(manifest.records[0].start_s, 1.5);
  EXPECT_EQ(manifest.records[0].end_s, 2);
  EXPECT_EQ(manifest.records[0].source, "m");
  EXPECT_FALSE(manifest.records[0].problem);
  EXPECT_EQ(manifest.records[2].start_s, 1);
  EXPECT_EQ(manifest.records[2].end_s, 3);
  for (const size_t bad : {1U, 3U, 4U}) {
    ASSERT_TRUE(manifest.records[bad].problem) << bad;
    EXPECT_EQ(manifest.records[bad].problem->reason, RejectReason::kManifest);
  }
}

TEST(Manifest, json_lines_may_bring_codes) {
  const RecordFolder folder;
  folder.write("m.jsonl",
               "{\"audio\": \"a.wav\", \"text\": \"hi\", \"codes\": [[1, 2, 3], [4, 5, 6]]}\n"
               "{\"audio\": \"b.wav\", \"text\": \"hi\", \"codes\": null}\n"
               "{\"audio\": \"c.wav\", \"text\": \"hi\", \"codes\": [[1, 2], [3]]}\n"
               "{\"audio\": \"d.wav\", \"text\": \"hi\", \"codes\": [[1, -2]]}\n"
               "{\"audio\": \"e.wav\", \"text\": \"hi\", \"codes\": [[1, 2.5]]}\n"
               "{\"audio\": \"f.wav\", \"text\": \"hi\", \"codes\": []}\n"
               "{\"audio\": \"g.wav\", \"text\": \"hi\", \"codes\": [5, 6]}\n");
  const Manifest manifest = read_manifest(folder.path() / "m.jsonl");
  ASSERT_EQ(manifest.records.size(), 7U);
  EXPECT_EQ(manifest.records[0].codes, (std::vector<int32_t>{1, 4, 2, 5, 3, 6}));
  EXPECT_EQ(manifest.records[0].codebooks, 2);
  EXPECT_FALSE(manifest.records[0].problem);
  EXPECT_TRUE(manifest.records[1].codes.empty());
  EXPECT_FALSE(manifest.records[1].problem);
  for (size_t i = 2; i < 7; ++i) {
    ASSERT_TRUE(manifest.records[i].problem) << i;
    EXPECT_EQ(manifest.records[i].problem->reason, RejectReason::kManifest);
    EXPECT_NE(manifest.records[i].problem->detail.find("codes"), std::string::npos);
  }
}

TEST(Manifest, tables_are_read_by_the_names_of_their_columns) {
  const RecordFolder folder;
  folder.write(
      "m.csv",
      "text,audio,start\r\n\"one, \"\"two\"\"\nthree\",a.wav,0.5\r\nx,b.wav\r\ny,c.wav,soon\r\n");
  Manifest manifest = read_manifest(folder / "m.csv");
  ASSERT_EQ(manifest.records.size(), 3U);
  EXPECT_EQ(manifest.records[0].text, "one, \"two\"\nthree");
  EXPECT_EQ(manifest.records[0].start_s, 0.5);
  EXPECT_TRUE(manifest.records[1].problem);
  EXPECT_TRUE(manifest.records[2].problem);
  folder.write("m.tsv", "client_id\tpath\tsentence\tlocale\nanna\ta.mp3\tsay \"hi\tde\n");
  manifest = read_manifest(folder / "m.tsv");
  ASSERT_EQ(manifest.records.size(), 1U);
  EXPECT_EQ(manifest.records[0].text, "say \"hi");
  EXPECT_EQ(manifest.records[0].speaker, "anna");
  EXPECT_EQ(manifest.records[0].language, "de");
}

TEST(Manifest, a_quote_that_is_left_open_costs_its_row_and_no_other) {
  const RecordFolder folder;
  const auto read = [&](const std::string& rows) {
    folder.write("m.csv", "audio,text\n" + rows);
    return read_manifest(folder / "m.csv").records;
  };
  auto records = read("1.wav,one\n2.wav,\"two\n3.wav,three\n");
  ASSERT_EQ(records.size(), 3U);
  EXPECT_EQ(records[1].audio, "2.wav");
  ASSERT_TRUE(records[1].problem);
  EXPECT_EQ(records[1].problem->detail, "line 3: a quote is not closed");
  EXPECT_EQ(records[2].text, "three");
  EXPECT_FALSE(records[2].problem);
  // Closed by a quote that opens another row's field.
  records = read("1.wav,\"one\n2.wav,two\n3.wav,\"three\" \n4.wav,\"fo\"\"ur\"\n");
  ASSERT_EQ(records.size(), 4U);
  ASSERT_TRUE(records[0].problem);
  EXPECT_EQ(records[0].problem->detail,
            "line 2: something stands behind the quote that closes a field");
  EXPECT_EQ(records[1].text, "two");
  EXPECT_EQ(records[2].text, "three");
  EXPECT_EQ(records[3].text, "fo\"ur");
  // Every row reaches to the end, if it is let: not its square.
  std::string hostile;
  for (int i = 0; i < 20000; ++i) hostile += "\",\",\n";
  EXPECT_EQ(read(hostile).size(), 20000U);
}

TEST(Manifest, names_that_are_no_text_are_a_problem_and_become_text) {
  const RecordFolder folder;
  folder.write("m.csv",
               std::string("audio,text,speaker\na.wav,one,Ren\xE9\nb\0c.wav,two,anna\n", 51));
  const Manifest manifest = read_manifest(folder / "m.csv");
  ASSERT_EQ(manifest.records.size(), 2U);
  EXPECT_EQ(manifest.records[0].speaker, "Ren\xEF\xBF\xBD");
  EXPECT_EQ(manifest.records[0].problem->detail, "its speaker is no text");
  EXPECT_EQ(manifest.records[1].problem->detail, "its audio is no text");
}

TEST(Manifest, ljspeech_prefers_its_normalized_text) {
  const RecordFolder folder;
  folder.write("metadata.csv", "LJ1|5 men|five men\nLJ2|only one|\nLJ3|two\nLJ4|a|b|c\n");
  const Manifest manifest = read_manifest(folder / "metadata.csv");
  ASSERT_EQ(manifest.records.size(), 4U);
  EXPECT_EQ(manifest.records[0].audio, "wavs/LJ1.wav");
  EXPECT_EQ(manifest.records[0].text, "five men");
  EXPECT_EQ(manifest.records[1].text, "only one");
  EXPECT_EQ(manifest.records[2].text, "two");
  EXPECT_TRUE(manifest.records[3].problem);
}

TEST(Manifest, normalized_text_goes_before_text_wherever_it_stands) {
  const RecordFolder folder;
  folder.write("m.csv", "audio,normalized_text,text\na.wav,doctor one,Dr. 1\nb.wav, ,Two\n");
  const Manifest manifest = read_manifest(folder / "m.csv");
  ASSERT_EQ(manifest.records.size(), 2U);
  EXPECT_EQ(manifest.records[0].text, "doctor one");
  EXPECT_EQ(manifest.records[1].text, "Two");
}

TEST(Manifest, vctk_keeps_texts_and_sounds_apart) {
  const RecordFolder folder;
  for (const char* name : {"p225/p225_001_mic1.flac", "p225/p225_001_mic2.flac",
                           "p280/p280_002_mic2.flac", "p315/p315_003_mic1.flac"})
    folder.write(concat("wav48_silence_trimmed/", name), "x");
  folder.write("wav48_silence_trimmed/log.txt", "x");
  folder.write("txt/p225/p225_001.txt", "Please call Stella.\n");
  folder.write("txt/p280/p280_002.txt", "Ask her.");
  folder.write("speaker-info.txt", "x");
  Manifest manifest = read_manifest(folder.path());
  ASSERT_EQ(manifest.records.size(), 3U);
  EXPECT_EQ(manifest.records[0].audio, "wav48_silence_trimmed/p225/p225_001_mic1.flac");
  EXPECT_EQ(manifest.records[0].text, "Please call Stella.");
  EXPECT_EQ(manifest.records[0].speaker, "p225");
  EXPECT_EQ(manifest.records[1].audio, "wav48_silence_trimmed/p280/p280_002_mic2.flac");
  EXPECT_FALSE(manifest.records[1].problem);
  ASSERT_TRUE(manifest.records[2].problem);
  EXPECT_EQ(manifest.records[2].problem->reason, RejectReason::kTextMissing);
  EXPECT_EQ(manifest.records[2].problem->detail, "no txt/p315/p315_003.txt");

  const RecordFolder older;
  older.write("wav48/p225/p225_001.wav", "x");
  older.write("txt/p225/p225_001.txt", "Please call Stella.");
  manifest = read_manifest(older.path());
  ASSERT_EQ(manifest.records.size(), 1U);
  EXPECT_EQ(manifest.records[0].text, "Please call Stella.");
}

TEST(Manifest, common_voice_names_files_of_its_clips) {
  const RecordFolder folder;
  const std::string table =
      "client_id\tpath\tsentence\tlocale\nann\tone.mp3\tHello.\tcy\n"
      "ben\ttwo.mp3\tSay \"hi\tcy\nben\t../x.mp3\tNo.\tcy\n";
  folder.write("validated.tsv", table);
  folder.write("other.tsv", table);
  folder.write("clips/one.mp3", "x");
  folder.write("clips/left_out.mp3", "x");
  for (const char* name : {".", "validated.tsv", "other.tsv"}) {
    const Manifest manifest = read_manifest(folder / name);
    ASSERT_EQ(manifest.records.size(), 3U) << name;
    EXPECT_EQ(manifest.records[0].audio, "clips/one.mp3");
    EXPECT_EQ(manifest.records[0].text, "Hello.");
    EXPECT_EQ(manifest.records[0].speaker, "ann");
    EXPECT_EQ(manifest.records[0].language, "cy");
    EXPECT_EQ(manifest.records[1].audio, "clips/two.mp3");
    EXPECT_EQ(manifest.records[2].audio, "../x.mp3");
  }
  folder.write("two.mp3", "x");  // beside the table, as in any other
  EXPECT_EQ(read_manifest(folder / "other.tsv").records[1].audio, "two.mp3");
}

TEST(Manifest, the_folder_of_ljspeech_is_its_table) {
  const RecordFolder folder;
  folder.write("metadata.csv", "LJ1|5 men|five men\n");
  folder.write("wavs/LJ1.wav", "x");
  const Manifest manifest = read_manifest(folder.path());
  ASSERT_EQ(manifest.records.size(), 1U);
  EXPECT_EQ(manifest.records[0].audio, "wavs/LJ1.wav");
  EXPECT_EQ(manifest.records[0].text, "five men");
}

TEST(Manifest, the_speaker_is_the_first_folder_and_not_the_chapter) {
  const RecordFolder folder;
  folder.write("anna/chapter1/a.wav", "x");
  folder.write("anna/chapter1/a.txt", "one");
  folder.write("b.wav", "x");
  folder.write("b.txt", "two");
  Manifest manifest = read_manifest(folder.path(), {.speaker = "ben", .speaker_folders = true});
  ASSERT_EQ(manifest.records.size(), 2U);
  EXPECT_EQ(manifest.records[0].speaker, "anna");
  EXPECT_EQ(manifest.records[1].speaker, "ben");
  // A table may have all its sounds in one.
  folder.write("m.tsv", "audio\ttext\nwavs/anna/a.wav\tone\n");
  manifest = read_manifest(folder / "m.tsv", {.speaker_folders = true});
  EXPECT_EQ(manifest.records[0].speaker, "anna");
}

TEST(Manifest, libritts_says_who_speaks_in_its_names) {
  const RecordFolder folder;
  for (const char* name : {"train-clean-100/103/1241/103_1241_000000_000001",
                           "train-clean-100/103/1241/other_1241_000000_000001"}) {
    folder.write(concat(name, ".wav"), "x");
    folder.write(concat(name, ".original.txt"), "Mr. One");
    folder.write(concat(name, ".normalized.txt"), "Mister One");
  }
  const Manifest manifest = read_manifest(folder.path());
  ASSERT_EQ(manifest.records.size(), 2U);
  EXPECT_EQ(manifest.records[0].speaker, "103");
  EXPECT_EQ(manifest.records[0].text, "Mister One");
  EXPECT_EQ(manifest.records[1].speaker, "");
}

TEST(Manifest, a_language_is_a_tag) {
  const RecordFolder folder;
  folder.write("m.tsv",
               "audio\ttext\tlanguage\na.wav\tone\ten_US\nb.wav\ttwo\ten: x\nc.wav\tthree\t\n");
  const Manifest manifest = read_manifest(folder / "m.tsv");
  EXPECT_FALSE(manifest.records[0].problem);
  ASSERT_TRUE(manifest.records[1].problem);
  EXPECT_EQ(manifest.records[1].problem->reason, RejectReason::kManifest);
  EXPECT_NE(manifest.records[1].problem->detail.find("\"en: x\""), std::string::npos);
  EXPECT_FALSE(manifest.records[2].problem);
}

TEST(Manifest, what_is_wrong_is_told_alike_wherever_the_folder_lies) {
  const auto details = [](const RecordFolder& folder) {
    folder.write("m.jsonl", "{\"audio\": \"a.wav\", \"text\": [1]}\nno object\n");
    folder.write("in/a.wav", "x");
    std::filesystem::create_directories(folder / "in/a.txt");  // cannot be read
    std::string all;
    for (const char* name : {"m.jsonl", "in"}) {
      for (const SourceRecord& record : read_manifest(folder / name).records)
        all += record.problem.value().detail + "\n";
    }
    return all;
  };
  const RecordFolder one, two;
  EXPECT_EQ(details(one), details(two));
  EXPECT_NE(details(one).find("m.jsonl: line 2"), std::string::npos) << details(one);
}

TEST(Manifest, what_is_passed_over_in_a_folder_is_told) {
  const RecordFolder folder;
  std::string told;
  set_log_sink([&](LogLevel, std::string_view, std::string_view line) { told += line; });
  folder.write("in/a.wav", "x");
  folder.write("in/a.txt", "one");
  EXPECT_EQ(read_manifest(folder / "in").records.size(), 1U);
  EXPECT_EQ(told, "");
  folder.write("in/more/b.tar", "x");
  folder.write("in/c.tar.gz", "x");
  folder.write("in/d.parquet", "x");
  folder.write("else/e.wav", "x");
  std::filesystem::create_directory_symlink(folder / "else", folder / "in/link");
  EXPECT_EQ(read_manifest(folder / "in").records.size(), 1U);
  set_log_sink({});
  for (const char* part : {"links, which are passed over: 1", "passed over beside the sounds: 2",
                           ".arrow that are passed over beside the sounds: 1"})
    EXPECT_NE(told.find(part), std::string::npos) << told;
}

TEST(Manifest, samples_of_a_set_that_was_built_within_the_folder_are_no_recordings) {
  const RecordFolder folder;
  folder.write("in/a.wav", "x");
  folder.write("in/a.txt", "One.");
  folder.write("in/set/set.json", R"({"format": "kani-set"})");
  folder.write("in/set/report/sample-1.wav", "x");
  folder.write("in/other/set.json", "{}");
  folder.write("in/other/b.wav", "x");
  folder.write("in/other/b.txt", "Two.");
  const Manifest manifest = read_manifest(folder / "in");
  ASSERT_EQ(manifest.records.size(), 2U);
  EXPECT_EQ(manifest.records[0].audio, "a.wav");
  EXPECT_EQ(manifest.records[1].audio, "other/b.wav");
}

TEST(Manifest, compressed_archives_are_refused_by_name) {
  const RecordFolder folder;
  folder.write("in/c.tar.gz", "x");
  folder.write("d.tgz", "x");
  for (const char* name : {"in", "d.tgz"}) {
    try {
      read_manifest(folder / name);
      FAIL() << name;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find("is compressed"), std::string::npos);
      EXPECT_NE(error.hint().find("gunzip"), std::string::npos);
    }
  }
}

TEST(Manifest, what_is_none_is_refused_as_a_whole) {
  const RecordFolder folder;
  folder.write("empty.jsonl", "\n");
  folder.write("table.csv", "a,b\n1,2\n");
  folder.write("x.pdf", "x");
  std::filesystem::create_directory(folder / "nothing");
  for (const char* name : {"empty.jsonl", "table.csv", "x.pdf", "nothing", "not-there"})
    EXPECT_THROW(read_manifest(folder / name), Error) << name;
}

}  // namespace
}  // namespace kani
