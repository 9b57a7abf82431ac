// speaker_command.cc - see speaker_command.h.
#include "speaker_command.h"

#include <CLI/CLI.hpp>
#include <cstdio>

#include "counted.h"
#include "export_place.h"
#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/base/json.h"
#include "kani/train/speaker/speaker_trainer.h"
#include "run_loop.h"
#include "steps_flag.h"

namespace kani::train {
namespace {

namespace fs = std::filesystem;

struct Arguments {
  std::string init, out, export_to, embed;
  std::vector<std::string> configs, settings, data, valid;
  bool resume = false, force = false, quiet = false, keys = false;
  int64_t steps = 0;
};

void declare(CLI::App& app, Arguments& a) {
  app.add_option("--config", a.configs,
                 "YAML file of settings; given several times, later ones win");
  app.add_option("-d,--data", a.data,
                 "recordings: manifests (.jsonl with file and speaker), or folders with a folder "
                 "for each speaker");
  app.add_option("--valid", a.valid,
                 "speakers to measure on, never trained on [a share of those in --data]");
  app.add_option("--init", a.init, "folder of an encoder to start from [random weights]");
  app.add_option("-o,--out", a.out, "folder of checkpoints and logs [./speaker-checkpoints]");
  app.add_option("--steps", a.steps, "updates in all [2000]")->check(check_steps);
  app.add_option("--set", a.settings, "KEY=VALUE, any key of a configuration file");
  app.add_flag("--keys", a.keys, "no training: all keys, their values and what they mean");
  app.add_flag("--resume", a.resume, "go on from the newest checkpoint in --out");
  app.add_flag("--force", a.force, "resume although recordings or settings changed");
  app.add_option("--export", a.export_to, "folder to write the finished encoder to");
  app.add_option("--embed", a.embed,
                 "no training: the vector that --init gives this sound, as JSON");
  app.add_flag("-q,--quiet", a.quiet, "no progress");
}

SpeakerTrainConfig configured(const Arguments& a) {
  SpeakerTrainConfig config;
  for (const std::string& file : a.configs)
    apply_speaker_yaml(read_file(file, kMaxConfigBytes), file, config);
  for (const std::string& setting : a.settings) {
    const size_t sign = setting.find('=');
    require(sign != std::string::npos, "--set ", setting, " has no \"=\"");
    apply_speaker_setting(setting.substr(0, sign), setting.substr(sign + 1), config);
  }
  if (!a.data.empty()) config.data = a.data;
  if (!a.valid.empty()) config.valid_data = a.valid;
  if (!a.init.empty()) config.init = a.init;
  if (!a.out.empty()) config.output_dir = a.out;
  if (a.steps > 0) config.optimizer.total_steps = a.steps;
  return config;
}

class SpeakerRun final : public RunLoop {
 public:
  SpeakerRun(const Arguments& a, const volatile std::sig_atomic_t& stop)
      : RunLoop(!a.quiet, stop), trainer_(configured(a), a.resume, a.force) {
    const SpeakerTrainConfig& config = trainer_.config();
    begin(config.output_dir, trainer_.update(), {config.eval_every, config.save_steps});
    if (told())
      std::fprintf(stderr, "kani-train: %s of %s, %s; %s, from update %lld\n",
                   counted(trainer_.training().count(), "recording").c_str(),
                   counted(trainer_.training().speakers(), "speaker").c_str(),
                   counted(trainer_.held_out().speakers(), "held-out speaker").c_str(),
                   counted(trainer_.config().optimizer.total_steps, "update").c_str(),
                   static_cast<long long>(trainer_.update()));
  }

  void export_to(const fs::path& folder) { trainer_.module().write(folder); }

 private:
  bool done() const override { return trainer_.done(); }
  int64_t update() const override { return trainer_.update(); }
  void step() override { show(trainer_.step()); }
  void save() override { trainer_.save(); }

  void show(const SpeakerUpdateReport& r) {
    Json line{{"update", r.update},    {"loss", r.loss},
              {"hits", r.hits},        {"grad_norm", r.grad_norm},
              {"lr", r.learning_rate}, {"crop_seconds", r.crop_seconds}};
    loss().write(dump_json(line));
    line["seconds"] = r.seconds;
    line["data_seconds"] = r.data_seconds;
    metrics().write(dump_json(line));
    mean_loss_ = mean_loss_ < 0 ? r.loss : 0.95 * mean_loss_ + 0.05 * r.loss;
    mean_hits_ = mean_hits_ < 0 ? r.hits : 0.95 * mean_hits_ + 0.05 * r.hits;
    if (!told() || (!terminal() && r.update % 20 != 0)) return;
    std::fprintf(stderr, "%s%lld/%lld  loss %.3f  hits %.0f %%  norm %.2f  lr %.1e  %.2f s%s",
                 terminal() ? "\r\033[K" : "", static_cast<long long>(r.update),
                 static_cast<long long>(trainer_.config().optimizer.total_steps), mean_loss_,
                 100 * mean_hits_, r.grad_norm, r.learning_rate, r.seconds, terminal() ? "" : "\n");
  }

  void evaluate() override {
    const SpeakerScores s = trainer_.evaluate();
    const Json line{{"update", trainer_.update()},   {"eval_equal_error", s.equal_error},
                    {"eval_threshold", s.threshold}, {"eval_same", s.same_mean},
                    {"eval_other", s.other_mean},    {"eval_pairs", {s.same_pairs, s.other_pairs}}};
    loss().write(dump_json(line));
    metrics().write(dump_json(line));
    if (told() && !s.measured())
      std::fprintf(stderr,
                   "%sheld-out speakers: equal error rate not measured (%zu and %zu pairs)\n",
                   terminal() ? "\n" : "", s.same_pairs, s.other_pairs);
    if (told() && s.measured())
      std::fprintf(stderr,
                   "%sheld-out speakers: equal error rate %.2f %% at cosine %.2f; same %.2f, other "
                   "%.2f (%zu and %zu pairs)\n",
                   terminal() ? "\n" : "", 100 * s.equal_error, s.threshold, s.same_mean,
                   s.other_mean, s.same_pairs, s.other_pairs);
  }

  SpeakerTrainer trainer_;
  double mean_loss_ = -1, mean_hits_ = -1;
};

void print_embedding(const Arguments& a) {
  require(!a.init.empty(), "--embed needs --init, the folder of an encoder");
  SpeakerModule module{fs::path(a.init)};
  std::printf("%s\n", dump_json(Json(embed_file(module, a.embed))).c_str());
}

}  // namespace

int speaker_command(int argc, char** argv, const volatile std::sig_atomic_t& stop) {
  CLI::App app("Trains a speaker encoder (WavLM with the two-layer head) from recordings.",
               "kani-train speaker");
  Arguments a;
  declare(app, a);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    std::fprintf(stderr, "kani-train: error: %s\nhint: kani-train speaker --help lists the flags\n",
                 error.what());
    return 2;
  }
  if (a.keys) {
    std::fputs(keys_text(configured(a)).c_str(), stdout);
  } else if (!a.embed.empty()) {
    print_embedding(a);
  } else {
    require_alone();
    if (!a.export_to.empty()) {
      const SpeakerTrainConfig config = configured(a);
      check_export_folder(a.export_to, {{"--init", config.init}, {"--out", config.output_dir}},
                          kEncoderFiles);
    }
    SpeakerRun run(a, stop);
    if (run.train() && !a.export_to.empty()) run.export_to(a.export_to);
    return run.status();
  }
  return 0;
}

}  // namespace kani::train
