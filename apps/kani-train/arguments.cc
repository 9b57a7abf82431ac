// arguments.cc - see arguments.h.
#include "arguments.h"

#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/spec/lfm2.h"
#include "kani/train/sealed_folder.h"
#include "steps_flag.h"

namespace kani::train {

void declare(CLI::App& app, Arguments& a) {
  app.add_option("--config", a.configs,
                 "YAML file of settings; given several times, later ones win");
  auto* model = app.add_option("-m,--model", a.model, "folder of the model to start from");
  app.add_option(
         "--from-upstream", a.upstream,
         "instead of --model: a checkpoint of upstream's trainer, whose run goes on here with "
         "its moments and its count of updates")
      ->excludes(model);
  app.add_option("-d,--data", a.data, "shards (*.kshard) or folders of them");
  app.add_option("--valid", a.valid, "shards to measure on, never trained on");
  app.add_option(
      "--replay", a.replay,
      "DATA=SHARE: shards of what the model knows already, and what part of an epoch's clips "
      "they are to be");
  app.add_option("-o,--out", a.out, "folder of checkpoints and logs [./checkpoints]");
  app.add_option("--steps", a.steps, "updates in all [by epochs]")->check(check_steps);
  app.add_option("--add-language", a.languages,
                 "TAG of a language that the model is to learn, or TAG=TOKEN: it goes into its "
                 "config.json, TOKEN into its tokenizer too");
  app.add_option("--set", a.settings, "KEY=VALUE, any key of a configuration file");
  app.add_flag("--keys", a.keys, "no training: all keys, their values and what they mean");
  auto* resume = app.add_flag("--resume", a.resume, "go on from the newest checkpoint in --out");
  app.add_flag("--resume-or-start", a.resume_or_start,
               "the same if there is one, else a new run: one command for torchrun's restarts")
      ->excludes(resume);
  app.add_flag("--force", a.force, "resume although data or configuration changed");
  app.add_flag("--elastic", a.elastic,
               "resume although the checkpoint was written by another number of processes");
  app.add_option("--parity", a.parity,
                 "upstream's rules where ours differ; \"upstream\" may follow")
      ->expected(0, 1)
      ->default_str("upstream")
      ->check(CLI::IsMember({"upstream"}));
  app.add_option("--export", a.export_to, "folder to write the finished model to, for kani say");
  app.add_option("--analyze", a.analyze,
                 "no training: every figure of this checkpoint on --valid (or --data), as JSON");
  app.add_flag("--bf16", a.bf16, "export in bf16 [float32]");
  app.add_flag("--averaged", a.averaged, "export the average of the weights (ema_decay)");
  app.add_flag("-q,--quiet", a.quiet, "no progress");
}

TrainConfig configured(const Arguments& a, TrainConfig start) {
  std::vector<std::pair<std::string, std::string>> files;
  for (const std::string& file : a.configs)
    files.emplace_back(read_file(file, kMaxConfigBytes), file);
  std::vector<std::string> settings = a.settings;
  if (!a.parity.empty()) settings.emplace_back("parity=true");
  if (!a.upstream.empty()) settings.emplace_back("from_upstream=true");
  TrainConfig config = read_config(files, settings, std::move(start));
  if (!a.model.empty()) config.model_id = a.model;
  if (!a.upstream.empty()) config.model_id = a.upstream;
  if (!a.data.empty()) config.data = a.data;
  if (!a.valid.empty()) config.valid_data = a.valid;
  if (!a.replay.empty()) {
    require(a.replay.find('=') != std::string::npos, "--replay is \"", a.replay,
            "\", must be DATA=SHARE, ", a.replay, "=0.2 for example");
    const auto shares = TrainConfig::numbers_of({a.replay}, "--replay");
    config.replay_data = {shares.begin()->first};
    config.replay_share = shares.begin()->second;
  }
  if (!a.out.empty()) config.output_dir = a.out;
  if (!a.languages.empty()) config.add_languages = a.languages;
  if (a.steps) config.max_steps = *a.steps;
  require(!a.bf16 || !a.export_to.empty(), "--bf16 needs --export");
  require(!a.averaged || config.ema_decay > 0,
          "--averaged exports an average that nobody keeps: ema_decay is 0");
  return config;
}

bool resumes(const Arguments& a) {
  return a.resume || (a.resume_or_start && !step_folders(configured(a).output_dir).empty());
}

}  // namespace kani::train
