// player.cc - finds a player, starts it without a shell, feeds it through a pipe.
#include "kani/audio/player.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "kani/base/error.h"

extern char** environ;

namespace kani {
namespace {

namespace fs = std::filesystem;
using Arguments = std::vector<std::string>;

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor() { reset(); }
  int get() const { return number_; }
  void reset() {
    if (number_ >= 0) close(std::exchange(number_, -1));
  }

 private:
  int number_ = -1;
};

struct Pipe {
  Descriptor read_end, write_end;
};

Pipe make_pipe() {
  int ends[2] = {-1, -1};
  if (pipe2(ends, O_CLOEXEC) != 0) {
    throw Error(ErrorCode::kCannotWrite, "cannot make a pipe: ", std::strerror(errno));
  }
  return {Descriptor(ends[0]), Descriptor(ends[1])};
}

// Starts a program with stdin and stdout from these descriptors (-1: /dev/null); stderr is ours, or
// /dev/null if `quiet`.  Signals are as a shell would set them.
pid_t start(const fs::path& program, const Arguments& arguments, int in, int out, bool quiet) {
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  const auto connect = [&files](int descriptor, int as, int mode) {
    if (descriptor >= 0) {
      posix_spawn_file_actions_adddup2(&files, descriptor, as);
    } else {
      posix_spawn_file_actions_addopen(&files, as, "/dev/null", mode, 0);
    }
  };
  connect(in, STDIN_FILENO, O_RDONLY);
  connect(out, STDOUT_FILENO, O_WRONLY);
  if (quiet) connect(-1, STDERR_FILENO, O_WRONLY);

  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigset_t defaults;
  sigemptyset(&none);
  sigemptyset(&defaults);
  sigaddset(&defaults, SIGPIPE);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);

  std::vector<char*> argv{const_cast<char*>(program.c_str())};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  pid_t process = -1;
  const int error =
      posix_spawn(&process, program.c_str(), &files, &attributes, argv.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  if (error != 0) {
    throw Error(ErrorCode::kCannotWrite, "cannot start ", program, ": ", std::strerror(error));
  }
  return process;
}

// How a process ended, empty for success.
std::string wait_for(pid_t process) {
  int status = 0;
  while (waitpid(process, &status, 0) < 0) {
    if (errno != EINTR) return {};  // the program at large ignores its children's ends
  }
  if (WIFSIGNALED(status)) return concat("was ended by signal ", WTERMSIG(status));
  return WEXITSTATUS(status) == 0 ? std::string()
                                  : concat("ended with status ", WEXITSTATUS(status));
}

// What `program --help` prints, at most 64 KiB.
std::string help_text(const fs::path& program) {
  Pipe pipe = make_pipe();
  const pid_t process = start(program, {"--help"}, -1, pipe.write_end.get(), /*quiet=*/true);
  pipe.write_end.reset();
  std::string text;
  std::array<char, 4096> block;
  while (text.size() < 65536) {
    const ssize_t got = read(pipe.read_end.get(), block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    text.append(block.data(), static_cast<size_t>(got));
  }
  pipe.read_end.reset();
  wait_for(process);
  return text;
}

// Up to PipeWire 1.4 "-" means raw samples and --raw is unknown; later it means a sound file, and
// raw samples need --raw.
Arguments pw_play_arguments(const fs::path& program, const std::string& rate) {
  Arguments arguments{"--rate=" + rate, "--channels=1", "--format=s16"};
  if (help_text(program).find("--raw") != std::string::npos) arguments.push_back("--raw");
  arguments.push_back("-");
  return arguments;
}

Arguments paplay_arguments(const fs::path&, const std::string& rate) {
  return {"--raw", "--rate=" + rate, "--channels=1", "--format=s16le", "--client-name=kani"};
}

Arguments aplay_arguments(const fs::path&, const std::string& rate) {
  return {"--quiet", "--file-type=raw", "--format=S16_LE", "--channels=1", "--rate=" + rate};
}

// No option for the number of channels: one is the default of every version, while its name changed
// with ffmpeg 7.
Arguments ffplay_arguments(const fs::path&, const std::string& rate) {
  return {"-nodisp", "-autoexit",    "-loglevel", "error", "-f",
          "s16le",   "-sample_rate", rate,        "-i",    "pipe:0"};
}

struct Player {
  std::string_view name;
  Arguments (*arguments)(const fs::path& program, const std::string& rate);
};
constexpr std::array<Player, 4> kPlayers{{{"pw-play", pw_play_arguments},
                                          {"paplay", paplay_arguments},
                                          {"aplay", aplay_arguments},
                                          {"ffplay", ffplay_arguments}}};

struct FoundPlayer {
  const Player* player;
  fs::path program;
};

std::optional<FoundPlayer> first_player() {
  const char* search_path = std::getenv("PATH");
  for (const Player& player : kPlayers) {
    const std::optional<fs::path> program =
        find_program(player.name, search_path == nullptr ? "/usr/bin:/bin" : search_path);
    if (program) return FoundPlayer{&player, *program};
  }
  return std::nullopt;
}

class PlayerTarget : public ByteTarget {
 public:
  PlayerTarget(std::string_view name, const fs::path& program, const Arguments& arguments)
      : name_(name) {
    Pipe pipe = make_pipe();
    process_ = start(program, arguments, pipe.read_end.get(), -1, /*quiet=*/false);
    to_player_ = std::move(pipe.write_end);
  }
  PlayerTarget(const PlayerTarget&) = delete;
  PlayerTarget& operator=(const PlayerTarget&) = delete;
  ~PlayerTarget() override {
    if (process_ < 0) return;
    kill(process_, SIGTERM);
    to_player_.reset();
    wait_for(process_);
  }

  void append(std::span<const std::byte> bytes) override {
    const int error = write_descriptor(to_player_.get(), bytes);
    if (error == 0) return;
    if (error == EPIPE) {
      const std::string end = end_of_player();
      throw Error(ErrorCode::kCannotWrite, "player ", name_, " ",
                  end.empty() ? "ended before the sound did" : end);
    }
    throw Error(ErrorCode::kCannotWrite, "cannot write to ", name_, ": ", std::strerror(error));
  }
  bool can_rewrite() const noexcept override { return false; }
  void rewrite(uint64_t, std::span<const std::byte>) override {}
  void finish() override {
    const std::string end = end_of_player();
    if (!end.empty()) throw Error(ErrorCode::kCannotWrite, "player ", name_, " ", end);
  }

 private:
  std::string end_of_player() {
    to_player_.reset();
    return wait_for(std::exchange(process_, -1));
  }

  std::string name_;
  pid_t process_ = -1;
  Descriptor to_player_;
};

}  // namespace

std::optional<fs::path> find_program(std::string_view name, std::string_view search_path) {
  while (!search_path.empty()) {
    const std::string_view folder = search_path.substr(0, search_path.find(':'));
    search_path.remove_prefix(std::min(folder.size() + 1, search_path.size()));
    if (!folder.starts_with('/')) continue;
    fs::path program = fs::path(folder) / name;
    std::error_code error;
    if (fs::is_regular_file(program, error) && access(program.c_str(), X_OK) == 0) return program;
  }
  return std::nullopt;
}

std::optional<fs::path> find_player() {
  const std::optional<FoundPlayer> found = first_player();
  return found ? std::optional(found->program) : std::nullopt;
}

std::unique_ptr<ByteTarget> open_player_target(int rate_hz) {
  const std::optional<FoundPlayer> found = first_player();
  if (!found) return nullptr;
  const Player& player = *found->player;
  return std::make_unique<PlayerTarget>(player.name, found->program,
                                        player.arguments(found->program, std::to_string(rate_hz)));
}

}  // namespace kani
