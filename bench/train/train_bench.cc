// train_bench.cc - times one update of the trainer on random tokens, as bench/peers/train.py does
// upstream's: forward, loss, backward, clipping, AdamW.  One line of JSON.
//   train_bench [--threads N] [--runs N] [--batch N] [--length N] [--hidden N] [--layers N]
//               [--vocab N] [--natural] [--recompute] [--bf16] [--rank N]
// --natural: clips of log-normal lengths (median LENGTH / 2) in as many elements; nothing is
// padded.  --recompute, --bf16: gradient_checkpointing and bf16; --rank: LoRA of that rank.
#include <ATen/Parallel.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>

#include "kani/base/error.h"
#include "kani/base/random.h"
#include "kani/train/grow.h"
#include "kani/train/lora.h"
#include "kani/train/ops.h"
#include "kani/train/optimizer.h"
#include "kani/train/tensor_memory.h"

namespace {

using namespace kani;
using namespace kani::train;

struct Options {
  int threads = 2, runs = 5, batch = 8, length = 512, hidden = 256, layers = 10, vocab = 8192;
  bool natural = false, recompute = false, bf16 = false;
  int rank = 0;
};

Options parse(int argc, char** argv) {
  Options o;
  const std::array switches{std::pair{"--natural", &o.natural},
                            std::pair{"--recompute", &o.recompute}, std::pair{"--bf16", &o.bf16}};
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    const auto found = std::find_if(switches.begin(), switches.end(),
                                    [&](const auto& one) { return flag == one.first; });
    if (found != switches.end()) {
      *found->second = true;
      continue;
    }
    require(i + 1 < argc, "flag ", flag, " needs a value");
    const int value = std::atoi(argv[++i]);
    require(value > 0, flag, " must be above 0");
    if (flag == "--threads")
      o.threads = value;
    else if (flag == "--runs")
      o.runs = value;
    else if (flag == "--batch")
      o.batch = value;
    else if (flag == "--length")
      o.length = value;
    else if (flag == "--hidden")
      o.hidden = value;
    else if (flag == "--layers")
      o.layers = value;
    else if (flag == "--vocab")
      o.vocab = value;
    else if (flag == "--rank")
      o.rank = value;
    else
      throw Error(ErrorCode::kInvalidArgument, "unknown flag ", flag);
  }
  return o;
}

Lfm2Config config_of(const Options& o) {
  Lfm2Config c;
  c.vocab_size = o.vocab;
  c.hidden_size = o.hidden;
  c.head_dim = 64;
  c.heads = o.hidden / 64;
  c.kv_heads = std::max(1, o.hidden / 128);
  c.intermediate_size = 3 * o.hidden;  // 1152 of 256 after the two-thirds rule
  for (int i = 0; i < o.layers; ++i)
    c.layers.push_back(i % 3 == 2 ? LayerKind::kAttention : LayerKind::kConv);
  c.audio_tokens_start = 2048;
  c.use_learnable_rope = true;
  return c;
}

std::vector<int> lengths_of(const Options& o, Random& random) {
  if (!o.natural) return std::vector<int>(static_cast<size_t>(o.batch), o.length);
  std::vector<int> lengths;
  for (int left = o.batch * o.length; left > 0;) {
    const double drawn = 0.5 * o.length * std::exp(0.5 * random.next_normal());
    lengths.push_back(std::min({left, o.length, std::max(16, static_cast<int>(drawn))}));
    left -= lengths.back();
  }
  return lengths;
}

PackedBatch random_batch(const Options& o, const Lfm2Config& config, Random& random) {
  PackedBatch batch;
  for (const int length : lengths_of(o, random)) {
    const int text = length / 8;
    double position = 0;
    for (int i = 0; i < length; ++i) {
      const bool audio = i >= text;
      const auto low = static_cast<uint64_t>(audio ? config.audio_tokens_start : 0);
      const auto high =
          static_cast<uint64_t>(audio ? config.vocab_size : config.audio_tokens_start);
      batch.ids.push_back(static_cast<int64_t>(low + random.next_u64() % (high - low)));
      batch.positions.push_back(static_cast<float>(std::floor(position)));
      position += audio ? 0.25 : 1;
    }
    for (int i = 0; i + 1 < length; ++i)
      batch.targets.push_back(batch.ids[batch.ids.size() - static_cast<size_t>(length - i - 1)]);
    batch.targets.push_back(kNoTarget);
    batch.starts.push_back(batch.elements());
    batch.rows.push_back(0);
    batch.labels += length;
    batch.target_count += length - 1;
  }
  return batch;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const Options o = parse(argc, argv);
    keep_tensor_memory();
    at::set_num_threads(o.threads);
    const Lfm2Config config = config_of(o);
    ParameterMap weights = random_parameters(config, /*seed=*/1);
    const LoraSettings lora{.rank = o.rank};
    if (o.rank > 0) add_adapters(lora, /*seed=*/2, weights);
    Lfm2Module model(config, std::move(weights),
                     {.bf16 = o.bf16, .recompute = o.recompute, .adapter_scale = lora.scale()});
    AdamW optimizer({.learning_rate = 1e-3,
                     .beta2 = 0.95,
                     .weight_decay = 0.02,
                     .warmup_steps = 0,
                     .total_steps = 1,
                     .schedule = "constant"},
                    model.parameters());
    Random random(1);
    std::vector<double> rates;
    double loss = 0;
    for (int run = -2; run < o.runs; ++run) {
      const PackedBatch batch = random_batch(o, config, random);
      const auto start = std::chrono::steady_clock::now();
      const LossResult result =
          cross_entropy(model.for_products(model.forward(batch)), model.head(),
                        at::tensor(at::IntArrayRef(batch.targets)),
                        1 / static_cast<double>(batch.target_count), 2048);
      result.loss.backward();
      optimizer.step(0);
      const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
      if (run >= 0) rates.push_back(static_cast<double>(batch.elements()) / took.count());
      loss = result.loss.item<double>();
    }
    std::sort(rates.begin(), rates.end());
    int64_t parameters = 0;
    for (const auto& [name, parameter] : model.parameters()) parameters += parameter.numel();
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    std::printf(
        "{\"metric\": \"kani-train-step\", \"threads\": %d, \"parameters\": %lld, "
        "\"tokens_per_s\": {\"min\": %.5g, \"median\": %.5g, \"max\": %.5g}, \"loss\": %.4f, "
        "\"peak_rss_mb\": %ld}\n",
        o.threads, static_cast<long long>(parameters), rates.front(), rates[rates.size() / 2],
        rates.back(), loss, usage.ru_maxrss / 1024);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "train_bench: error: %s\n", error.what());
    return 1;
  }
}
