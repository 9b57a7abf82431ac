// test_build.h - a manifest of recordings in a folder, built with the small model of the
// repository.  For the tests of whole builds.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <map>

#include "kani/base/error.h"
#include "kani/base/json.h"
#include "kani/dataset/build_set.h"
#include "kani/dataset/set_files.h"
#include "kani/dataset/test_records.h"

namespace kani::test {

class BuildFolder {
 public:
  /// Adds a line of manifest.tsv; columns are audio, text, language, speaker, source, start, end.
  void line(const std::string& audio, const std::string& text, const std::string& speaker = "anna",
            const std::string& more = "") {
    lines_ +=
        concat(audio, "\t", text, "\ten\t", speaker, "\t", more.empty() ? "set\t\t" : more, "\n");
    ++records_;
  }
  void raw_line(const std::string& line) {
    lines_ += line + "\n";
    ++records_;
  }
  void sound(const std::string& name, const std::vector<float>& samples, int rate_hz = 16000) {
    const auto writer = open_sound_file(
        folder_ / name,
        {.format = *sound_format_from_name(name), .input_rate_hz = rate_hz, .tags = false});
    writer->write(samples);
    writer->finish();
  }
  /// A recording that nothing is wrong with, different for each number.
  void good(size_t number, double seconds = 0.8) {
    const std::string name = concat("good", number, ".wav");
    sound(name, babble(seconds, 16000, number + 1));
    line(name, concat("Number ", number, " is said."), concat("speaker ", number % 40));
  }

  BuildOptions options(const std::string& out) const {
    folder_.write("manifest.tsv", "audio\ttext\tlanguage\tspeaker\tsource\tstart\tend\n" + lines_);
    BuildOptions options{.manifest = folder_ / "manifest.tsv", .out = folder_ / out};
    options.model.model = std::filesystem::path(KANI_SOURCE_DIR) / "models" / "kani-mini";
    options.assembly.samples = 1;
    options.workers = 2;
    return options;
  }

  size_t records() const { return records_; }
  const RecordFolder& folder() const { return folder_; }

 private:
  RecordFolder folder_;
  std::string lines_;
  size_t records_ = 0;
};

/// Audio to reason, of rejects.jsonl.
inline std::map<std::string, std::string> rejects_of(const std::filesystem::path& out) {
  std::map<std::string, std::string> reasons;
  std::ifstream in(out / "rejects.jsonl");
  for (std::string line; std::getline(in, line);) {
    const Json json = parse_json(line, "rejects.jsonl");
    reasons[json.at("audio").get<std::string>()] = json.at("reason").get<std::string>();
  }
  return reasons;
}

/// Name to SHA-256 of every file of a finished set, which is verified.
inline std::map<std::string, std::string> set_of(const std::filesystem::path& out) {
  verify_set(out);
  return read_set_manifest(out);
}

/// Builds to options.out with one worker and beside it with eight: both must be the same set.
inline void build_alike(BuildOptions options) {
  BuildOptions eight = options;
  options.workers = 1;
  eight.workers = 8;
  eight.out += "-by-eight";
  EXPECT_EQ(build_set(options, nullptr, {}).end, BuildEnd::kFinished);
  EXPECT_EQ(build_set(eight, nullptr, {}).end, BuildEnd::kFinished);
  EXPECT_EQ(set_of(options.out), set_of(eight.out));
}

/// Recordings that lie inside of other files: number n says "Number n is said."
class InnerRecordings : public testing::Test {
 protected:
  /// The bytes of number n as a file with such an ending.
  std::string sound(size_t number, const std::string& ending) {
    const std::string name = "one" + ending;
    records_.sound(name, babble(0.8, 16000, number + 1));
    std::string bytes = read_file(folder() / name, 1 << 24);
    std::filesystem::remove(folder() / name);
    return bytes;
  }
  /// Number n as files beside each other, below files/.
  void write_beside(size_t number, const std::string& ending) {
    records_.folder().write(concat("files/", number, ending), sound(number, ending));
    records_.folder().write(concat("files/", number, ".txt"),
                            concat("Number ", number, " is said."));
  }
  BuildOptions options(const std::string& manifest, const std::string& out) {
    BuildOptions options = records_.options(out);
    options.manifest = folder() / manifest;
    options.defaults.language = "en";
    options.assembly.selection.split.valid_share = 0;
    return options;
  }
  std::string refusal(const std::string& manifest) {
    try {
      read_manifest(folder() / manifest);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }
  const std::filesystem::path& folder() const { return records_.folder().path(); }

  BuildFolder records_;
};

}  // namespace kani::test
