// analysis.cc - see analysis.h.
#include "analysis.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "analysis_words.h"
#include "counted.h"
#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/base/json.h"
#include "kani/train/evaluation.h"
#include "kani/train/lora.h"
#include "kani/train/model_files.h"
#include "kani/train/start.h"
#include "kani/train/upstream_keys.h"

namespace kani::train {
namespace {

constexpr size_t kClipsLookedInto = 64;
constexpr const char* kSettings = "config.resolved.yaml";

// Where factors began: as the run's settings say; without any, and where upstream's rules made
// them, in the middle of their range.
double start_factor(const std::filesystem::path& checkpoint, const TrainConfig& config,
                    const Lfm2Config& model) {
  TrainConfig began = config;
  began.parity =
      began.parity || began.from_upstream || !std::filesystem::exists(checkpoint / kSettings);
  if (began.parity) began.growth.alpha_init.reset();
  return *growth_of(began, model.alpha_min, model.alpha_max).alpha_init;
}

// The checkpoint's model; adapters on the base that they belong to.
Lfm2Module model_of(const std::filesystem::path& checkpoint, const TrainConfig& config) {
  if (!std::filesystem::exists(checkpoint / kAdapterFile)) {
    Lfm2Module plain = load_module(checkpoint, config.growth.overrides());
    return {plain.config(),
            plain.parameters(),
            {.bf16 = config.bf16, .rope_bf16 = config.rope_precision == "bf16"}};
  }
  check_base(config);
  Lfm2Module adapted = start_model(config);
  require(has_adapters(adapted.parameters()), checkpoint,
          " holds adapters, and its settings know of none: lora_rank is 0");
  const ParameterMap trained = adapter_tensors(adapted.parameters());  // shares the tensors
  restore_tensors(trained, checkpoint / kAdapterFile);
  return adapted;
}

}  // namespace

TrainConfig settings_of(const std::filesystem::path& checkpoint) {
  const std::filesystem::path path = checkpoint / kSettings;
  TrainConfig out;
  if (std::filesystem::exists(path))
    out = resolved_config(read_file(path, kMaxConfigBytes), path.string());
  out.data.clear();  // what to look at is what the caller names
  out.valid_data.clear();
  out.valid_fraction = 0;
  return out;
}

Analysis analyze_checkpoint(const std::filesystem::path& checkpoint,
                            const std::vector<std::string>& places, TrainConfig config,
                            const std::function<void(const std::string&)>& progress) {
  if (config.parity) take_upstream_rules(config);
  const Lfm2Module model = model_of(checkpoint, config);
  const TokenLayout layout = TokenLayout::of(model.config());
  const ClipSet clips(
      places, layout, language_tokens({}, checkpoint, model.config()),
      {.split = config.valid_data.empty() ? Split::kTrain : Split::kValid, .bad_share = 0});
  EvalRules rules{.sequence = config.sequence,
                  .loss_chunk = config.loss_chunk,
                  .due = config.audio_softmax == "due"};
  rules.sequence.audio_step = model.config().audio_step;
  const std::string all = counted(clips.size(), "clip");
  rules.progress = [&](size_t done) { progress(concat("measured ", done, " of ", all)); };
  Comm alone{Launch{}};
  const EvalReport report = evaluate_clips(model, clips, layout, rules, alone);
  const Figures factors = rope_figures(model);
  progress(concat("measured ", all, "; looking into ", std::min(clips.size(), kClipsLookedInto),
                  " of them"));
  Figures figures = eval_figures(report);
  for (const auto& [name, value] : analyze_clips(model, clips, layout, rules, kClipsLookedInto))
    figures["eval_metrics/" + name] = value;
  figures.insert(factors.begin(), factors.end());

  Json json{{"clips", clips.size()}, {"targets", report.targets}};
  for (const auto& [name, value] : figures) json[name] = value;

  const auto of = [&](const std::string& name) {
    const auto found = figures.find("eval_metrics/" + name);
    return found == figures.end() ? 0.0 : found->second;
  };
  std::string text;
  line(text, "loss %.4f over %lld targets of %s\n", report.loss,
       static_cast<long long>(report.targets), all.c_str());
  for (int k = 0; k < layout.codebooks; ++k) {
    const std::string layer = concat("layer_", k);
    line(text,
         "codebook %d: perplexity %.1f, in its own slot %.1f, top-1 %.1f %%, top-10 %.1f %%\n", k,
         of(layer + "_ppl"), of(layer + "_slot_ppl"), 100 * of(layer + "_top1"),
         100 * of(layer + "_top10"));
    line(text, "            influence: text %.2f, same codebook %.2f, others %.2f (%s)\n",
         of(layer + "_text_influence"), of(layer + "_same_layer_influence"),
         of(layer + "_cross_layer_influence"),
         of(layer + "_same_layer_influence") > 0.6 && of(layer + "_cross_layer_influence") < 0.2
             ? "good"
             : "mixed");
  }
  line(text, "text: perplexity %.1f (%s)\n", of("text_ppl"),
       grade_below(of("text_ppl"), kPerplexityGrades));
  line(text, "codebooks differ by %.3f (%s)\n", of("ppl_variance"),
       of("ppl_variance") < 0.1 ? "good" : "uneven");
  line(text, "confusion of codebooks: least on the diagonal %.2f (%s)\n", of("min_diagonal"),
       of("min_diagonal") > 0.8   ? "excellent"
       : of("min_diagonal") > 0.6 ? "good"
                                  : "poor");
  line(text, "variance of attention's output: mean %.2f (%s)\n", of("variance_mean"),
       grade_above(of("variance_mean"), kVarianceGrades));
  line(text, "ends of speech found %.1f %%, false ones %.2f %% of frames\n", 100 * of("end_recall"),
       100 * of("false_end_rate"));
  progress("");
  const std::string table = rope_table(factors, static_cast<int>(model.config().layers.size()),
                                       start_factor(checkpoint, config, model.config()));
  if (!table.empty()) text += "factors of learnable RoPE:\n" + table;
  return {dump_json(json, 2), text};
}

AnalysisProgress::AnalysisProgress(bool told)
    : told_(told), terminal_(isatty(STDERR_FILENO) != 0) {}

void AnalysisProgress::operator()(const std::string& what) {
  const auto now = std::chrono::steady_clock::now();
  if (!told_ || (!terminal_ && (what.empty() || now - last_ < std::chrono::seconds(10)))) return;
  last_ = now;
  std::fprintf(stderr, terminal_ ? "\r\033[K%s" : "kani-train: %s\n", what.c_str());
}

}  // namespace kani::train
