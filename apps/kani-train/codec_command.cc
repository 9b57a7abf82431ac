// codec_command.cc - see codec_command.h.
#include "codec_command.h"

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>

#include "counted.h"
#include "export_place.h"
#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/base/json.h"
#include "kani/train/codec/codec_trainer.h"
#include "kani/train/codec/manifest_codes.h"
#include "run_loop.h"
#include "signals.h"
#include "steps_flag.h"

namespace kani::train {
namespace {

namespace fs = std::filesystem;

struct Arguments {
  std::string stage, init, out, export_to, codes_of, codes_to;
  std::vector<std::string> configs, settings, data, valid;
  bool resume = false, force = false, quiet = false, keys = false, half = false;
  int64_t steps = 0;
};

void declare(CLI::App& app, Arguments& a) {
  app.add_option("--stage", a.stage,
                 "mel: codes from a mel auto-encoder; encoder: the encoder learns them; decoder: "
                 "sound from them; joint: both together [mel]");
  app.add_option(
      "--init", a.init,
      "what to start from: a .nemo, a .safetensors of --export, a checkpoint, a folder of "
      "them");
  app.add_option("-d,--data", a.data, "sounds: files, folders, .txt or .jsonl lists");
  app.add_option("--valid", a.valid, "sounds to measure on, never trained on");
  app.add_option("-o,--out", a.out, "folder of checkpoints and logs [./codec-checkpoints]");
  app.add_option("--steps", a.steps, "updates in all")->check(check_steps);
  app.add_option("--config", a.configs,
                 "YAML file of settings; given several times, later ones win");
  app.add_option("--set", a.settings, "KEY=VALUE, any key of a configuration file");
  app.add_flag("--keys", a.keys,
               "no training: all keys, their values for the stage and what they mean");
  app.add_flag("--resume", a.resume, "go on from the newest checkpoint in --out");
  app.add_flag("--force", a.force, "resume although sounds or settings changed");
  app.add_option("--export", a.export_to,
                 "file to write at the end: .nemo, the codec; .safetensors, what makes its codes; "
                 "without --data, of --init as it is");
  app.add_flag("--half", a.half, "--export in float16, half the size");
  app.add_option("--codes-of", a.codes_of,
                 "no training: a manifest (.jsonl) whose recordings the analysis network of --init "
                 "is to make codes of");
  app.add_option("--codes-to", a.codes_to, "the manifest with their codes, for kani data build");
  app.add_flag("-q,--quiet", a.quiet, "no progress");
}

CodecTrainConfig configured(const Arguments& a) {
  std::vector<std::pair<std::string, std::string>> yamls;
  for (const std::string& file : a.configs)
    yamls.emplace_back(read_file(file, kMaxConfigBytes), file);
  CodecTrainConfig config = read_codec_config(yamls, a.settings, a.stage);
  if (!a.init.empty()) config.init = a.init;
  if (!a.data.empty()) config.data = a.data;
  if (!a.valid.empty()) config.valid_data = a.valid;
  if (!a.out.empty()) config.output_dir = a.out;
  if (a.steps > 0) config.optimizer.total_steps = a.steps;
  return config;
}

std::string figures_text(const Figures& figures) {
  std::string out;
  for (const auto& [name, value] : figures) {
    char text[64];
    std::snprintf(text, sizeof text, "  %s %.4g", name.c_str(), value);
    out += text;
  }
  return out;
}

int write_codes(const Arguments& a, const volatile std::sig_atomic_t& stop) {
  require(!a.codes_of.empty() && !a.codes_to.empty() && !a.init.empty(),
          "--codes-of, --codes-to and --init belong together");
  const SignalsHeard heard;
  const bool all =
      write_manifest_codes(a.init, a.codes_of, a.codes_to, [&](size_t done, size_t count) {
        if (!a.quiet && (done % 1000 == 0 || done == count))
          std::fprintf(stderr, "kani-train: codes of %zu of %zu recordings\n", done, count);
        return stop == 0;
      });
  if (all) return 0;
  std::fputs("kani-train: stopped; nothing is written\n", stderr);
  return 128 + stop;
}

// A checkpoint or file as a file of another kind.
int convert(const Arguments& a) {
  require(!a.init.empty() && a.valid.empty() && a.steps == 0 && !a.resume,
          "no sounds to train on: --data; without any, --init and --export alone make one file of "
          "another");
  export_networks(a.export_to, load_networks(a.init),
                  a.half ? CodecStorage::kHalf : CodecStorage::kFloat);
  return 0;
}

class CodecRun final : public RunLoop {
 public:
  CodecRun(const Arguments& a, const volatile std::sig_atomic_t& stop)
      : RunLoop(!a.quiet, stop), trainer_(configured(a), a.resume, a.force) {
    const CodecTrainConfig& config = trainer_.config();
    begin(config.output_dir, trainer_.state().update, {config.eval_every, config.save_steps});
    const SoundSet& sounds = trainer_.sounds();
    if (told())
      std::fprintf(stderr,
                   "kani-train: %s, %.2f h, %.0f MB in memory; stage %s trains %.2f million "
                   "numbers, %s, from update %lld\n",
                   counted(sounds.size(), "recording").c_str(), sounds.seconds() / 3600,
                   static_cast<double>(sounds.bytes()) / 1e6,
                   std::string(stage_name(trainer_.config().stage)).c_str(),
                   static_cast<double>(trainer_.trained_count()) / 1e6,
                   counted(trainer_.config().optimizer.total_steps, "update").c_str(),
                   static_cast<long long>(trainer_.state().update));
  }

  void export_to(const fs::path& nemo, CodecStorage storage) { trainer_.export_to(nemo, storage); }

 private:
  bool done() const override { return trainer_.done(); }
  int64_t update() const override { return trainer_.state().update; }
  void step() override { show(trainer_.step()); }
  void save() override { trainer_.save(); }

  void show(const CodecUpdateReport& r) {
    Json exact{{"update", r.update},
               {"loss", r.loss},
               {"grad_norm", r.grad_norm},
               {"learning_rate", r.learning_rate}};
    for (const auto& [name, value] : r.figures) exact[name] = value;
    if (r.skipped) exact["skipped"] = true;
    loss().write(dump_json(exact));
    exact["seconds"] = r.seconds;
    exact["data_seconds"] = r.data_seconds;
    exact["sound_seconds"] = r.sound_seconds;
    metrics().write(dump_json(exact));
    mean_seconds_ = mean_seconds_ == 0 ? r.seconds : 0.95 * mean_seconds_ + 0.05 * r.seconds;
    if (!told() || (!terminal() && r.update % trainer_.config().logging_steps != 0)) return;
    const auto left =
        static_cast<long long>(static_cast<double>(r.total - r.update) * mean_seconds_);
    std::fprintf(stderr,
                 "%s%5.1f%% %lld/%lld  loss %.4f%s  norm %.2f  lr %.1e  %.1f s of sound/s  left "
                 "%lld:%02lld:%02lld%s",
                 terminal() ? "\r\033[K" : "",
                 100.0 * static_cast<double>(r.update) / static_cast<double>(r.total),
                 static_cast<long long>(r.update), static_cast<long long>(r.total), r.loss,
                 figures_text(r.figures).c_str(), r.grad_norm, r.learning_rate,
                 r.sound_seconds / mean_seconds_, left / 3600, left / 60 % 60, left % 60,
                 terminal() ? "" : "\n");
  }

  void evaluate() override {
    const Figures figures = trainer_.evaluate();
    Json out{{"update", trainer_.state().update}};
    for (const auto& [name, value] : figures) out["eval_" + name] = value;
    if (trainer_.config().ema_decay > 0) {
      for (const auto& [name, value] : trainer_.evaluate(/*averaged=*/true))
        out["eval_ema_" + name] = value;
    }
    loss().write(dump_json(out));
    if (told())
      std::fprintf(stderr, "%smeasured after %lld:%s\n", terminal() ? "\n" : "",
                   static_cast<long long>(trainer_.state().update), figures_text(figures).c_str());
  }

  CodecTrainer trainer_;
  double mean_seconds_ = 0;
};

// Before anything is computed; what is there already may only be an earlier export.
void check_export(const fs::path& target, const CodecTrainConfig& config) {
  check_export_file(target, {{"--init", config.init}, {"--out", config.output_dir}});
  if (!fs::exists(target)) return;
  try {
    load_networks(target);
  } catch (const Error& error) {
    throw Error(ErrorCode::kInvalidArgument, "--export ", target,
                " is there, and no codec: ", error.what())
        .with_hint("name a new file, or take that one away");
  }
}

}  // namespace

int codec_command(int argc, char** argv, const volatile std::sig_atomic_t& stop) {
  CLI::App app(
      "Trains a NanoCodec: the stages mel, encoder, decoder, each from what the one before "
      "has left; joint fine-tunes.",
      "kani-train codec");
  Arguments arguments;
  declare(app, arguments);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    std::fprintf(stderr, "kani-train: error: %s\nhint: kani-train codec --help lists the flags\n",
                 error.what());
    return 2;
  }
  require(!arguments.half || !arguments.export_to.empty(), "--half needs --export");
  if (arguments.keys) {
    std::fputs(keys_text(configured(arguments)).c_str(), stdout);
    return 0;
  }
  require_alone();
  if (!arguments.codes_of.empty() || !arguments.codes_to.empty())
    return write_codes(arguments, stop);
  if (!arguments.export_to.empty()) {
    const CodecTrainConfig config = configured(arguments);
    check_export(arguments.export_to, config);
    if (config.data.empty()) return convert(arguments);
  }
  CodecRun run(arguments, stop);
  if (run.train() && !arguments.export_to.empty())
    run.export_to(arguments.export_to, arguments.half ? CodecStorage::kHalf : CodecStorage::kFloat);
  return run.status();
}

}  // namespace kani::train
