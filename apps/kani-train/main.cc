// main.cc - kani-train: trains a language model from shards.  Exit statuses and messages:
// interfaces.md 1.3.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <new>

#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/base/log.h"
#include "run_log.h"

namespace {

namespace fs = std::filesystem;
using kani::train::TrainConfig;

volatile std::sig_atomic_t g_stop = 0;
void on_signal(int) { g_stop = 1; }

int fail(int status, const std::string& message, const std::string& hint = "") {
  std::fprintf(stderr, "kani-train: error: %s\n", message.c_str());
  if (!hint.empty()) std::fprintf(stderr, "hint: %s\n", hint.c_str());
  return status;
}

struct Arguments {
  std::vector<std::string> configs, data, valid, settings, languages;
  std::string model, out, export_to;
  bool resume = false, force = false, parity = false, quiet = false, bf16 = false, averaged = false;
  int64_t steps = 0;
};

void declare(CLI::App& app, Arguments& a) {
  app.add_option("--config", a.configs,
                 "YAML file of settings; given several times, later ones win");
  app.add_option("-m,--model", a.model, "folder of the model to start from");
  app.add_option("-d,--data", a.data, "shards (*.kshard) or folders of them");
  app.add_option("--valid", a.valid, "shards to measure on, never trained on");
  app.add_option("-o,--out", a.out, "folder of checkpoints and logs [./checkpoints]");
  app.add_option("--steps", a.steps, "updates in all [by epochs]");
  app.add_option("--add-language", a.languages,
                 "tag of a language that the model is to learn; it goes into its config.json");
  app.add_option("--set", a.settings, "KEY=VALUE, any key of a configuration file");
  app.add_flag("--resume", a.resume, "go on from the newest checkpoint in --out");
  app.add_flag("--force", a.force, "resume although data or configuration changed");
  app.add_flag("--parity", a.parity, "upstream's rules where ours differ");
  app.add_option("--export", a.export_to, "folder to write the finished model to, for kani say");
  app.add_flag("--bf16", a.bf16, "export in bf16 [float32]");
  app.add_flag("--averaged", a.averaged, "export the average of the weights (ema_decay)");
  app.add_flag("-q,--quiet", a.quiet, "no progress");
}

TrainConfig configured(const Arguments& a) {
  TrainConfig config;
  for (const std::string& file : a.configs)
    kani::train::apply_yaml(kani::read_file(file, kani::kMaxConfigBytes), file, config);
  for (const std::string& setting : a.settings) {
    const size_t sign = setting.find('=');
    kani::require(sign != std::string::npos, "--set ", setting, " has no \"=\"");
    kani::train::apply_setting(setting.substr(0, sign), setting.substr(sign + 1), config);
  }
  if (!a.model.empty()) config.model_id = a.model;
  if (!a.data.empty()) config.data = a.data;
  if (!a.valid.empty()) config.valid_data = a.valid;
  if (!a.out.empty()) config.output_dir = a.out;
  if (!a.languages.empty()) config.add_languages = a.languages;
  if (a.steps > 0) config.max_steps = a.steps;
  config.parity = config.parity || a.parity;
  return config;
}

// A disk that is full for a while does not end a run: the next checkpoint is tried again.
void save(kani::train::Trainer& trainer) {
  try {
    trainer.save();
  } catch (const kani::Error& error) {
    if (error.code() != kani::ErrorCode::kCannotWrite) throw;
    std::fprintf(stderr, "kani-train: warning: no checkpoint: %s\n", error.what());
  }
}

void train(const Arguments& a) {
  const kani::train::Launch launch = kani::train::read_launch();
  kani::train::Trainer trainer(configured(a), a.resume, a.force, launch);
  const TrainConfig& config = trainer.config();
  std::optional<kani::train::RunLog> log;
  if (trainer.leads()) log.emplace(config.output_dir, trainer.state().update);
  const bool told = trainer.leads() && !a.quiet, terminal = isatty(STDERR_FILENO) != 0;
  if (told) {
    std::fprintf(stderr, "kani-train: %zu clips, %lld updates, from update %lld\n",
                 trainer.clips().size(), static_cast<long long>(trainer.total_updates()),
                 static_cast<long long>(trainer.state().update));
  }
  double mean_seconds = 0;
  while (!trainer.done() && !trainer.anywhere(g_stop != 0)) {
    const kani::train::UpdateReport report = trainer.step();
    mean_seconds = mean_seconds == 0 ? report.seconds : 0.95 * mean_seconds + 0.05 * report.seconds;
    if (log) log->write(report);
    if (told && (terminal || report.update % config.logging_steps == 0)) {
      std::fprintf(
          stderr, "%s%s%s", terminal ? "\r\033[K" : "",
          progress_text(report, static_cast<double>(report.total - report.update), mean_seconds)
              .c_str(),
          terminal ? "" : "\n");
    }
    if (report.update % config.eval_every == 0 || trainer.done()) {
      if (const auto eval = trainer.evaluate()) {
        if (log) log->write(*eval);
        if (told)
          std::fprintf(stderr, "%svalidation loss %.4f\n", terminal ? "\n" : "", eval->loss);
      }
    }
    if (report.update % config.save_steps == 0 && !trainer.done()) save(trainer);
  }
  if (terminal && told) std::fputc('\n', stderr);
  save(trainer);
  if (!trainer.done()) {
    if (trainer.leads())
      std::fprintf(stderr, "kani-train: stopped after update %lld; --resume goes on\n",
                   static_cast<long long>(trainer.state().update));
    return;
  }
  if (!a.export_to.empty() && trainer.leads()) {
    trainer.export_model(a.export_to,
                         a.bf16 ? kani::train::SavedType::kBF16 : kani::train::SavedType::kF32,
                         a.averaged);
  }
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Trains a KaniTTS2 language model from shards that kani-data made.", "kani-train");
  Arguments arguments;
  declare(app, arguments);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    return fail(2, error.what(), "kani-train --help lists the flags");
  }
  kani::set_log_sink(
      [](kani::LogLevel, std::string_view, std::string_view message) {
        std::fprintf(stderr, "kani-train: warning: %.*s\n", static_cast<int>(message.size()),
                     message.data());
      },
      kani::LogLevel::kWarning);
  for (const int signal : {SIGTERM, SIGUSR1, SIGINT}) std::signal(signal, on_signal);
  try {
    train(arguments);
    return 0;
  } catch (const kani::Error& error) {
    return fail(kani::exit_status(error.code()), error.what(), error.hint());
  } catch (const std::bad_alloc&) {
    return fail(1, "out of memory");
  } catch (const std::exception& error) {
    // LibTorch's messages carry a stack below the first line.
    const std::string what = error.what();
    return fail(1, what.substr(0, what.find('\n')));
  }
}
