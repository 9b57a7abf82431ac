// metrics.cc - see metrics.h.
#include "kani/train/metrics.h"

#include <algorithm>
#include <cmath>

#include "kani/base/error.h"
#include "kani/base/random.h"
#include "kani/train/ops.h"
#include "kani/train/torch_function.h"

namespace kani::train {
namespace {

constexpr int64_t kNearest = 5;       // most probable tokens that confusion looks at
constexpr int64_t kRowsAtOnce = 512;  // whose logits exist

struct Spread {
  double mean = 0, least = 0, most = 0, population_deviation = 0, sample_deviation = 0;
};

Spread spread(const std::vector<double>& values) {
  Spread s;
  if (values.empty()) return s;
  const auto count = static_cast<double>(values.size());
  for (const double v : values) s.mean += v / count;
  double square = 0;
  for (const double v : values) square += (v - s.mean) * (v - s.mean);
  s.least = *std::min_element(values.begin(), values.end());
  s.most = *std::max_element(values.begin(), values.end());
  s.population_deviation = std::sqrt(square / count);
  s.sample_deviation = values.size() < 2 ? 0 : std::sqrt(square / (count - 1));
  return s;
}

double share(int64_t part, int64_t all) {
  return all == 0 ? 0 : static_cast<double>(part) / static_cast<double>(all);
}

}  // namespace

CodebookMetrics::CodebookMetrics(const TokenLayout& layout)
    : layout_(layout),
      sums_(static_cast<size_t>(layout.codebooks) + 1),
      seen_(static_cast<size_t>(layout.codebooks),
            std::vector<int64_t>(static_cast<size_t>(layout.codebooks))) {}

int CodebookMetrics::kind_of(int64_t id) const {
  if (layout_.is_audio(static_cast<int32_t>(id)))
    return static_cast<int>((id - layout_.audio_start) / layout_.codebook_size);
  return layout_.is_text(static_cast<int32_t>(id)) ? layout_.codebooks : -1;
}

void CodebookMetrics::add(const Lfm2Module& model, const PackedBatch& batch,
                          const at::Tensor& hidden) {
  at::NoGradGuard no_grad;
  std::vector<int64_t> where;
  for (size_t n = 0; n < batch.targets.size(); ++n) {
    const int64_t target = batch.targets[n];
    if (target != kNoTarget && (kind_of(target) >= 0 || target == layout_.end_of_speech))
      where.push_back(static_cast<int64_t>(n));
  }
  for (size_t first = 0; first < where.size(); first += kRowsAtOnce) {
    const size_t count = std::min<size_t>(kRowsAtOnce, where.size() - first);
    const at::Tensor rows =
        at::tensor(at::IntArrayRef(where.data() + first, count)).to(hidden.device());
    const at::Tensor logits =
        at::mm(hidden.index_select(0, rows), model.head().t()).to(at::kFloat).cpu();
    const at::Tensor sums = logits.logsumexp({1});
    const at::Tensor best = std::get<1>(logits.topk(std::min<int64_t>(10, logits.size(1)), 1));
    for (size_t i = 0; i < count; ++i) {
      const auto row = static_cast<int64_t>(i);
      const int64_t target = batch.targets[static_cast<size_t>(where[first + i])];
      const int kind = kind_of(target);
      const auto* top = best.const_data_ptr<int64_t>() + row * best.size(1);
      const int64_t at_end = top[0] == layout_.end_of_speech ? 1 : 0;
      if (target == layout_.end_of_speech) {
        ++ends_.ends;
        ends_.found += at_end;
        continue;
      }
      if (kind == 0) {
        ++ends_.frames;
        ends_.false_ends += at_end;
      }
      Sum& sum = sums_[static_cast<size_t>(kind)];
      const auto score = static_cast<double>(logits[row][target].item<float>());
      sum.loss += static_cast<double>(sums[row].item<float>()) - score;
      ++sum.count;
      sum.top1 += top[0] == target ? 1 : 0;
      sum.top10 += std::find(top, top + best.size(1), target) != top + best.size(1) ? 1 : 0;
      if (kind == layout_.codebooks) continue;
      const int64_t begin = layout_.audio_id(kind, 0);
      const at::Tensor slot =
          logits[row].slice(0, begin, begin + layout_.codebook_size).logsumexp({0});
      sum.slot_loss += static_cast<double>(slot.item<float>()) - score;
      std::vector<bool> hit(static_cast<size_t>(layout_.codebooks));
      for (int64_t k = 0; k < std::min(kNearest, best.size(1)); ++k) {
        const int other = kind_of(top[k]);
        if (other >= 0 && other < layout_.codebooks) hit[static_cast<size_t>(other)] = true;
      }
      for (size_t j = 0; j < hit.size(); ++j) seen_[static_cast<size_t>(kind)][j] += hit[j] ? 1 : 0;
    }
  }
}

Figures CodebookMetrics::perplexity() const {
  Figures out;
  std::vector<double> books;
  for (size_t k = 0; k < sums_.size(); ++k) {
    const Sum& sum = sums_[k];
    if (sum.count == 0) continue;
    const double value = std::exp(sum.loss / static_cast<double>(sum.count));
    if (k + 1 == sums_.size()) {
      out["text_ppl"] = value;
      continue;
    }
    const std::string name = concat("layer_", k);
    out[name + "_ppl"] = value;
    out[name + "_slot_ppl"] = std::exp(sum.slot_loss / static_cast<double>(sum.count));
    out[name + "_top1"] = share(sum.top1, sum.count);
    out[name + "_top10"] = share(sum.top10, sum.count);
    books.push_back(value);
  }
  if (books.empty()) return out;
  const Spread s = spread(books);
  out["avg_audio_ppl"] = s.mean;
  out["ppl_variance"] = s.population_deviation * s.population_deviation / (s.mean * s.mean);
  out["ppl_std"] = s.population_deviation;
  out["ppl_max_diff"] = s.most - s.least;
  return out;
}

Figures CodebookMetrics::confusion() const {
  Figures out;
  std::vector<double> diagonal, off;
  for (size_t i = 0; i < seen_.size(); ++i) {
    int64_t sum = 0;
    for (const int64_t count : seen_[i]) sum += count;
    for (size_t j = 0; j < seen_[i].size(); ++j) {
      const double value = share(seen_[i][j], sum);
      out[concat("confusion_", i, "_", j)] = value;
      (i == j ? diagonal : off).push_back(value);
    }
  }
  const Spread on = spread(diagonal), beside = spread(off);
  out["avg_diagonal"] = on.mean;
  out["min_diagonal"] = on.least;
  out["avg_off_diagonal"] = beside.mean;
  out["max_off_diagonal"] = beside.most;
  return out;
}

Figures CodebookMetrics::ends() const {
  return {{"end_recall", share(ends_.found, ends_.ends)},
          {"false_end_rate", share(ends_.false_ends, ends_.frames)}};
}

void CodebookMetrics::exchange(Comm& comm) {
  if (comm.size() == 1) return;
  // Counts stay whole numbers in doubles up to 2^53.
  std::vector<double> flat;
  const auto pass = [&](const auto& body) {
    for (Sum& s : sums_) {
      body(s.loss);
      body(s.slot_loss);
      for (int64_t* count : {&s.top1, &s.top10, &s.count}) body(*count);
    }
    for (auto& row : seen_) {
      for (int64_t& count : row) body(count);
    }
    for (int64_t* count : {&ends_.ends, &ends_.found, &ends_.frames, &ends_.false_ends})
      body(*count);
  };
  pass([&](const auto& value) { flat.push_back(static_cast<double>(value)); });
  comm.sum(flat);
  size_t i = 0;
  pass([&](auto& value) {
    value = static_cast<std::remove_reference_t<decltype(value)>>(flat[i++]);
  });
}

Figures attention_variance(const Lfm2Module& model, const PackedBatch& batch) {
  struct Tap : ForwardTap {
    void attention_output(int layer, const at::Tensor& y) override {
      figures[concat("layer_", layer)] =
          y.to(at::kFloat).var(1, /*unbiased=*/true).mean().item<double>();
    }
    Figures figures;
  } tap;
  at::NoGradGuard no_grad;
  model.forward(batch, &tap);
  std::vector<double> values;
  for (const auto& [name, value] : tap.figures) values.push_back(value);
  const Spread s = spread(values);
  tap.figures["mean"] = s.mean;
  tap.figures["min"] = s.least;
  tap.figures["max"] = s.most;
  return tap.figures;
}

Figures token_influence(const Lfm2Module& model, const PackedBatch& batch,
                        const TokenLayout& layout, int64_t most, uint64_t seed) {
  struct Tap : ForwardTap {
    void embeddings(at::Tensor& x) override { inputs = x = x.detach().set_requires_grad(true); }
    at::Tensor inputs;
  } tap;
  const at::Tensor hidden = model.forward(batch, &tap);
  Random random(seed);
  Figures out;
  for (int k = 0; k < layout.codebooks; ++k) {
    const auto in_book = [&](int64_t id, int book) {
      return id >= layout.audio_id(book, 0) && id < layout.audio_id(book, 0) + layout.codebook_size;
    };
    std::vector<int64_t> where;
    for (size_t n = 0; n < batch.targets.size(); ++n) {
      if (in_book(batch.targets[n], k)) where.push_back(static_cast<int64_t>(n));
    }
    for (size_t i = where.size(); i > 1; --i) std::swap(where[i - 1], where[random.next_u64() % i]);
    if (static_cast<int64_t>(where.size()) > most) where.resize(static_cast<size_t>(most));
    double text = 0, same = 0, cross = 0;
    for (const int64_t n : where) {
      const at::Tensor logits = at::mv(model.head(), hidden[n]).to(at::kFloat);
      const at::Tensor loss = logits.logsumexp({0}) - logits[batch.targets[static_cast<size_t>(n)]];
      const at::Tensor norms =
          torch::autograd::grad({loss}, {tap.inputs}, {}, /*retain_graph=*/true)[0]
              .norm(2, 1)
              .to(at::kFloat)
              .cpu();
      const auto after = std::upper_bound(batch.starts.begin(), batch.starts.end(), n);
      for (int64_t i = *(after - 1); i <= n; ++i) {
        const auto norm = static_cast<double>(norms.const_data_ptr<float>()[i]);
        const int64_t id = batch.ids[static_cast<size_t>(i)];
        if (!layout.is_audio(static_cast<int32_t>(id))) {
          text += norm;
        } else {
          (in_book(id, k) ? same : cross) += norm;
        }
      }
    }
    const double total = text + same + cross;
    const std::string name = concat("layer_", k);
    out[name + "_text_influence"] = total == 0 ? 0 : text / total;
    out[name + "_same_layer_influence"] = total == 0 ? 0 : same / total;
    out[name + "_cross_layer_influence"] = total == 0 ? 0 : cross / total;
  }
  return out;
}

Figures rope_figures(const Lfm2Module& model) {
  Figures out;
  std::vector<double> values;
  if (!model.config().use_learnable_rope.value_or(false)) return out;
  at::NoGradGuard no_grad;
  for (size_t i = 0; i < model.config().layers.size(); ++i) {
    if (model.config().layers[i] != LayerKind::kAttention) continue;
    const int layer = static_cast<int>(i);
    values.push_back(model.rope_factor(layer).item<double>());
    out[concat("rope_alpha/layer_", layer, "/value")] = values.back();
    out[concat("rope_alpha/layer_", layer, "/raw_weight")] =
        model.parameter(concat("model.learnable_rope_layers.", layer, ".alpha_weight"))
            .item<double>();
  }
  const Spread s = spread(values);
  out["rope_alpha/mean"] = s.mean;
  out["rope_alpha/min"] = s.least;
  out["rope_alpha/max"] = s.most;
  out["rope_alpha/std"] = s.sample_deviation;
  return out;
}

}  // namespace kani::train
