// Players are scripts here that write down what they were given.
#include "kani/audio/player.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>

#include "kani/audio/test_sound.h"

namespace kani {
namespace {

namespace fs = std::filesystem;

class PlayerTest : public testing::Test {
 protected:
  PlayerTest() : path_before_(getenv("PATH")) { setenv("PATH", folder_.path().c_str(), 1); }
  ~PlayerTest() override { setenv("PATH", path_before_.c_str(), 1); }

  // A player that plays into a file.
  void add_player(const std::string& name, const std::string& help = "") const {
    add_script(name, concat("if [ \"$1\" = --help ]; then echo '", help,
                            "'; exit 0; fi\n"
                            "for a in \"$@\"; do echo \"$a\"; done > ",
                            folder_ / "arguments", "\nexec /bin/cat > ", folder_ / "sound", "\n"));
  }
  void add_script(const std::string& name, const std::string& body) const {
    write_file(folder_ / name, "#!/bin/sh\n" + body);
    chmod((folder_ / name).c_str(), 0755);
  }
  std::string arguments() const { return read_file(folder_ / "arguments", 10000); }

  TemporaryFolder folder_;
  std::string path_before_;
};

TEST_F(PlayerTest, none_is_found_where_there_is_none) {
  EXPECT_EQ(open_player(22050), nullptr);
  write_file(folder_ / "aplay", "not executable");
  EXPECT_EQ(open_player(22050), nullptr);
}

TEST_F(PlayerTest, gets_raw_samples_and_is_waited_for) {
  add_player("aplay");
  const std::vector<float> sound = tone(100000, 440, 22050);
  const auto player = open_player(22050);
  player->write(std::span(sound).first(1000));
  player->write(std::span(sound).subspan(1000));
  player->finish();
  EXPECT_EQ(file_bytes(folder_ / "sound"), streamed(sound, {.format = SoundFormat::kRaw}));
}

TEST_F(PlayerTest, is_told_the_format_in_its_own_words) {
  const auto arguments_of = [this](const std::string& name, const std::string& help = "") {
    add_player(name, help);
    open_player(16000)->finish();
    fs::remove(folder_ / name);
    return arguments();
  };
  EXPECT_EQ(arguments_of("pw-play", "no such option"),
            "--rate=16000\n--channels=1\n--format=s16\n-\n");
  EXPECT_EQ(arguments_of("pw-play", "  -a, --raw   RAW mode"),
            "--rate=16000\n--channels=1\n--format=s16\n--raw\n-\n");
  EXPECT_EQ(arguments_of("paplay"),
            "--raw\n--rate=16000\n--channels=1\n--format=s16le\n--client-name=kani\n");
  EXPECT_EQ(arguments_of("aplay"),
            "--quiet\n--file-type=raw\n--format=S16_LE\n--channels=1\n--rate=16000\n");
  EXPECT_EQ(arguments_of("ffplay"),
            "-nodisp\n-autoexit\n-loglevel\nerror\n-f\ns16le\n-sample_rate\n16000\n-i\npipe:0\n");
}

TEST_F(PlayerTest, the_first_of_the_list_is_taken) {
  add_player("ffplay");
  add_player("paplay");
  add_script("aplay", "exit 7\n");
  open_player(22050)->finish();
  EXPECT_TRUE(arguments().starts_with("--raw"));
}

TEST_F(PlayerTest, a_failure_is_reported_at_the_end) {
  add_script("aplay", "/bin/cat > /dev/null; exit 3\n");
  const auto player = open_player(22050);
  player->write(tone(1000, 440, 22050));
  EXPECT_EQ(error_of([&] { player->finish(); }), "cannot_write: player aplay ended with status 3");
}

TEST_F(PlayerTest, an_early_end_is_reported_when_it_is_noticed) {
  add_script("aplay", "exit 4\n");
  const auto player = open_player(22050);
  const std::vector<float> sound = tone(22050, 440, 22050);
  std::string error;
  for (int i = 0; i < 1000 && error.empty(); ++i) {
    error = error_of([&] { player->write(sound); });
  }
  EXPECT_EQ(error, "cannot_write: player aplay ended with status 4");
}

TEST_F(PlayerTest, one_that_stops_reading_without_a_fault_is_reported_too) {
  add_script("aplay", "exit 0\n");
  const auto player = open_player(22050);
  const std::vector<float> sound = tone(22050, 440, 22050);
  std::string error;
  for (int i = 0; i < 1000 && error.empty(); ++i) {
    error = error_of([&] { player->write(sound); });
  }
  EXPECT_EQ(error, "cannot_write: player aplay ended before the sound did");
}

TEST_F(PlayerTest, a_program_that_cannot_run_is_reported) {
  write_file(folder_ / "aplay", "#!/nowhere/interpreter\n");
  chmod((folder_ / "aplay").c_str(), 0755);
  EXPECT_EQ(error_of([] { open_player(22050); }),
            concat("cannot_write: cannot start ", folder_ / "aplay", ": ", strerror(ENOENT)));
}

TEST_F(PlayerTest, given_up_it_is_stopped_at_once) {
  add_script("aplay", "exec /bin/sleep 600\n");
  const auto begin = std::chrono::steady_clock::now();
  open_player(22050)->write(tone(1000, 440, 22050));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(60));
}

TEST_F(PlayerTest, nothing_is_run_from_the_current_folder) {
  add_player("aplay");
  const fs::path before = fs::current_path();
  fs::current_path(folder_.path());
  for (const char* search_path : {"", ":", ".", "./", "::/nowhere", "/nowhere:."}) {
    EXPECT_EQ(find_program("aplay", search_path), std::nullopt) << search_path;
  }
  fs::current_path(before);
  EXPECT_EQ(find_program("aplay", concat("/nowhere:", folder_.path(), ":/usr")), folder_ / "aplay");
}

}  // namespace
}  // namespace kani
