// quality.cc - how far a model with coarser weights is from the exact one: both see the same
// tokens, and at each step their distributions over the legal tokens are compared; then what both
// codecs make of the tokens.
#include <algorithm>
#include <cmath>

#include "kani/audio/spectral_distance.h"
#include "kani/codec/streaming_decoder.h"
#include "kani/engine/engine_impl.h"
#include "kani/lm/generator.h"
#include "kani/tokens/layout.h"

namespace kani {
namespace {

// Penalty and temperature as when speaking, but nothing cut off, so that every token that one model
// allows has a probability in the other.
Sampling uncut(const LoadedModel& model) {
  Sampling sampling = sampler_settings(resolve_sampling(model.defaults, {}));
  sampling.top_k = 0;
  sampling.top_p = 1;
  sampling.min_p = 0;
  if (sampling.temperature == 0) sampling.temperature = 1;
  return sampling;
}

// What the logits say by themselves, as others compare models.
Sampling plain() {
  return {.temperature = 1, .top_k = 0, .top_p = 1, .min_p = 0, .repetition_penalty = 1};
}

// One model following a given text and codes.
class Follower {
 public:
  Follower(LoadedModel& model, std::span<const int32_t> prompt, std::span<const float> voice,
           size_t tokens)
      : model_(model),
        sampler_(uncut(model), 0),
        plain_sampler_(plain(), 0),
        positions_(model.layout, model.config().audio_step),
        sequence_(*model.lm, prompt.size() + 1 + tokens, voice),
        hidden_(static_cast<size_t>(model.config().hidden_size)) {
    feed(prompt_elements(prompt, !voice.empty(), positions_));
  }

  // Computes what distribution() and plain_distribution() tell of.
  void look(int slot) {
    const size_t columns = model_.lm->codebook_columns(slot);
    logits_.resize(columns);
    model_.lm->codebook_logits({hidden_.data(), 1, hidden_.size()}, slot,
                               {logits_.data(), 1, columns});
  }
  std::span<const Candidate> distribution(std::span<const int32_t> seen) {
    return sampler_.distribution(logits_, seen);
  }
  std::span<const Candidate> plain_distribution() {
    return plain_sampler_.distribution(logits_, {});
  }

  void follow(int32_t id) {
    const Element element{id, positions_.next(id)};
    feed({&element, 1});
  }

 private:
  void feed(std::span<const Element> elements) {
    const SequenceStep step{&sequence_, elements};
    std::copy_n(model_.lm->forward({&step, 1}).data(), hidden_.size(), hidden_.begin());
  }

  LoadedModel& model_;
  Sampler sampler_;
  Sampler plain_sampler_;
  FramePositions positions_;
  Lfm2Sequence sequence_;
  std::vector<float> hidden_;
  std::vector<float> logits_;
};

double divergence(std::span<const Candidate> exact, std::span<const Candidate> tested) {
  double sum = 0;
  for (size_t i = 0; i < exact.size(); ++i) {
    const double p = exact[i].probability, q = tested[i].probability;
    if (p > 0) sum += p * std::log(p / std::max(q, 1e-30));
  }
  return std::max(sum, 0.0);  // below zero is rounding
}

int32_t most_probable(std::span<const Candidate> all) {
  return std::max_element(
             all.begin(), all.end(),
             [](const Candidate& a, const Candidate& b) { return a.probability < b.probability; })
      ->index;
}

// The most probable codes of both models after each step of the same text.
struct BestCodes {
  std::vector<int32_t> exact, tested;
};

void compare(Follower& exact, Follower& tested, int slot, std::span<const int32_t> seen,
             BestCodes& best, QualityReport& report) {
  exact.look(slot);
  tested.look(slot);
  const auto first = exact.distribution(seen), second = tested.distribution(seen);
  const double kl = divergence(first, second);
  report.kl_mean += kl;
  report.kl_largest = std::max(report.kl_largest, kl);
  best.exact.push_back(most_probable(first));
  best.tested.push_back(most_probable(second));
  report.same_top += best.exact.back() == best.tested.back() ? 1 : 0;
  report.kl_plain += divergence(exact.plain_distribution(), tested.plain_distribution());
  ++report.tokens;
}

// What is heard, in samples of all texts one after the other.
struct Sound {
  std::vector<float> codec_exact, codec_tested;  // of the same codes
  std::vector<float> exact, tested;              // of the best codes of each
};

void append_sound(const LoadedModel& model, std::span<const int32_t> codes,
                  std::vector<float>& samples) {
  StreamingDecoder decoder(*model.codec);
  const std::vector<float> more = decoder.push(codes);
  samples.insert(samples.end(), more.begin(), more.end());
}

void follow_text(LoadedModel& exact, LoadedModel& tested, const std::string& text, int frames,
                 uint64_t seed, QualityReport& report, Sound& sound) {
  const std::vector<int32_t> prompt =
      build_prompt(exact.layout, *exact.tokenizer, tagged_text(exact.config(), text, ""),
                   AddedTokens::kPlainText, /*with_speech_start=*/true);
  const std::vector<float> voice =
      exact.default_voice ? exact.default_voice->values : std::vector<float>();
  FrameGenerator speaker(*exact.lm, prompt, voice,
                         {.sampling = sampler_settings(resolve_sampling(exact.defaults, {})),
                          .seed = seed,
                          .max_frames = frames});
  const auto codebooks = static_cast<size_t>(exact.layout.codebooks);
  std::vector<int32_t> codes;
  while (const auto frame = speaker.next()) codes.insert(codes.end(), frame->begin(), frame->end());
  Follower first(exact, prompt, voice, codes.size()), second(tested, prompt, voice, codes.size());
  std::vector<std::vector<int32_t>> seen(codebooks);
  BestCodes best;
  for (size_t i = 0; i < codes.size(); ++i) {
    const size_t slot = i % codebooks;
    compare(first, second, static_cast<int>(slot), seen[slot], best, report);
    if (std::find(seen[slot].begin(), seen[slot].end(), codes[i]) == seen[slot].end())
      seen[slot].push_back(codes[i]);
    const int32_t id = exact.layout.audio_id(static_cast<int>(slot), codes[i]);
    first.follow(id);
    second.follow(id);
  }
  append_sound(exact, codes, sound.codec_exact);
  append_sound(tested, codes, sound.codec_tested);
  append_sound(exact, best.exact, sound.exact);
  append_sound(tested, best.tested, sound.tested);
}

}  // namespace

QualityReport compare_quality(const EngineOptions& options, std::span<const std::string> texts,
                              int frames, uint64_t seed) {
  return compare_quality(options, options.model, texts, frames, seed);
}

QualityReport compare_quality(const EngineOptions& options,
                              const std::filesystem::path& exact_model,
                              std::span<const std::string> texts, int frames, uint64_t seed) {
  require(frames >= 1 && frames <= 750, "frames are ", frames, ", must be 1 to 750");
  require(!texts.empty(), "no text to compare on");
  EngineOptions exact_options = options;
  exact_options.weights = WeightType::kF32;
  exact_options.codec_type = CodecType::kF32;
  exact_options.model = exact_model;
  LoadedModel exact = load_model(exact_options), tested = load_model(options);
  QualityReport report;
  Sound sound;
  for (const std::string& text : texts)
    follow_text(exact, tested, text, frames, seed++, report, sound);
  if (report.tokens == 0) return report;
  report.kl_mean /= static_cast<double>(report.tokens);
  report.kl_plain /= static_cast<double>(report.tokens);
  report.same_top /= static_cast<double>(report.tokens);
  report.codec_snr_db = signal_to_noise_db(sound.codec_exact, sound.codec_tested);
  report.codec_spectral_db = spectral_distance_db(sound.codec_exact, sound.codec_tested);
  report.spectral_db = spectral_distance_db(sound.exact, sound.tested);
  return report;
}

}  // namespace kani
