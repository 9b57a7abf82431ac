// evaluation.cc - see evaluation.h.
#include "kani/train/evaluation.h"

#include <algorithm>
#include <array>

#include "kani/base/error.h"
#include "kani/train/due_loss.h"
#include "kani/train/ops.h"

namespace kani::train {
namespace {

constexpr size_t kRoundsBetween = 16;  // clips of each process between two looks at `stop`
// Classes of seconds; the last has no end.
constexpr std::array<double, 5> kSeconds{0, 2, 5, 10, 20};

std::string class_of(double seconds) {
  size_t i = kSeconds.size() - 1;
  while (i > 0 && seconds < kSeconds[i]) --i;
  return concat(kSeconds[i], "s");
}

// Sums under names; of several processes all must have asked for the same names.
class Means {
 public:
  void open(const std::string& name) { sums_[name]; }
  void add(const std::string& name, double value) {
    auto& [sum, count] = sums_[name];
    sum += value;
    count += 1;
  }
  void exchange(Comm& comm) {
    if (comm.size() == 1) return;
    std::vector<double> flat;
    for (const auto& [name, pair] : sums_) flat.insert(flat.end(), {pair.first, pair.second});
    comm.sum(flat);
    size_t i = 0;
    for (auto& [name, pair] : sums_) {
      pair = {flat[i], flat[i + 1]};
      i += 2;
    }
  }
  double mean(const std::string& name) const {
    const auto found = sums_.find(name);
    return found == sums_.end() || found->second.second == 0
               ? 0
               : found->second.first / found->second.second;
  }
  int64_t count(const std::string& name) const {
    return static_cast<int64_t>(sums_.find(name)->second.second);
  }
  /// The means of all names that begin so and were seen, without the beginning.
  std::map<std::string, double> below(const std::string& beginning) const {
    std::map<std::string, double> out;
    for (const auto& [name, pair] : sums_) {
      if (name.starts_with(beginning) && pair.second > 0)
        out[name.substr(beginning.size())] = pair.first / pair.second;
    }
    return out;
  }

 private:
  std::map<std::string, std::pair<double, double>> sums_;
};

PackedBatch batch_of(const ClipSet& clips, size_t index, const TokenLayout& layout,
                     const SequenceRules& rules) {
  const TrainingClip clip = clips.clip(index);
  PackedBatch batch;
  batch.add(layout, rules, clips.ids(index, clip, layout, rules), clip.voice,
            static_cast<int64_t>(index));
  return batch;
}

// Each layer's mean, and their mean, least and most.
Figures variance_figures(const Figures& layers) {
  Figures out;
  if (layers.empty()) return out;
  double sum = 0, least = layers.begin()->second, most = least;
  for (const auto& [name, value] : layers) {
    out["variance_" + name] = value;
    sum += value;
    least = std::min(least, value);
    most = std::max(most, value);
  }
  out["variance_mean"] = sum / static_cast<double>(layers.size());
  out["variance_min"] = least;
  out["variance_max"] = most;
  return out;
}

// -log p of each element's target, [N] on the CPU.
at::Tensor losses_of(const Lfm2Module& model, const at::Tensor& hidden, const PackedBatch& batch,
                     int64_t chunk) {
  const at::Tensor targets = at::tensor(at::IntArrayRef(batch.targets)).to(hidden.device());
  return cross_entropy(model.for_products(hidden), model.head(), targets, 1, chunk).per_token.cpu();
}

// The same over what is due.
at::Tensor due_losses_of(const Lfm2Module& model, const at::Tensor& hidden,
                         const PackedBatch& batch, const TokenLayout& layout, int64_t chunk) {
  return due_cross_entropy(model.for_products(hidden), model.head(), batch.targets, 1, chunk,
                           layout)
      .per_token.cpu();
}

}  // namespace

EvalReport evaluate_clips(const Lfm2Module& model, const ClipSet& clips, const TokenLayout& layout,
                          const EvalRules& rules, Comm& comm) {
  at::NoGradGuard no_grad;
  EvalReport stopped;
  stopped.complete = false;
  Means means;
  CodebookMetrics metrics(layout);
  means.open("all");
  means.open("full");
  means.open("text");
  for (int k = 0; k < layout.codebooks; ++k) means.open(concat("codebook ", k));
  for (const double second : kSeconds) {
    means.open("place " + class_of(second));
    means.open("duration " + class_of(second));
  }
  for (size_t i = 0; i < clips.size(); ++i) means.open("language " + clips.language(i));

  const auto processes = static_cast<size_t>(comm.size());
  for (size_t round = 0; round * processes < clips.size(); ++round) {
    // Every process comes by here equally often, whether it has a clip of this round or not.
    if (rules.stop && round % kRoundsBetween == 0 && comm.sum(int64_t{rules.stop() ? 1 : 0}) > 0)
      return stopped;
    if (rules.progress && round % kRoundsBetween == 0) rules.progress(round * processes);
    const size_t i = round * processes + static_cast<size_t>(comm.rank());
    if (i >= clips.size()) continue;
    const PackedBatch batch = batch_of(clips, i, layout, rules.sequence);
    const at::Tensor hidden = model.forward(batch);
    metrics.add(model, batch, hidden);
    const at::Tensor losses = losses_of(model, hidden, batch, rules.loss_chunk);
    const at::Tensor due =
        rules.due ? due_losses_of(model, hidden, batch, layout, rules.loss_chunk) : losses;
    const float *full = losses.const_data_ptr<float>(), *loss = due.const_data_ptr<float>();
    const std::string language = "language " + clips.language(i);
    int64_t codes = 0;
    for (const int64_t id : batch.targets)
      codes += layout.is_audio(static_cast<int32_t>(id)) ? 1 : 0;
    const std::string duration = "duration " + class_of(static_cast<double>(codes) /
                                                        layout.codebooks / rules.frames_per_second);
    int64_t code = 0;
    for (size_t n = 0; n < batch.targets.size(); ++n) {
      const int64_t target = batch.targets[n];
      if (target == kNoTarget) continue;
      const auto value = static_cast<double>(loss[n]);
      means.add("all", value);
      means.add("full", static_cast<double>(full[n]));
      means.add(language, value);
      means.add(duration, value);
      // Control ids are in neither, as upstream counts.
      if (layout.is_text(static_cast<int32_t>(target))) means.add("text", value);
      if (!layout.is_audio(static_cast<int32_t>(target))) continue;
      const int64_t book = (target - layout.audio_start) / layout.codebook_size;
      if (book < layout.codebooks) means.add(concat("codebook ", book), value);
      const double second =
          static_cast<double>(code++ / layout.codebooks) / rules.frames_per_second;
      means.add("place " + class_of(second), value);
    }
  }
  means.exchange(comm);
  metrics.exchange(comm);

  EvalReport report;
  report.loss = means.mean("all");
  if (rules.due) report.full_loss = means.mean("full");
  report.targets = means.count("all");
  report.text_loss = means.mean("text");
  for (int k = 0; k < layout.codebooks; ++k)
    report.codebook_loss.push_back(means.mean(concat("codebook ", k)));
  report.language_loss = means.below("language ");
  report.place_loss = means.below("place ");
  report.duration_loss = means.below("duration ");
  for (Figures figures : {metrics.perplexity(), metrics.confusion(), metrics.ends()})
    report.figures.merge(figures);
  return report;
}

Figures analyze_clips(const Lfm2Module& model, const ClipSet& clips, const TokenLayout& layout,
                      const EvalRules& rules, size_t most) {
  Figures sums, variances;
  double elements = 0;
  const size_t count = std::min(most, clips.size());
  for (size_t i = 0; i < count; ++i) {
    const PackedBatch batch = batch_of(clips, i, layout, rules.sequence);
    const auto length = static_cast<double>(batch.elements());
    elements += length;
    for (const auto& [name, value] : attention_variance(model, batch)) {
      if (name.starts_with("layer_")) variances[name] += value * length;
    }
    for (const auto& [name, value] : token_influence(model, batch, layout))
      sums[name] += value / static_cast<double>(count);
  }
  for (auto& [name, value] : variances) value /= elements;
  sums.merge(variance_figures(variances));
  return sums;
}

Figures eval_figures(const EvalReport& r, const std::string& prefix) {
  Figures out{{prefix + "loss", r.loss}, {prefix + "text_loss", r.text_loss}};
  if (r.full_loss) out[prefix + "full_loss"] = *r.full_loss;
  for (size_t k = 0; k < r.codebook_loss.size(); ++k)
    out[concat(prefix, "codebook_", k, "_loss")] = r.codebook_loss[k];
  for (const auto& [kind, losses] :
       {std::pair{"language", &r.language_loss}, std::pair{"place", &r.place_loss},
        std::pair{"duration", &r.duration_loss}}) {
    for (const auto& [name, loss] : *losses) {
      out[concat(prefix, kind, "_", name.empty() ? "none" : name, "_loss")] = loss;
    }
  }
  for (const auto& [name, value] : r.figures) out[concat(prefix, "metrics/", name)] = value;
  return out;
}

}  // namespace kani::train
