// Codes for a manifest: those of the analysis network, in the lines that had none.
#include "kani/train/codec/manifest_codes.h"

#include <sstream>

#include "kani/base/file.h"
#include "kani/base/json.h"
#include "kani/train/codec/analysis.h"
#include "kani/train/codec/codec_trainer.h"
#include "kani/train/codec/test_sounds.h"

namespace kani::train {
namespace {

class ManifestCodes : public SoundTest {
 protected:
  void SetUp() override {
    SoundTest::SetUp();
    CodecTrainer trainer(tiny(CodecStage::kMel, "mel"), false, false);
    trainer.step();
    trainer.save();
    write_file(folder_ / "in.jsonl",
               "{\"file\": \"sounds/a.wav\", \"text\": \"one\"}\n\n"
               "{\"file\": \"sounds/gone.wav\", \"text\": \"two\"}\n"
               "{\"file\": \"sounds/b.wav\", \"text\": \"thr\u00e9\", \"speaker\": \"x\"}\n");
  }
};

TEST_F(ManifestCodes, are_those_of_the_analysis_network) {
  size_t told = 0;
  ASSERT_TRUE(write_manifest_codes(folder_ / "mel", folder_ / "in.jsonl", folder_ / "out.jsonl",
                                   [&](size_t done, size_t) { return told = done, true; }));
  EXPECT_EQ(told, 3U);
  std::vector<Json> rows;
  std::istringstream lines(read_file(folder_ / "out.jsonl", 1 << 20));
  for (std::string line; std::getline(lines, line);) rows.push_back(parse_json(line, "out"));
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_FALSE(rows[1].contains("codes")) << "its recording is not there";
  EXPECT_EQ(rows[2]["text"], "thr\xC3\xA9");
  EXPECT_EQ(rows[2]["speaker"], "x");

  at::NoGradGuard no_grad;
  const CodecFile file = load_networks(folder_ / "mel");
  const CodecModule codec(file.config, file.parameters);
  const AnalysisSize size = size_of(file.parameters);
  const AnalysisNetwork analysis(file.config, size, file.parameters);
  const SoundSet set({sounds() + "/a.wav"}, kTestRate, 256);
  const at::Tensor sound = set.samples(0, 0, set.frames(0) * 256).unsqueeze(0);
  const at::Tensor latent = analysis.latent(analysis_mel(file.config, size.bands, at::kCPU)(sound));
  const at::Tensor codes = codec.fsq().codes(codec.fsq().quantize(latent).digits)[0];
  ASSERT_EQ(rows[0]["codes"].size(), static_cast<size_t>(codes.size(0)));
  for (int64_t k = 0; k < codes.size(0); ++k) {
    for (int64_t t = 0; t < codes.size(1); ++t)
      ASSERT_EQ(rows[0]["codes"][static_cast<size_t>(k)][static_cast<size_t>(t)],
                codes[k][t].item<int64_t>());
  }
}

TEST_F(ManifestCodes, lead_to_the_same_sounds_from_another_folder) {
  const auto path_in = [&](const std::filesystem::path& out) {
    write_manifest_codes(folder_ / "mel", folder_ / "in.jsonl", out,
                         [](size_t, size_t) { return true; });
    const std::string text = read_file(out, 1 << 20);
    return parse_json(text.substr(0, text.find('\n')), "out")["file"].get<std::string>();
  };
  std::filesystem::create_directories(folder_ / "sets" / "one");
  EXPECT_EQ(path_in(folder_ / "out.jsonl"), "sounds/a.wav");
  EXPECT_EQ(path_in(folder_ / "sets" / ".." / "out.jsonl"), "sounds/a.wav");
  EXPECT_EQ(path_in(folder_ / "sets" / "one" / "out.jsonl"), "../../sounds/a.wav");
  EXPECT_EQ(path_in(folder_ / "sounds" / "out.jsonl"), "a.wav");
  write_file(folder_ / "in.jsonl", "{\"file\": \"" + sounds() + "/a.wav\"}\n");
  EXPECT_EQ(path_in(folder_ / "sounds" / "out.jsonl"), sounds() + "/a.wav");
}

TEST_F(ManifestCodes, nothing_is_written_when_it_is_stopped_or_there_is_no_such_network) {
  EXPECT_FALSE(write_manifest_codes(folder_ / "mel", folder_ / "in.jsonl", folder_ / "out.jsonl",
                                    [](size_t done, size_t) { return done < 2; }));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "out.jsonl"));
  EXPECT_TRUE(std::filesystem::exists(folder_ / "out.jsonl.part"));
  CodecTrainer trainer(tiny(CodecStage::kMel, "mel"), true, false);
  trainer.export_to(folder_ / "c.nemo");
  EXPECT_THROW(write_manifest_codes(folder_ / "c.nemo", folder_ / "in.jsonl", folder_ / "out.jsonl",
                                    [](size_t, size_t) { return true; }),
               Error);
}

TEST_F(ManifestCodes, of_a_run_that_was_ended_are_gone_on_with) {
  const auto write = [&](const char* out, size_t until) {
    return write_manifest_codes(folder_ / "mel", folder_ / "in.jsonl", folder_ / out,
                                [&](size_t done, size_t) { return done < until; });
  };
  const auto content = [&](const char* name) { return read_file(folder_ / name, 1 << 20); };
  ASSERT_TRUE(write("whole.jsonl", 9));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "whole.jsonl.part"));
  EXPECT_FALSE(write("out.jsonl", 2));
  // What is there is believed, what is torn is not.
  std::string part = content("out.jsonl.part");
  const size_t at = part.find("\"text\":\"one\"");
  ASSERT_NE(at, std::string::npos) << part;
  part.replace(at + 8, 3, "1st");
  write_file(folder_ / "out.jsonl.part", part + "{\"file\": \"sou");
  ASSERT_TRUE(write("out.jsonl", 9));
  std::string expected = content("whole.jsonl");
  expected.replace(expected.find("\"text\":\"one\"") + 8, 3, "1st");
  EXPECT_EQ(content("out.jsonl"), expected);
  // Of another manifest nothing is.
  EXPECT_FALSE(write("out.jsonl", 2));
  write_file(folder_ / "in.jsonl", "{\"file\": \"sounds/b.wav\", \"text\": \"b\"}\n");
  ASSERT_TRUE(write("out.jsonl", 9));
  EXPECT_EQ(content("out.jsonl").find("one"), std::string::npos);
}

}  // namespace
}  // namespace kani::train
