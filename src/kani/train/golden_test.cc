// golden_test.cc - the trainer held against upstream's own numbers: batches, loss, gradients,
// packing, twenty updates, all 80,538 rows.  Tolerances: the README of the reference data.
#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/base/json.h"
#include "kani/train/metrics.h"
#include "kani/train/model_files.h"
#include "kani/train/ops.h"
#include "kani/train/optimizer.h"
#include "kani/train/order.h"

namespace kani::train {
namespace {

const std::filesystem::path kData = std::filesystem::path(KANI_TEST_DATA) / "training";

const Json& goldens() {
  static const Json json = parse_json(read_file(kData / "goldens.json", 1 << 24), "goldens.json");
  return json;
}

// The tiny model's files know nothing of Kani's own keys, as upstream writes them.
Lfm2Module tiny_model() {
  const auto path = kData / "tiny" / "init";
  Lfm2Config config = parse_lfm2_config(read_file(path / "config.json", kMaxConfigBytes),
                                        "config.json", {.audio_tokens_start = 410});
  config.speaker_emb_dim = 16;
  return load_module_as(path, std::move(config));
}

// Rows as upstream prepared them.
struct Rows {
  std::vector<std::vector<int32_t>> ids;
  std::vector<std::vector<float>> voices;

  explicit Rows(const std::string& set) {
    const ParameterMap file = load_tensors(kData / set / "rows.safetensors");
    const at::Tensor offsets = file.at("offsets"), all = file.at("input_ids"),
                     voice = file.at("speaker_emb");
    for (int64_t i = 0; i + 1 < offsets.size(0); ++i) {
      const auto begin = offsets[i].item<int64_t>(), end = offsets[i + 1].item<int64_t>();
      const auto* first = all.const_data_ptr<int32_t>();
      ids.emplace_back(first + begin, first + end);
      const auto* number = voice.const_data_ptr<float>() + i * voice.size(1);
      voices.emplace_back(number, number + voice.size(1));
    }
  }
};

PackedBatch batch_of(const Lfm2Config& config, const Rows& rows, const std::vector<int64_t>& which,
                     double step = 1, bool voices = true) {
  PackedBatch batch;
  for (const int64_t row : which) {
    const auto i = static_cast<size_t>(row);
    batch.add(TokenLayout::of(config), {.audio_step = step}, rows.ids[i],
              voices ? std::span<const float>(rows.voices[i]) : std::span<const float>(), row);
  }
  return batch;
}

// The numbers of a padded [B, T] tensor that belong to the documents of a batch.
at::Tensor unpadded(const at::Tensor& padded, const PackedBatch& batch) {
  std::vector<at::Tensor> parts;
  for (int64_t d = 0; d < batch.documents(); ++d) {
    const auto i = static_cast<size_t>(d);
    parts.push_back(padded[d].slice(0, 0, batch.starts[i + 1] - batch.starts[i]));
  }
  return at::cat(parts, 0);
}

// Upstream's losses stand at the element that is predicted, ours at the one before it.
void expect_losses(const at::Tensor& ours, const at::Tensor& theirs, const PackedBatch& batch,
                   double tolerance) {
  const at::Tensor targets = at::tensor(at::IntArrayRef(batch.targets));
  const at::Tensor wanted = at::nonzero(targets.ne(kNoTarget)).squeeze(1);
  const at::Tensor a = ours.index_select(0, wanted);
  const at::Tensor b = unpadded(theirs, batch).index_select(0, wanted + 1);
  EXPECT_LT((a - b).abs().max().item<double>(), tolerance);
}

double relative(const at::Tensor& a, const at::Tensor& b) {
  return ((a - b).norm() / b.norm()).item<double>();
}

at::Tensor targets_of(const PackedBatch& batch) {
  return at::tensor(at::IntArrayRef(batch.targets));
}

std::vector<int64_t> first_rows() { return {0, 1, 2, 3}; }

// Upstream's labels where no clip has a voice, and pads behind them.
void expect_labels(const PackedBatch& batch, const at::Tensor& labels) {
  EXPECT_EQ(labels.ne(kNoTarget).sum().item<int64_t>(), batch.labels);
  EXPECT_TRUE(unpadded(labels, batch).equal(at::tensor(at::IntArrayRef(batch.ids))));
  for (int64_t d = 0; d < batch.documents(); ++d) {
    const auto begin = batch.starts[static_cast<size_t>(d)],
               end = batch.starts[static_cast<size_t>(d) + 1];
    for (int64_t n = begin; n < end; ++n) {
      const int64_t next = n + 1 == end ? kNoTarget : labels[d][n + 1 - begin].item<int64_t>();
      EXPECT_EQ(batch.targets[static_cast<size_t>(n)], next) << n;
    }
  }
}

TEST(Goldens, batches_are_upstreams_without_their_padding) {
  Lfm2Config config;
  config.vocab_size = 80538;
  const Rows rows("full");
  const ParameterMap file = load_tensors(kData / "full" / "batches.safetensors");
  const auto& batches = goldens()["full"]["batches"];
  for (size_t b = 0; b < batches.size(); ++b) {
    const auto which = batches[b].get<std::vector<int64_t>>();
    const std::string name = concat("b", b < 10 ? "0" : "", b, ".");
    for (const char* step : {"1", "0.5", "0.25"}) {
      const PackedBatch batch = batch_of(config, rows, which, std::atof(step));
      const at::Tensor places = unpadded(file.at(concat(name, "position_ids.step_", step)), batch);
      EXPECT_TRUE(at::tensor(at::ArrayRef<float>(batch.positions)).equal(places)) << name << step;
    }
    const PackedBatch plain = batch_of(config, rows, which, 1, /*voices=*/false);
    EXPECT_TRUE(at::tensor(at::ArrayRef<float>(plain.positions))
                    .equal(unpadded(file.at(name + "position_ids.step_1.no_speaker"), plain)));
    EXPECT_TRUE(
        at::tensor(at::IntArrayRef(plain.ids)).equal(unpadded(file.at(name + "input_ids"), plain)));

    if (b == 0) expect_labels(plain, file.at("b00_nospk.labels"));

    // A target is the label behind it; upstream's labels have the voice slot already.
    const PackedBatch batch = batch_of(config, rows, which);
    const at::Tensor labels = unpadded(file.at(name + "labels"), batch);
    int64_t counted = 0;
    for (int64_t d = 0; d < batch.documents(); ++d) {
      const auto i = static_cast<size_t>(d);
      for (int64_t n = batch.starts[i]; n < batch.starts[i + 1]; ++n) {
        const bool last = n + 1 == batch.starts[i + 1];
        const int64_t next = last ? kNoTarget : labels[n + 1].item<int64_t>();
        EXPECT_EQ(batch.targets[static_cast<size_t>(n)], next) << name << n;
        counted += labels[n].item<int64_t>() != kNoTarget ? 1 : 0;
      }
    }
    EXPECT_EQ(batch.labels, counted);
    EXPECT_TRUE(at::tensor(at::ArrayRef<float>(batch.voices))
                    .view({-1, 128})
                    .equal(file.at(name + "speaker_emb")));
  }
}

TEST(Goldens, ids_become_clips_and_clips_become_ids) {
  Lfm2Config config;
  config.vocab_size = 80538;
  const TokenLayout layout = TokenLayout::of(config);
  for (const auto& ids : Rows("full").ids) {
    const TrainingClip clip = clip_of_ids(layout, ids);
    EXPECT_EQ(clip_ids(layout, clip, {}), ids);
    TrainingClip repeated = clip;  // its last frame twice
    repeated.codes.insert(repeated.codes.end(), clip.codes.end() - 4, clip.codes.end());
    EXPECT_NE(clip_ids(layout, repeated, {}), ids);
    EXPECT_EQ(clip_ids(layout, repeated, {.drop_repeated_frames = true}), ids);
  }
}

TEST(Goldens, loss_and_gradients_of_the_first_batch) {
  const Lfm2Module model = tiny_model();
  const PackedBatch batch = batch_of(model.config(), Rows("tiny"), first_rows());
  const Json& g = goldens()["batch0"];
  EXPECT_EQ(batch.labels, g["num_items_in_batch"]);
  EXPECT_EQ(batch.target_count, g["num_targets"]);
  const at::Tensor hidden = model.forward(batch);
  const LossResult result = cross_entropy(hidden, model.head(), targets_of(batch),
                                          1.0 / static_cast<double>(batch.labels), 64);
  EXPECT_NEAR(result.loss.item<double>(), g["loss_trainer_normalisation"].get<double>(), 1e-5);
  EXPECT_NEAR(result.per_token.sum().item<double>() / static_cast<double>(batch.target_count),
              g["loss_mean_over_targets"].get<double>(), 1e-5);
  const ParameterMap file = load_tensors(kData / "tiny" / "batch0.safetensors");
  expect_losses(result.per_token, file.at("per_token_loss"), batch, 2e-5);
  for (size_t d = 0; d < 4; ++d) {
    const at::Tensor logits = at::mv(model.head(), hidden[batch.starts[d + 1] - 1]);
    EXPECT_LT(
        (logits - file.at("logits_last_real")[static_cast<int64_t>(d)]).abs().max().item<double>(),
        1e-4);
  }
  result.loss.backward();
  const ParameterMap grads = load_tensors(kData / "tiny" / "batch0_grads.safetensors");
  EXPECT_EQ(grads.size(), model.parameters().size());
  for (const auto& [name, grad] : grads)
    EXPECT_LT(relative(model.parameter(name).grad(), grad), 1e-4) << name;
}

// One row after the other gives what all together give: nothing leaks between documents.
TEST(Goldens, packed_documents_do_not_see_each_other) {
  const Lfm2Module model = tiny_model();
  const Rows rows("tiny");
  const PackedBatch together = batch_of(model.config(), rows, first_rows());
  at::NoGradGuard no_grad;
  const at::Tensor all = model.forward(together);
  for (size_t d = 0; d < 4; ++d) {
    const PackedBatch alone = batch_of(model.config(), rows, {static_cast<int64_t>(d)});
    const at::Tensor part = all.slice(0, together.starts[d], together.starts[d + 1]);
    EXPECT_LT((part - model.forward(alone)).abs().max().item<double>(), 2e-5);
  }
}

TEST(Goldens, twenty_updates) {
  Lfm2Module model = tiny_model();
  const Rows rows("tiny");
  const Json& g = goldens()["train"];
  AdamW optimizer({.learning_rate = 9e-4,
                   .alpha_lr_ratio = 1.5,
                   .max_grad_norm = 3,
                   .warmup_steps = 4,
                   .total_steps = 20,
                   .warm_from_zero = true},
                  model.parameters());
  int64_t update = 0;
  for (uint64_t epoch = 0; update < 20; ++epoch) {
    const at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(42 + epoch);
    const at::Tensor permutation = at::randperm(38, generator);
    std::vector<uint32_t> order;
    for (int64_t i = 0; i < 38; ++i)
      order.push_back(static_cast<uint32_t>(permutation[i].item<int64_t>()));
    const std::vector<Row> batches = cut_batches(order, 4);
    for (size_t first = 0; first < batches.size() && update < 20; first += 3, ++update) {
      const Json& point = g["curve"][static_cast<size_t>(update)];
      std::vector<PackedBatch> micro;
      int64_t labels = 0;
      for (size_t b = first; b < std::min(first + 3, batches.size()); ++b) {
        const std::vector<int64_t> which(batches[b].begin(), batches[b].end());
        EXPECT_EQ(Json(which), point["micro_batches"][b - first]["rows"]);
        micro.push_back(batch_of(model.config(), rows, which));
        labels += micro.back().labels;
      }
      EXPECT_EQ(labels, point["num_items_in_batch"]);
      double loss = 0;
      for (const PackedBatch& batch : micro) {
        const LossResult result =
            cross_entropy(model.forward(batch), model.head(), targets_of(batch),
                          1.0 / static_cast<double>(labels), 128);
        result.loss.backward();
        loss += result.loss.item<double>();
      }
      EXPECT_NEAR(loss, point["loss"].get<double>(), 1e-5) << update;
      const double rate = point["lr"], alpha_rate = point["lr_alpha"];
      EXPECT_NEAR(optimizer.learning_rate(update), rate, 1e-12 * rate);
      EXPECT_NEAR(optimizer.learning_rate(update) * 1.5, alpha_rate, 1e-12 * alpha_rate);
      const double norm = optimizer.step(update);
      const double expected = point["grad_norm_before_clip"].get<double>();
      EXPECT_NEAR(norm, expected, 1e-4 * expected) << update;
    }
  }
  for (const auto& [name, value] : load_tensors(kData / "tiny" / "final.safetensors"))
    EXPECT_LT((model.parameter(name) - value).abs().max().item<double>(), 1e-5) << name;
  for (const auto& [name, state] : g["optimizer_state_after"].items()) {
    const Moments& moments = optimizer.state().at(name);
    EXPECT_EQ(moments.steps.item<double>(), state["step"].get<double>());
    const double first = state["exp_avg_norm"], second = state["exp_avg_sq_norm"];
    EXPECT_NEAR(moments.first.norm().item<double>(), first, 1e-4 * first) << name;
    EXPECT_NEAR(moments.second.norm().item<double>(), second, 1e-4 * second) << name;
  }
  const PackedBatch batch = batch_of(model.config(), rows, first_rows());
  at::NoGradGuard no_grad;
  const LossResult after = cross_entropy(model.forward(batch), model.head(), targets_of(batch),
                                         1.0 / static_cast<double>(batch.target_count), 64);
  EXPECT_NEAR(after.loss.item<double>(), g["batch0_loss_after"].get<double>(), 1e-5);
}

TEST(Goldens, all_rows_of_the_real_vocabulary_in_chunks_of_any_size) {
  const Rows rows("full");
  const Json& g = goldens()["vocab80538"];
  const ParameterMap file = load_tensors(kData / "vocab80538" / "batch0.safetensors");
  for (const int64_t chunk : {16, 100, 4096}) {
    Json keys =
        parse_json(read_file(kData / "vocab80538" / "config.json", kMaxConfigBytes), "config.json");
    keys["model_type"] = "lfm2";
    const Lfm2Module model =
        load_module_as(kData / "vocab80538", parse_lfm2_config(dump_json(keys), "config.json"));
    const PackedBatch batch = batch_of(model.config(), rows, first_rows());
    EXPECT_EQ(batch.labels, g["num_items_in_batch"]);
    const LossResult result = cross_entropy(model.forward(batch), model.head(), targets_of(batch),
                                            1.0 / static_cast<double>(batch.labels), chunk);
    const double sum =
        g["loss_mean_over_targets"].get<double>() * static_cast<double>(batch.target_count);
    EXPECT_NEAR(result.loss.item<double>(), g["loss_trainer_normalisation"].get<double>(), 1e-5);
    EXPECT_NEAR(result.per_token.sum().item<double>(), sum,
                1e-5 * static_cast<double>(batch.target_count));
    expect_losses(result.per_token, file.at("per_token_loss"), batch, 2e-5);
    result.loss.backward();
    const at::Tensor grad = model.parameter("model.embed_tokens.weight").grad();
    const at::Tensor listed = grad.index_select(0, file.at("embed_grad_row_ids").to(at::kLong));
    EXPECT_LT((listed - file.at("embed_grad_rows")).abs().max().item<double>(), 1e-6);
    const at::Tensor norms = grad.slice(0, 0, {}, 97).norm(2, 1);
    EXPECT_LT((norms - file.at("embed_grad_row_norms")).abs().max().item<double>(), 1e-6);
    for (const auto& [name, norm] : g["grad_norms"].items()) {
      EXPECT_NEAR(model.parameter(name).grad().norm().item<double>(), norm.get<double>(),
                  1e-4 * norm.get<double>())
          << name << chunk;
    }
  }
}

// Rows that upstream measured with its own tools (training.md 10).
TEST(Goldens, metrics_of_the_first_batch) {
  const Lfm2Module model = tiny_model();
  const TokenLayout layout = TokenLayout::of(model.config());
  const Rows rows("tiny");
  const PackedBatch batch = batch_of(model.config(), rows, first_rows());
  const Json& g = goldens()["metrics_batch0"];
  CodebookMetrics metrics(layout);
  metrics.add(model, batch, model.forward(batch));
  const Figures perplexity = metrics.perplexity(), confusion = metrics.confusion();
  for (const auto& [name, value] : g["perplexity"].items())
    EXPECT_NEAR(perplexity.at(name), value.get<double>(), 1e-4 * value.get<double>()) << name;
  for (const auto& [name, value] : g["confusion_top5"].items())
    EXPECT_NEAR(confusion.at(name), value.get<double>(), 1e-12) << name;

  PackedBatch cut;
  for (const size_t row : {0, 1}) {
    const std::span<const int32_t> ids(rows.ids[row]);
    cut.add(layout, {}, ids.first(std::min<size_t>(40, ids.size())), {}, static_cast<int64_t>(row));
    for (int64_t n = cut.starts[row]; n < cut.elements(); ++n)
      cut.positions[static_cast<size_t>(n)] = static_cast<float>(n - cut.starts[row]);
  }
  const Figures influence = token_influence(model, cut, layout);
  for (const auto& [name, value] : g["influence_first40_rows01_no_speaker_plain_positions"].items())
    EXPECT_NEAR(influence.at(name), value.get<double>(), 1e-3 * value.get<double>()) << name;
  EXPECT_EQ(model.parameter("model.embed_tokens.weight").grad().defined(), false);
}

}  // namespace
}  // namespace kani::train
