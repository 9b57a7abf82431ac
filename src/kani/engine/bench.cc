// bench.cc - times of the engine's parts, as `kani bench` prints them.  The work is what speak()
// does, on made-up ids.
#include <algorithm>
#include <chrono>
#include <cmath>

#include "kani/base/random.h"
#include "kani/engine/engine_impl.h"

namespace kani {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Plain text ids at positions 0, 1, 2, …
std::vector<Element> made_up_prompt(const Lfm2Config& config, int tokens) {
  Random random(1);
  const auto text_ids = static_cast<uint64_t>(std::max(3, config.audio_tokens_start - 10));
  std::vector<Element> elements;
  for (int i = 0; i < tokens; ++i) {
    elements.push_back(
        {static_cast<int32_t>(random.next_u64() % text_ids), static_cast<double>(i)});
  }
  return elements;
}

}  // namespace

BenchTimes Engine::time_prefill(int tokens) {
  require(tokens >= 1 && tokens <= 100000, "number of prompt tokens is ", tokens,
          ", must be 1 to 100000");
  Lfm2& lm = *impl_->model.lm;
  const std::vector<Element> prompt = made_up_prompt(lm.config(), tokens);
  Lfm2Sequence sequence(lm, prompt.size());
  const auto start = Clock::now();
  const SequenceStep step{&sequence, prompt};
  const ConstMatrix hidden = lm.forward({&step, 1});
  std::vector<float> logits(lm.codebook_columns(0));
  lm.codebook_logits(hidden, 0, {logits.data(), 1, logits.size()});
  return {seconds_since(start), static_cast<uint64_t>(tokens)};
}

BenchTimes Engine::time_decode(int prompt_tokens, int tokens, int batch) {
  require(prompt_tokens >= 1 && prompt_tokens <= 100000, "number of prompt tokens is ",
          prompt_tokens, ", must be 1 to 100000");
  require(tokens >= 1 && tokens <= 100000, "number of tokens is ", tokens, ", must be 1 to 100000");
  require(batch >= 1 && batch <= 256, "batch is ", batch, ", must be 1 to 256");
  Lfm2& lm = *impl_->model.lm;
  const TokenLayout& layout = impl_->model.layout;
  const auto count = static_cast<size_t>(batch);
  const std::vector<Element> prompt = made_up_prompt(lm.config(), prompt_tokens);
  std::vector<Lfm2Sequence> sequences;
  std::vector<SequenceStep> steps(count);
  std::vector<Element> elements(count);
  std::vector<Sampler> samplers;
  // Codes seen so far, per sequence and codebook, for the repetition penalty.
  std::vector<std::vector<std::vector<int32_t>>> seen(
      count, std::vector<std::vector<int32_t>>(static_cast<size_t>(layout.codebooks)));
  sequences.reserve(count);
  for (size_t b = 0; b < count; ++b) {
    sequences.emplace_back(lm, prompt.size() + static_cast<size_t>(tokens));
    samplers.emplace_back(sampler_settings(effective_sampling({})), b);
    steps[b] = {&sequences[b], prompt};
  }
  ConstMatrix hidden = lm.forward(steps);
  std::vector<float> logits(count * lm.codebook_columns(0));
  const auto start = Clock::now();
  for (int i = 0; i < tokens; ++i) {
    const int slot = i % layout.codebooks;
    const size_t columns = lm.codebook_columns(slot);
    lm.codebook_logits(hidden, slot, {logits.data(), count, columns});
    for (size_t b = 0; b < count; ++b) {
      // END_OF_SPEECH is left out: the run must have the length that was asked for.
      const auto legal = static_cast<size_t>(layout.codebook_size);
      std::vector<int32_t>& codes = seen[b][static_cast<size_t>(slot)];
      const int32_t code = samplers[b].pick({logits.data() + b * columns, legal}, codes);
      if (std::find(codes.begin(), codes.end(), code) == codes.end()) codes.push_back(code);
      elements[b] = {layout.audio_id(slot, code),
                     prompt_tokens + i / layout.codebooks * lm.config().audio_step};
      steps[b] = {&sequences[b], {&elements[b], 1}};
    }
    hidden = lm.forward(steps);
  }
  return {seconds_since(start), static_cast<uint64_t>(tokens) * count};
}

BenchTimes Engine::time_codec(double seconds_of_sound, int frames_per_push) {
  require(seconds_of_sound > 0 && seconds_of_sound <= 3600, "seconds of sound are ",
          seconds_of_sound, ", must be above 0 and at most 3600");
  require(frames_per_push >= 1, "frames per push are ", frames_per_push, ", must be 1 or more");
  const NanoCodecConfig& config = impl_->model.codec_config;
  const auto frames = static_cast<size_t>(
      std::ceil(seconds_of_sound * config.sample_rate_hz / config.samples_per_frame));
  const auto codebooks = static_cast<size_t>(config.codebooks);
  Random random(1);
  std::vector<int32_t> codes(frames * codebooks);
  for (int32_t& code : codes) {
    code = static_cast<int32_t>(random.next_u64() % static_cast<uint64_t>(config.codebook_size()));
  }
  StreamingDecoder decoder(*impl_->model.codec);
  const auto group = static_cast<size_t>(frames_per_push);
  std::vector<float> samples(std::min(frames, group) * impl_->model.codec->samples_per_frame());
  const auto decode_all = [&] {
    for (size_t first = 0; first < frames; first += group) {
      const size_t count = std::min(frames - first, group);
      decoder.push(std::span(codes).subspan(first * codebooks, count * codebooks),
                   std::span(samples).first(count * impl_->model.codec->samples_per_frame()));
    }
  };
  const auto start = Clock::now();
  if (CodecWorker* worker = impl_->model.codec_worker.get()) {
    std::future<void> done = worker->start(decode_all);
    worker->wait(done);
  } else {
    decode_all();
  }
  return {seconds_since(start), frames};
}

}  // namespace kani
