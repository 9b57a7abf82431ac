// small_bench.cc - processor seconds of one update of a small model from nothing, as
// docs/training.md makes one: hidden 192, 7 layers, 16,538 ids, clips of 250 elements; one thread.
//   small_bench [--runs N] [--clips N] [--rows] [--adamw] [--guide]
// --rows: the table itself instead of sums; --adamw: for the matrices too; --guide: with guided
// attention.  One line of JSON; the least of the runs, as other programs only make it longer.
#include <ATen/Parallel.h>
#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "kani/base/error.h"
#include "kani/base/random.h"
#include "kani/train/grow.h"
#include "kani/train/ops.h"
#include "kani/train/optimizer.h"
#include "kani/train/tensor_memory.h"

namespace {

using namespace kani;
using namespace kani::train;

constexpr int kText = 40, kFrames = 50;

struct Options {
  int runs = 10, clips = 10;
  bool rows = false, adamw = false, guide = false;
};

Options parse(int argc, char** argv) {
  Options o;
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    if (flag == "--rows") {
      o.rows = true;
    } else if (flag == "--adamw") {
      o.adamw = true;
    } else if (flag == "--guide") {
      o.guide = true;
    } else {
      require((flag == "--runs" || flag == "--clips") && i + 1 < argc, "unknown flag ", flag);
      const int value = std::atoi(argv[++i]);
      require(value > 0, flag, " must be above 0");
      (flag == "--runs" ? o.runs : o.clips) = value;
    }
  }
  return o;
}

Lfm2Config small_config() {
  Lfm2Config c;
  c.vocab_size = 16538;
  c.audio_tokens_start = 410;
  c.hidden_size = 192;
  c.heads = 6;
  c.kv_heads = 3;
  c.head_dim = 32;
  c.intermediate_size = 512;
  c.rope_theta = 10000;
  c.use_learnable_rope = true;
  for (const char kind : std::string("CCACACA"))
    c.layers.push_back(kind == 'A' ? LayerKind::kAttention : LayerKind::kConv);
  return c;
}

PackedBatch random_batch(const Lfm2Config& config, int clips, Random& random) {
  const TokenLayout layout = TokenLayout::of(config);
  PackedBatch batch;
  for (int i = 0; i < clips; ++i) {
    TrainingClip clip;
    clip.text.push_back(layout.start_of_text);
    for (int k = 0; k < kText; ++k)
      clip.text.push_back(static_cast<int32_t>(3 + random.next_u64() % 390));
    for (int k = 0; k < 4 * kFrames; ++k)
      clip.codes.push_back(static_cast<int32_t>(random.next_u64() % 4032));
    batch.add(layout, {}, clip_ids(layout, clip, {}), {}, i);
  }
  return batch;
}

double processor_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// The parts of an update, and the least that each took.
enum Part { kForward, kLoss, kBackward, kUpdate, kParts };
constexpr const char* kNames[kParts] = {"forward", "loss", "backward", "optimizer"};

}  // namespace

int main(int argc, char** argv) {
  try {
    const Options o = parse(argc, argv);
    keep_tensor_memory();
    at::set_num_threads(1);
    const Lfm2Config config = small_config();
    ParameterMap weights = random_parameters(config, /*seed=*/1);
    ComputeRules rules;
    if (!o.rows) {
      rules.table = TableFactors::of(config, {9, 8, 8, 7});
      put_factors(rules.table, random_table(rules.table, config.hidden_size, kStartDeviation, 2),
                  weights);
    }
    Lfm2Module model(config, std::move(weights), rules);
    OptimizerSettings settings;
    settings.learning_rate = 3e-3;
    settings.beta2 = 0.98;
    settings.warmup_steps = 0;
    settings.total_steps = 1;
    settings.schedule = "constant";
    settings.rule = o.adamw ? "adamw" : "muon";
    AdamW optimizer(settings, model.parameters());
    Random random(1);
    double least[kParts + 1];
    std::fill(least, least + kParts + 1, 1e9);
    double elements = 0;
    for (int run = -2; run < o.runs; ++run) {
      const PackedBatch batch = random_batch(config, o.clips, random);
      const at::Tensor targets = at::tensor(at::IntArrayRef(batch.targets));
      double marks[kParts + 1] = {processor_seconds()};
      AttentionGuide guide(config, 0.12, batch.speech);
      const at::Tensor hidden = model.forward(batch, nullptr, o.guide ? &guide : nullptr);
      marks[1] = processor_seconds();
      at::Tensor loss =
          cross_entropy(hidden, model.head(), targets, 1 / static_cast<double>(batch.target_count),
                        2048, rules.table)
              .loss;
      if (o.guide)
        loss =
            loss + guide.penalty() / static_cast<double>(AttentionGuide::positions(batch.speech));
      marks[2] = processor_seconds();
      loss.backward();
      marks[3] = processor_seconds();
      optimizer.step(0);
      marks[4] = processor_seconds();
      elements = static_cast<double>(batch.elements());
      if (run < 0) continue;
      for (int part = 0; part < kParts; ++part)
        least[part] = std::min(least[part], marks[part + 1] - marks[part]);
      least[kParts] = std::min(least[kParts], marks[kParts] - marks[0]);
    }
    std::printf("{\"metric\": \"kani-train-small-step\", \"elements\": %.0f, \"seconds\": %.4f",
                elements, least[kParts]);
    for (int part = 0; part < kParts; ++part)
      std::printf(", \"%s\": %.4f", kNames[part], least[part]);
    std::printf("}\n");
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "small_bench: error: %s\n", error.what());
    return 1;
  }
}
