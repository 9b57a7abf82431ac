// child_process.cc - see child_process.h.
#include "apps/kani/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <thread>
#include <utility>

#include "apps/kani/signals.h"
#include "kani/base/error.h"

extern char** environ;

namespace kani::cli {
namespace {

using std::chrono::milliseconds;
constexpr milliseconds kSlice{100};  // how soon a signal to us is noticed
constexpr size_t kMostOutput = 1 << 20;

void make_pipe(int (&ends)[2]) {
  if (pipe2(ends, O_CLOEXEC) != 0)
    throw Error(ErrorCode::kInternal, "cannot make a pipe: ", std::strerror(errno));
}

void close_end(int& descriptor) {
  if (descriptor >= 0) close(std::exchange(descriptor, -1));
}

/// The error number of posix_spawn; the signals are as a shell would set them.
int spawn(const std::vector<std::string>& command, int in, int out,
          const std::filesystem::path& log, pid_t& process) {
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&files, STDERR_FILENO, log.c_str(),
                                   O_WRONLY | O_CREAT | O_APPEND, 0666);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, defaults;
  sigemptyset(&none);
  sigemptyset(&defaults);
  for (const int number : {SIGPIPE, SIGINT, SIGTERM}) sigaddset(&defaults, number);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  std::vector<char*> argv;
  for (const std::string& word : command) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  const int error =
      posix_spawnp(&process, command[0].c_str(), &files, &attributes, argv.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  return error;
}

std::string ending(int status) {
  if (WIFSIGNALED(status)) return concat("was ended by signal ", WTERMSIG(status));
  return WEXITSTATUS(status) == 0 ? std::string()
                                  : concat("ended with status ", WEXITSTATUS(status));
}

}  // namespace

std::vector<std::string> split_command(std::string_view text, std::string_view flag) {
  std::vector<std::string> words;
  std::string word;
  bool inside = false;  // a word, perhaps an empty one in quotes
  char quote = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote == 0 && (c == ' ' || c == '\t' || c == '\n')) {
      if (inside) words.push_back(std::exchange(word, {}));
      inside = false;
    } else if (c == quote) {
      quote = 0;
    } else if (quote == 0 && (c == '\'' || c == '"')) {
      quote = c;
      inside = true;
    } else if (c == '\\' && quote != '\'' && i + 1 < text.size()) {
      word += text[++i];
      inside = true;
    } else {
      word += c;
      inside = true;
    }
  }
  require(quote == 0, flag, ": the quote ", quote, " does not end in ", printable(text, 200));
  if (inside) words.push_back(word);
  require(!words.empty() && !words[0].empty(), flag, " names no program");
  return words;
}

ChildProcess::ChildProcess(const std::vector<std::string>& command,
                           const std::filesystem::path& log)
    : name_(printable(command[0], 200)) {
  int in[2] = {-1, -1}, out[2] = {-1, -1};
  make_pipe(in);
  make_pipe(out);
  const int error = spawn(command, in[0], out[1], log, process_);
  close_end(in[0]);
  close_end(out[1]);
  in_ = in[1];
  out_ = out[0];
  if (error == 0) return;
  close_end(in_);
  close_end(out_);
  throw Error(ErrorCode::kNotFound, "cannot start the recognizer ", name_, ": ",
              std::strerror(error));
}

ChildProcess::~ChildProcess() {
  close_end(in_);
  close_end(out_);
  if (process_ < 0) return;
  kill(-process_, SIGKILL);
  while (waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void ChildProcess::wait_for(int descriptor, short events, Deadline deadline) const {
  for (;;) {
    if (cancel_token().cancelled()) throw Error(ErrorCode::kCancelled, "interrupted");
    const auto left =
        std::chrono::duration_cast<milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0)
      throw Error(ErrorCode::kBusy, "the recognizer ", name_, " took too long");
    pollfd wait{.fd = descriptor, .events = events, .revents = 0};
    if (poll(&wait, 1, static_cast<int>(std::min(left, kSlice).count())) > 0) return;
  }
}

std::string ChildProcess::end(Deadline deadline) {
  int status = 0;
  for (;;) {
    const pid_t got = waitpid(process_, &status, WNOHANG);
    if (got == process_) break;
    if (cancel_token().cancelled()) throw Error(ErrorCode::kCancelled, "interrupted");
    if (std::chrono::steady_clock::now() > deadline)
      throw Error(ErrorCode::kBusy, "the recognizer ", name_, " took too long");
    std::this_thread::sleep_for(milliseconds(5));
  }
  // Reaped, so its number may be another's soon; what it left behind in its group ends now.
  kill(-process_, SIGKILL);
  process_ = -1;
  return ending(status);
}

void ChildProcess::throw_ended() {
  const std::string how = end(std::chrono::steady_clock::now() + std::chrono::seconds(1));
  throw Error(ErrorCode::kBadInput, "the recognizer ", name_, " ",
              how.empty() ? "ended before it had answered" : how);
}

void ChildProcess::write_line(const std::string& line, Deadline deadline) {
  const std::string bytes = line + "\n";
  // A path is shorter than what a pipe takes at once, so that a write never waits after poll.
  wait_for(in_, POLLOUT, deadline);
  if (write(in_, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) throw_ended();
}

bool ChildProcess::fill(Deadline deadline) {
  wait_for(out_, POLLIN, deadline);
  std::array<char, 4096> block;
  const ssize_t got = read(out_, block.data(), block.size());
  if (got < 0 && errno == EINTR) return true;
  if (got <= 0) return false;
  buffer_.append(block.data(), static_cast<size_t>(got));
  if (buffer_.size() > kMostOutput)
    throw Error(ErrorCode::kBadInput, "the recognizer ", name_, " printed more than ", kMostOutput,
                " bytes");
  return true;
}

std::string ChildProcess::read_line(Deadline deadline) {
  for (;;) {
    const size_t end = buffer_.find('\n');
    if (end != std::string::npos) {
      std::string line = buffer_.substr(0, end);
      buffer_.erase(0, end + 1);
      return line;
    }
    if (!fill(deadline)) throw_ended();
  }
}

const std::string& ChildProcess::unread() {
  pollfd now{.fd = out_, .events = POLLIN, .revents = 0};
  if (buffer_.empty() && poll(&now, 1, 0) > 0 && (now.revents & POLLIN) != 0)
    fill(std::chrono::steady_clock::now() + kSlice);
  return buffer_;
}

void ChildProcess::close_input() { close_end(in_); }

std::string ChildProcess::read_rest(Deadline deadline) {
  while (fill(deadline)) {
  }
  const std::string how = end(deadline);
  if (!how.empty()) throw Error(ErrorCode::kBadInput, "the recognizer ", name_, " ", how);
  return std::exchange(buffer_, {});
}

}  // namespace kani::cli
