// main.cc - kani-train: trains a language model from shards; with a word in front a speaker encoder
// or a codec from recordings (speaker_command.h, codec_command.h).  Exit statuses and messages:
// interfaces.md 1.3.
#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <exception>
#include <new>
#include <thread>

#include "analysis.h"
#include "arguments.h"
#include "codec_command.h"
#include "counted.h"
#include "export_place.h"
#include "kani/base/error.h"
#include "kani/base/log.h"
#include "kani/train/checkpoint.h"
#include "kani/train/tensor_memory.h"
#include "language_report.h"
#include "run_log.h"
#include "samples.h"
#include "signals.h"
#include "speaker_command.h"

namespace {

using kani::train::Arguments;
using kani::train::configured;
using kani::train::counted;
using kani::train::TrainConfig;

bool stopping() { return kani::train::stop_signal() != 0; }

// Of an exception in a thread that nobody can catch, LibTorch's for example, as an error of ours.
[[noreturn]] void on_terminate() {
  std::string what = "ended without a reason";
  try {
    if (const auto error = std::current_exception()) std::rethrow_exception(error);
  } catch (const std::exception& error) {
    what = error.what();
  } catch (...) {
  }
  std::fprintf(stderr, "kani-train: error: %s\n", what.substr(0, what.find('\n')).c_str());
  _exit(1);
}

// Each shard of the data stays open.
void allow_many_files() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

int fail(int status, const std::string& message, const std::string& hint = "") {
  std::fprintf(stderr, "kani-train: error: %s\n", message.c_str());
  if (!hint.empty()) std::fprintf(stderr, "hint: %s\n", hint.c_str());
  return status;
}

// Without LibTorch's own end: its libraries take their statics apart in an order that nobody
// guarantees, and all files are closed by now.  A checkpoint may still be in the hands of a thread.
[[noreturn]] void leave(int status) {
  std::fflush(nullptr);
  _exit(status);
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

kani::train::Launch launch_of(const Arguments& a) {
  kani::train::Launch launch = kani::train::read_launch();
  launch.elastic = a.elastic;
  return launch;
}

/// A run as it is shown: on the terminal, in the log, by samples.
class Run {
 public:
  Run(const Arguments& a, TrainConfig config)
      : trainer_(std::move(config), resumes(a), a.force, launch_of(a)),
        config_(trainer_.config()),
        log_(config_.output_dir, trainer_.state().update, trainer_.leads(), trainer_.rank()),
        languages_(config_.output_dir, trainer_.leads()),
        told_(trainer_.leads() && !a.quiet),
        terminal_(isatty(STDERR_FILENO) != 0),
        saved_update_(resumes(a) ? trainer_.state().update : -1) {
    yardstick_.peak_operations = config_.peak_tflops * 1e12 * trainer_.processes();
    if (told_) introduce();
  }

  /// True if all updates are done, false if a signal came between.
  bool train() {
    const kani::train::SignalsHeard heard;
    if (!config_.add_languages.empty() && trainer_.state().update == 0) {
      if (const auto eval = trainer_.evaluate(/*averaged=*/false, stopping))
        languages_.set_before(eval->language_loss);
    }
    evaluate_what_was_stopped();
    while (!trainer_.done() && !trainer_.anywhere(stopping())) {
      const kani::train::UpdateReport report = trainer_.step();
      show(report);
      trainer_.require_health(report);
      if (trainer_.save_ended()) finish_save(/*must=*/false);
      const int64_t update = trainer_.state().update;
      if (is_evaluated()) evaluate();
      if (update % config_.save_steps == 0 && !trainer_.done()) save_beside();
      if (config_.sample_every > 0 && update % config_.sample_every == 0 && !trainer_.done() &&
          !trainer_.anywhere(stopping()))
        sample();
      tell_samples(/*wait=*/false);
    }
    if (terminal_ && told_) std::fputc('\n', stderr);
    save();
    if (!config_.add_languages.empty() && trainer_.done() && languages_.has_before() &&
        !last_losses_.empty()) {
      const std::string report = languages_.set_after(last_losses_);
      if (told_) std::fputs(report.c_str(), stderr);
    }
    if (trainer_.done() && config_.sample_every > 0) {
      tell_samples(/*wait=*/true);  // of those before, which would keep these from being spoken
      sample();
      tell_samples(/*wait=*/true);
    }
    if (!trainer_.done() && trainer_.leads())
      std::fprintf(stderr, "kani-train: stopped after update %lld; --resume goes on\n",
                   static_cast<long long>(trainer_.state().update));
    if (trainer_.done()) summarize();
    return trainer_.done();
  }

  void export_model(const Arguments& a) {
    trainer_.export_model(a.export_to,
                          a.bf16 ? kani::train::SavedType::kBF16 : kani::train::SavedType::kF32,
                          a.averaged);
  }

 private:
  void introduce() const {
    std::fprintf(stderr, "kani-train: %s, %s, from update %lld\n",
                 counted(trainer_.clips().size() - trainer_.clips_left_out(), "clip").c_str(),
                 counted(trainer_.total_updates(), "update").c_str(),
                 static_cast<long long>(trainer_.state().update));
    if (trainer_.replay_clips() > 0)
      std::fprintf(stderr, "kani-train: replay: %g %% of an epoch's clips, out of %zu\n",
                   100 * config_.replay_share, trainer_.replay_clips());
    if (trainer_.language_shares().size() < 2) return;
    std::string shares;
    for (const auto& [language, share] : trainer_.language_shares())
      shares += kani::concat(shares.empty() ? "" : ", ",
                             language.empty() ? std::string("none") : language, " ",
                             std::lround(100 * share), " %");
    std::fprintf(stderr, "kani-train: languages: %s\n", shares.c_str());
  }

  void show(const kani::train::UpdateReport& report) {
    summary_.add(report);
    mean_seconds_ =
        mean_seconds_ == 0 ? report.seconds : 0.95 * mean_seconds_ + 0.05 * report.seconds;
    yardstick_.operations_per_element = kani::train::training_operations(
        trainer_.model().config(), report.mean_square_length, trainer_.loss_rows());
    log_.write(report, yardstick_);
    if (!told_ || (!terminal_ && report.update % config_.logging_steps != 0)) return;
    const std::string text = progress_text(report, yardstick_, mean_seconds_);
    std::fprintf(stderr, terminal_ ? "\r\033[K%s" : "%s\n", text.c_str());
  }

  void summarize() {
    const kani::train::Figures figures = summary_.figures();
    if (figures.empty()) return;  // it was done before
    log_.summary(trainer_.state().update, figures);
    if (told_) std::fprintf(stderr, "kani-train: %s\n", kani::train::summary_text(figures).c_str());
  }

  bool measures() const { return !config_.valid_data.empty() || config_.valid_fraction > 0; }
  bool is_evaluated() const {
    return trainer_.state().update % config_.eval_every == 0 || trainer_.done();
  }

  // A run that was stopped while it measured goes on with that, so that its log is the same.
  void evaluate_what_was_stopped() {
    const bool open = saved_update_ > 0 && measures() && is_evaluated();
    if (open && trainer_.anywhere(trainer_.leads() && !log_.was_evaluated())) evaluate();
  }

  void evaluate() {
    const auto eval = trainer_.evaluate(/*averaged=*/false, stopping);
    std::optional<kani::train::EvalReport> averaged;
    if (eval && config_.ema_decay > 0) averaged = trainer_.evaluate(/*averaged=*/true, stopping);
    if (measures() && (!eval || (config_.ema_decay > 0 && !averaged))) return;  // stopped
    log_.factors(trainer_.state().update, kani::train::rope_figures(trainer_.model()));
    if (!eval) return;
    log_.write(*eval, "eval_");
    last_losses_ = eval->language_loss;
    if (told_) std::fprintf(stderr, "%svalidation loss %.4f\n", terminal_ ? "\n" : "", eval->loss);
    if (averaged) log_.write(*averaged, "eval_ema_");
    if (trainer_.is_best(*eval)) save_beside(eval->loss);
  }

  // Once for an update, however many ask for it; but the best is named even so.
  void begin_save(std::optional<double> best = {}) {
    const int64_t update = trainer_.state().update;
    if (saved_update_ == update && !best) return;
    await_save();
    finish_save(/*must=*/false);
    save_began_ = std::chrono::steady_clock::now();
    saved_update_ = update;
    trainer_.begin_save(best, log_.flusher());
    held_seconds_ += seconds_since(save_began_);
  }

  // While the run goes on, unless it is told to wait.  Of weights that may be what updates are left
  // out for there is none; nor while the one before is written, for which only the best one waits.
  void save_beside(std::optional<double> best = {}) {
    if (!best && (trainer_.state().skipped_in_row > 0 || is_still_writing())) return;
    begin_save(best);
    if (config_.background_save) return;
    await_save();
    finish_save(/*must=*/false);
  }

  // Until all have written.  They tell one another that they are still there: a disk may be slow
  // for longer than a process may be silent.
  void await_save() {
    while (trainer_.processes() > 1 && trainer_.anywhere(is_writing()))
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  bool is_writing() const { return trainer_.save_pending() && !trainer_.save_ended(); }

  // The same answer on all processes.
  bool is_still_writing() {
    const int64_t update = trainer_.state().update;
    if (saved_update_ == update || !trainer_.anywhere(is_writing())) return false;
    if (trainer_.leads())
      std::fprintf(stderr,
                   "%skani-train: warning: no checkpoint of update %lld: the one before is still "
                   "being written\n",
                   terminal_ ? "\n" : "", static_cast<long long>(update));
    log_.checkpoint(update, {}, /*saved=*/false);
    return true;
  }

  // A disk that is full for a while does not end a run: the next checkpoint is tried again.
  void finish_save(bool must) {
    if (!trainer_.save_pending()) return;
    const auto start = std::chrono::steady_clock::now();
    const int64_t update = saved_update_;
    try {
      trainer_.finish_save();
    } catch (const kani::Error& error) {
      const bool may_pass = error.code() == kani::ErrorCode::kCannotWrite ||
                            error.code() == kani::ErrorCode::kBusy;  // another process's disk
      if (must || !may_pass) throw;
      std::fprintf(stderr, "kani-train: warning: no checkpoint: %s\n", error.what());
      saved_update_ = -1;
    }
    held_seconds_ += seconds_since(start);
    log_.checkpoint(update, {.seconds = seconds_since(save_began_), .held_seconds = held_seconds_},
                    saved_update_ == update);
    held_seconds_ = 0;
  }

  // What is there now, or an error.
  void save() {
    await_save();
    finish_save(/*must=*/false);
    begin_save();
    await_save();
    finish_save(/*must=*/true);
  }

  // From a checkpoint of this very update, so that what is heard can be made again.
  void sample() {
    if (trainer_.state().skipped_in_row > 0) return;
    begin_save();
    await_save();
    finish_save(/*must=*/false);
    if (!trainer_.leads() || saved_update_ != trainer_.state().update || samples_.speaking())
      return;
    const std::filesystem::path out = config_.output_dir;
    const std::string name = kani::train::checkpoint_name(trainer_.state().update);
    std::filesystem::path model = out / name;
    if (config_.lora.rank > 0) {  // a checkpoint has the adapters alone
      model = out / "samples" / name / kani::train::kSampleModel;
      if (!exported(model)) return;
    }
    samples_.start(config_, trainer_.state().update, model);
  }

  // False, with a warning, if it cannot be written.
  bool exported(const std::filesystem::path& model) {
    std::string why;
    try {
      trainer_.export_model(model, kani::train::SavedType::kBF16, /*averaged=*/false);
      return true;
    } catch (const kani::Error& error) {
      if (error.code() != kani::ErrorCode::kCannotWrite) throw;
      why = error.what();
    } catch (const std::filesystem::filesystem_error& error) {
      why = error.what();
    }
    std::error_code ignored;
    std::filesystem::remove_all(model, ignored);
    std::fprintf(stderr, "kani-train: warning: no samples: %s\n", why.c_str());
    return false;
  }

  void tell_samples(bool wait) {
    const auto report = samples_.take_report(wait);
    if (!report) return;
    log_.samples(report->update, report->figures);
    std::string words;
    for (const auto& [name, value] : report->figures) words += kani::concat("  ", name, " ", value);
    if (told_)
      std::fprintf(stderr, "%ssamples of update %lld:%s\n", terminal_ ? "\n" : "",
                   static_cast<long long>(report->update), words.c_str());
  }

  kani::train::Trainer trainer_;
  const TrainConfig& config_;
  kani::train::RunLog log_;
  kani::train::LanguageReport languages_;
  kani::train::LanguageReport::Losses last_losses_;
  kani::train::Samples samples_{kani::train::stop_signal()};
  kani::train::Yardstick yardstick_;
  kani::train::RunSummary summary_;
  bool told_, terminal_;
  int64_t saved_update_;  // of the newest checkpoint, or of the one that is being written; -1: none
  std::chrono::steady_clock::time_point save_began_;
  double held_seconds_ = 0;  // that the run waited for it
  double mean_seconds_ = 0;
};

// Every figure of a checkpoint, with upstream's words for what they mean.
void analyze(const Arguments& a) {
  if (std::filesystem::exists(std::filesystem::path(a.analyze) / "MANIFEST"))
    kani::train::verify_checkpoint(a.analyze);
  const TrainConfig config = configured(a, kani::train::settings_of(a.analyze));
  const auto& places = config.valid_data.empty() ? config.data : config.valid_data;
  kani::require(!places.empty(), "--analyze needs --valid or --data");
  const kani::train::Analysis analysis = kani::train::analyze_checkpoint(
      a.analyze, places, config, kani::train::AnalysisProgress(!a.quiet));
  std::printf("%s\n", analysis.json.c_str());
  if (!a.quiet) std::fputs(analysis.interpretation.c_str(), stderr);
}

// What would be found out only at the end, or at the first samples.
void check_places(const Arguments& a, const TrainConfig& config) {
  if (kani::train::read_launch().rank == 0) kani::train::check_samples(config);
  if (a.export_to.empty()) return;
  kani::train::RunPlaces places{{"--model", config.model_id}, {"--out", config.output_dir}};
  for (const auto* named : {&config.data, &config.valid_data, &config.replay_data}) {
    for (const std::string& place : *named) places.emplace_back("a set of the run", place);
  }
  kani::train::check_export_folder(a.export_to, places, kani::train::kModelFiles);
}

// Returns the program's status.
int train(const Arguments& a) {
  if (a.keys) {
    std::fputs(kani::train::keys_text(configured(a)).c_str(), stdout);
    return 0;
  }
  if (!a.analyze.empty()) {
    analyze(a);
    return 0;
  }
  TrainConfig config = configured(a);
  check_places(a, config);
  Run run(a, std::move(config));
  // Another process of the run may have had the signal.
  if (!run.train()) return kani::train::status_of_stopped(kani::train::stop_signal());
  if (!a.export_to.empty()) run.export_model(a);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "Trains a KaniTTS2 language model from shards that kani-data made.\n"
      "kani-train codec …: a codec from sounds (kani-train codec --help).\n"
      "kani-train speaker …: a speaker encoder from recordings (kani-train speaker --help).",
      "kani-train");
  Arguments arguments;
  kani::train::declare(app, arguments);
  const std::string_view word = argc > 1 ? argv[1] : "";
  const bool speaker = word == "speaker", codec = word == "codec";
  try {
    if (!speaker && !codec) app.parse(argc, argv);
  } catch (const CLI::CallForHelp& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    return fail(2, error.what(), "kani-train --help lists the flags");
  }
  std::set_terminate(on_terminate);
  allow_many_files();
  kani::train::keep_tensor_memory();
  kani::set_log_sink(
      [](kani::LogLevel, std::string_view, std::string_view message) {
        std::fprintf(stderr, "kani-train: warning: %.*s\n", static_cast<int>(message.size()),
                     message.data());
      },
      kani::LogLevel::kWarning);
  kani::train::catch_signals();
  std::signal(SIGXFSZ, SIG_IGN);  // a file that may not grow is an error of writing
  try {
    int status = 0;
    if (speaker) {
      status = kani::train::speaker_command(argc - 1, argv + 1, kani::train::stop_signal());
    } else if (codec) {
      status = kani::train::codec_command(argc - 1, argv + 1, kani::train::stop_signal());
    } else {
      status = train(arguments);
    }
    leave(status);
  } catch (const kani::Error& error) {
    leave(fail(kani::exit_status(error.code()), error.what(), error.hint()));
  } catch (const std::bad_alloc&) {
    leave(fail(1, "out of memory"));
  } catch (const std::exception& error) {
    // LibTorch's messages carry a stack below the first line.
    const std::string what = error.what();
    leave(fail(1, what.substr(0, what.find('\n'))));
  }
}
