// resume_check_test.cc - a checkpoint that is another run's says in what; the spelling of a path is
// no difference.
#include "kani/train/resume_check.h"

#include "kani/base/log.h"
#include "kani/train/test_run.h"

namespace kani::train {
namespace {

namespace fs = std::filesystem;

class ResumeCheck : public RunTest {
 protected:
  void SetUp() override {
    RunTest::SetUp();
    set_log_sink([this](LogLevel, std::string_view, std::string_view line) {
      warnings_ += std::string(line) + "\n";
    });
    Trainer trainer(config("out"), false);
    trainer.step();
    trainer.save();
  }
  void TearDown() override {
    set_log_sink({});
    RunTest::TearDown();
  }
  static std::string refusal(const TrainConfig& c) {
    try {
      Trainer trainer(c, /*resume=*/true);
      return "";
    } catch (const Error& error) {
      return concat(error.what(), "\nhint: ", error.hint());
    }
  }
  std::string warnings_;
};

TEST_F(ResumeCheck, a_refusal_names_the_keys_with_both_values) {
  TrainConfig c = config("out");
  c.seed = 7;
  c.max_steps = 20;
  const std::string why = refusal(c);
  EXPECT_NE(why.find("seed was 42, is 7"), std::string::npos) << why;
  EXPECT_NE(why.find("max_steps was 12, is 20"), std::string::npos) << why;
  EXPECT_EQ(why.find("output_dir"), std::string::npos) << why;
  EXPECT_EQ(why.find("learning_rate"), std::string::npos) << why;
  EXPECT_NE(why.find("--force"), std::string::npos) << why;
  EXPECT_EQ(Trainer(c, true, /*force=*/true).state().update, 1);
  EXPECT_NE(warnings_.find("seed was 42, is 7"), std::string::npos) << warnings_;
}

TEST_F(ResumeCheck, how_a_path_is_written_does_not_count) {
  TrainConfig c = config("out");
  c.model_id = folder_ / "." / "base" / ".." / "base";
  EXPECT_EQ(refusal(c), "");
  c.model_id = fs::relative(folder_ / "base");
  EXPECT_EQ(refusal(c), "");
  fs::create_symlink(folder_ / "base", folder_ / "other");
  c.model_id = folder_ / "other";
  EXPECT_EQ(refusal(c), "");
  EXPECT_EQ(warnings_.find("began from"), std::string::npos) << warnings_;
}

TEST_F(ResumeCheck, another_base_is_told_and_one_that_makes_another_model_is_refused) {
  fs::copy(folder_ / "base", folder_ / "copy");
  TrainConfig c = config("out");
  c.model_id = folder_ / "copy";
  EXPECT_EQ(refusal(c), "");
  EXPECT_NE(warnings_.find("began from"), std::string::npos) << warnings_;
  Json base = parse_json(read_file(folder_ / "copy" / "config.json", 1 << 20), "config");
  base["rope_theta"] = 12345.0;
  write_file(folder_ / "copy" / "config.json", dump_json(base));
  const std::string why = refusal(c);
  EXPECT_NE(why.find("another base: rope_theta was "), std::string::npos) << why;
  EXPECT_NE(why.find("is 12345"), std::string::npos) << why;
}

TEST_F(ResumeCheck, the_least_loss_of_other_clips_does_not_count) {
  TrainConfig c = config("measured");
  c.valid_data = c.data;
  {
    Trainer trainer(c, false);
    trainer.step();
    trainer.begin_save(trainer.evaluate()->loss);
    trainer.finish_save();
  }
  EXPECT_TRUE(Trainer(c, true).state().best_loss.has_value());
  write_shard(folder_ / "data.kshard.other",
              [](TrainingClip& clip, size_t) { clip.text.resize(2); });
  fs::rename(folder_ / "data.kshard.other", folder_ / "other.kshard");
  c.valid_data = {folder_ / "other.kshard"};
  EXPECT_FALSE(Trainer(c, true).state().best_loss.has_value());
  EXPECT_NE(warnings_.find("was measured on other clips"), std::string::npos) << warnings_;
}

TEST_F(ResumeCheck, keys_that_an_older_program_did_not_know_had_their_defaults) {
  const fs::path checkpoint = *find_checkpoint(folder_ / "out");
  const std::string resolved = read_file(checkpoint / "config.resolved.yaml", 1 << 20);
  const size_t begin = resolved.find("z_loss: ");
  ASSERT_NE(begin, std::string::npos);
  const std::string older = resolved.substr(0, begin) +
                            resolved.substr(resolved.find('\n', begin) + 1) + "forgotten_key: 3\n";
  TrainConfig c = Trainer(config("out"), /*resume=*/true).config();
  EXPECT_EQ(changed_keys(older, "older", c), "");
  c.z_loss = 0.5;
  EXPECT_EQ(changed_keys(older, "older", c), "z_loss was 0, is 0.5");
}

TEST_F(ResumeCheck, with_parity_the_number_of_processes_counts) {
  const fs::path checkpoint = *find_checkpoint(folder_ / "out");
  TrainConfig c = Trainer(config("out"), /*resume=*/true).config();
  EXPECT_EQ(changed_settings(checkpoint, c, 2), "");
  EXPECT_EQ(identity_yaml(c, 2), identity_yaml(c, 1));
  c.parity = true;
  const std::string changes = changed_settings(checkpoint, c, 2);
  EXPECT_NE(changes.find("parity was false, is true"), std::string::npos) << changes;
  EXPECT_NE(changes.find("the number of processes was 1, is 2"), std::string::npos) << changes;
  EXPECT_NE(identity_yaml(c, 2), identity_yaml(c, 1));
}

}  // namespace
}  // namespace kani::train
