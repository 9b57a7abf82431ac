// samples.cc - see samples.h.
#include "samples.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <sstream>
#include <thread>
#include <utility>

#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/base/json.h"
#include "kani/base/log.h"
#include "kani/train/checkpoint.h"

namespace kani::train {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMostReportBytes = 64 << 20;
constexpr size_t kMostShown = 300;
constexpr const char* kLog = "eval.log";
constexpr std::chrono::milliseconds kLook{50}, kGrace{5000};

void warn(const std::string& what) {
  std::fprintf(stderr, "kani-train: warning: no samples: %s\n", what.c_str());
}

// `kani` beside this program, or its bare name for the PATH.
std::string speaking_program() {
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  const fs::path beside = self.parent_path() / "kani";
  return !error && fs::exists(beside) ? beside.string() : "kani";
}

// The means over all prompts.
Figures read_figures(const fs::path& file) {
  const Json document = parse_json(read_file(file, kMostReportBytes), file.string());
  const Json& all = document.at("groups").at(0).at("model");
  Figures figures;
  for (const char* name : {"wer", "cer", "length_ratio", "voice_cosine", "faulty"}) {
    if (all.contains(name) && all[name].is_object())
      figures[name] = all[name].at("mean").get<double>();
  }
  return figures;
}

// What a program that failed said last, without its own hints.
std::string last_error(const fs::path& log) {
  std::string last = "it said nothing";
  try {
    std::istringstream lines(read_file(log, kMostReportBytes));
    for (std::string line; std::getline(lines, line);) {
      if (!line.empty() && !line.starts_with("hint:")) last = printable(line, kMostShown);
    }
  } catch (const Error& error) {
    last = error.what();
  }
  return last;
}

void require_there(const char* key, const std::string& place) {
  std::error_code ignored;
  if (place.empty() || fs::exists(place, ignored)) return;
  throw Error(ErrorCode::kNotFound, key, " is \"", place, "\", must be there for spoken samples");
}

}  // namespace

void check_samples(const TrainConfig& config) {
  if (config.sample_every == 0) return;
  // A codec may also be a repository's name in the hub's cache.
  const std::string& codec = config.sample_codec;
  const bool repository = std::count(codec.begin(), codec.end(), '/') == 1 &&
                          codec.front() != '/' && !codec.ends_with(".nemo");
  if (!repository) require_there("sample_codec", codec);
  require_there("sample_voice", config.sample_voice);
  require_there("sample_reference", config.sample_reference);
  if (codec.empty())
    log_warning("train",
                "sample_codec names no codec for spoken samples: there are none unless the hub's "
                "cache has one");
}

Samples::~Samples() { end(); }

// Asks it to end, and sees to it.
void Samples::end() {
  if (child_ == 0) return;
  kill(child_, SIGTERM);
  for (auto waited = kLook; waitpid(child_, nullptr, WNOHANG) == 0; waited += kLook) {
    if (waited >= kGrace) kill(child_, SIGKILL);
    std::this_thread::sleep_for(kLook);
  }
  child_ = 0;
  remove_model();
}

// The weights that were written for the samples alone.
void Samples::remove_model() const {
  std::error_code ignored;
  fs::remove_all(folder_ / kSampleModel, ignored);
}

void Samples::reap(bool wait) {
  if (child_ == 0) return;
  int status = 0;
  pid_t ended = waitpid(child_, &status, WNOHANG);
  for (; ended == 0 && wait; ended = waitpid(child_, &status, WNOHANG)) {
    if (stop_ != 0) return end();
    std::this_thread::sleep_for(kLook);
  }
  if (ended == 0) return;
  child_ = 0;
  remove_model();
  if (ended < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
    return warn(concat("kani eval failed: ", last_error(folder_ / kLog), " (",
                       (folder_ / kLog).string(), ")"));
  try {
    report_ = SampleReport{update_, read_figures(folder_ / "eval.json")};
  } catch (const std::exception& error) {
    warn(error.what());
  }
}

bool Samples::speaking() {
  reap(/*wait=*/false);
  return child_ != 0;
}

std::optional<SampleReport> Samples::take_report(bool wait) {
  reap(wait);
  return std::exchange(report_, std::nullopt);
}

void Samples::start(const TrainConfig& config, int64_t update, const fs::path& model) {
  if (speaking()) return;
  const std::string name = checkpoint_name(update);
  const fs::path output = config.output_dir, folder = output / "samples" / name;
  update_ = update;
  folder_ = folder;
  std::string lines;
  for (const std::string& prompt : config.sample_prompts) lines += prompt + "\n";
  try {
    fs::create_directories(folder);
    write_file(folder / "prompts.txt", lines);
  } catch (const std::exception& error) {
    remove_model();
    return warn(error.what());
  }
  std::vector<std::string> words{speaking_program(),
                                 "eval",
                                 "--quiet",
                                 "--model",
                                 model.string(),
                                 "--seed",
                                 "1",
                                 "--out",
                                 folder.string(),
                                 "--sentences",
                                 (folder / "prompts.txt").string()};
  if (!config.sample_codec.empty()) words.insert(words.end(), {"--codec", config.sample_codec});
  if (!config.sample_voice.empty()) words.insert(words.end(), {"--voice", config.sample_voice});
  if (!config.sample_reference.empty())
    words.insert(words.end(), {"--ref", config.sample_reference});
  if (!config.sample_recognizer.empty())
    words.insert(words.end(), {"--recognizer-batch", config.sample_recognizer});
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);

  const std::string log = (folder / kLog).string();
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, log.c_str(), O_WRONLY | O_CREAT | O_TRUNC,
                                   0644);
  posix_spawn_file_actions_adddup2(&files, STDOUT_FILENO, STDERR_FILENO);
  const int result =
      posix_spawnp(&child_, words[0].c_str(), &files, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  if (result != 0) {
    child_ = 0;
    remove_model();
    return warn(concat("cannot start ", words[0], ": ", std::strerror(result)));
  }
  setpriority(PRIO_PROCESS, static_cast<id_t>(child_), 19);
}

}  // namespace kani::train
