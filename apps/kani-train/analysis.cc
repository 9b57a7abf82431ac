// analysis.cc - see analysis.h.
#include "analysis.h"

#include <array>
#include <cstdio>

#include "kani/base/error.h"
#include "kani/base/json.h"
#include "kani/train/evaluation.h"
#include "kani/train/model_files.h"

namespace kani::train {
namespace {

constexpr size_t kClipsLookedInto = 64;
constexpr double kStartFactor = 1.05;  // of upstream's learnable RoPE
constexpr double kMoved = 0.01, kVerdict = 0.05;

using Grades = std::array<std::pair<double, const char*>, 3>;

const char* grade_below(double value, const Grades& grades) {
  for (const auto& [limit, word] : grades) {
    if (value < limit) return word;
  }
  return "poor";
}

const char* grade_above(double value, const Grades& grades) {
  for (const auto& [limit, word] : grades) {
    if (value > limit) return word;
  }
  return "poor";
}

template <typename... Values>
void line(std::string& out, const char* format, Values... values) {
  char text[200];
  std::snprintf(text, sizeof text, format, values...);
  out += text;
}

// The factors on the rotary frequencies, a line a layer.
std::string rope_table(const Figures& figures, int layers) {
  std::string out;
  std::vector<double> values;
  for (int layer = 0; layer < layers; ++layer) {
    const std::string name = concat("rope_alpha/layer_", layer);
    const auto value = figures.find(name + "/value");
    if (value == figures.end()) continue;
    const double change = value->second - kStartFactor;
    line(out, "  layer %2d  weight %8.4f  factor %7.4f  %+.4f %s\n", layer,
         figures.at(name + "/raw_weight"), value->second, change,
         change > kMoved    ? "^"
         : change < -kMoved ? "v"
                            : "");
    values.push_back(value->second);
  }
  if (values.size() < 2) return out;
  double early = 0, late = 0;
  const size_t half = values.size() / 2;
  for (size_t i = 0; i < half; ++i) {
    early += values[i] / static_cast<double>(half);
    late += values[values.size() - 1 - i] / static_cast<double>(half);
  }
  line(out, "  early layers %.4f, late layers %.4f: %s\n", early, late,
       early - late > kVerdict   ? "early layers turn faster"
       : late - early > kVerdict ? "late layers turn faster"
                                 : "no difference");
  return out;
}

}  // namespace

Analysis analyze_checkpoint(const std::filesystem::path& checkpoint,
                            const std::vector<std::string>& places, const TrainConfig& config) {
  const Lfm2Module model = load_module(checkpoint);
  const TokenLayout layout = TokenLayout::of(model.config());
  const ClipSet clips(
      places, layout, language_tokens({}, checkpoint, model.config()),
      {.split = config.valid_data.empty() ? Split::kTrain : Split::kValid, .bad_share = 0});
  EvalRules rules{.sequence = config.sequence, .loss_chunk = config.loss_chunk};
  rules.sequence.audio_step = model.config().audio_step;
  Comm alone{Launch{}};
  const EvalReport report = evaluate_clips(model, clips, layout, rules, alone);
  Figures figures = eval_figures(report);
  for (const auto& [name, value] : analyze_clips(model, clips, layout, rules, kClipsLookedInto))
    figures["eval_metrics/" + name] = value;

  Json json{{"clips", clips.size()}, {"targets", report.targets}};
  for (const auto& [name, value] : figures) json[name] = value;

  const auto of = [&](const std::string& name) {
    const auto found = figures.find("eval_metrics/" + name);
    return found == figures.end() ? 0.0 : found->second;
  };
  std::string text;
  line(text, "loss %.4f over %lld targets of %zu clips\n", report.loss,
       static_cast<long long>(report.targets), clips.size());
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
       grade_below(of("text_ppl"), {{{50, "excellent"}, {100, "good"}, {200, "acceptable"}}}));
  line(text, "codebooks differ by %.3f (%s)\n", of("ppl_variance"),
       of("ppl_variance") < 0.1 ? "good" : "uneven");
  line(text, "confusion of codebooks: least on the diagonal %.2f (%s)\n", of("min_diagonal"),
       of("min_diagonal") > 0.8   ? "excellent"
       : of("min_diagonal") > 0.6 ? "good"
                                  : "poor");
  line(text, "variance of attention's output: mean %.2f (%s)\n", of("variance_mean"),
       grade_above(of("variance_mean"), {{{2, "excellent"}, {1.5, "good"}, {1, "acceptable"}}}));
  line(text, "ends of speech found %.1f %%, false ones %.2f %% of frames\n", 100 * of("end_recall"),
       100 * of("false_end_rate"));
  const std::string table =
      rope_table(rope_figures(model), static_cast<int>(model.config().layers.size()));
  if (!table.empty()) text += "factors of learnable RoPE:\n" + table;
  return {json.dump(2), text};
}

}  // namespace kani::train
