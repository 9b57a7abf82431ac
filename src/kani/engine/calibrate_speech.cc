// calibrate_speech.cc - what a model says to itself while it is converted.
#include "kani/engine/calibrate.h"
#include "kani/tokens/layout.h"

namespace kani {
namespace {

// None of them is a sentence of `kani bench quality`.
constexpr const char* kTexts[] = {
    "A cold wind blew over the hills.",
    "The dog sleeps under the table.",
    "I will call you tomorrow at seven.",
    "They built a house of stone.",
    "Her sister works in a bank.",
    "The soup is too hot to eat.",
    "Can you tell me the time?",
    "We have never been there before.",
    "The teacher wrote a long letter.",
    "Birds sing early in the morning.",
    "He lost his keys in the park.",
    "The road goes through the forest.",
    "Fresh bread smells wonderful.",
    "Two friends met at the station.",
    "The moon was bright and full.",
    "She speaks slowly and clearly.",
    "What a beautiful day it is!",
    "Nobody knew the answer.",
    "The ship left the harbour at noon.",
    "My father likes to cook fish.",
    "The price of milk has gone up.",
    "They danced until midnight.",
    "A good book is a good friend.",
    "Snow covered the whole village.",
    "The doctor will see you now.",
    "It takes an hour by bus.",
    "The cat chased a mouse.",
    "I forgot to lock the door.",
    "Open your eyes and look.",
    "Their new song is very popular.",
    "The river is deep and wide.",
    "Do not forget your umbrella.",
};
constexpr int kMostFrames = 60;

OwnSpeech speak(const Speaker& speaker, const char* text, uint64_t seed) {
  const Lfm2Config& config = speaker.lm.config();
  const TokenLayout layout = TokenLayout::of(config);
  const std::vector<int32_t> prompt =
      build_prompt(layout, speaker.tokenizer, tagged_text(config, text, ""),
                   AddedTokens::kPlainText, /*with_speech_start=*/true);
  FrameGenerator generator(speaker.lm, prompt, speaker.voice,
                           {.sampling = speaker.sampling, .seed = seed, .max_frames = kMostFrames});
  FramePositions positions(layout, config.audio_step);
  OwnSpeech speech{prompt_elements(prompt, !speaker.voice.empty(), positions), speaker.voice};
  while (const auto frame = generator.next()) {
    for (size_t slot = 0; slot < frame->size(); ++slot) {
      const int32_t id = layout.audio_id(static_cast<int>(slot), (*frame)[slot]);
      speech.elements.push_back({id, positions.next(id)});
    }
  }
  return speech;
}

}  // namespace

std::vector<OwnSpeech> own_speech(const Speaker& speaker, size_t elements) {
  std::vector<OwnSpeech> all;
  uint64_t seed = 1000;
  for (size_t total = 0; total < elements; total += all.back().elements.size()) {
    all.push_back(speak(speaker, kTexts[seed % std::size(kTexts)], seed));
    ++seed;
  }
  return all;
}

void calibrate(Lfm2& lm, std::span<const OwnSpeech> speech) {
  std::vector<Lfm2Sequence> sequences;
  for (const OwnSpeech& one : speech) sequences.emplace_back(lm, one.elements.size(), one.voice);
  std::vector<SequenceStep> steps;
  for (size_t i = 0; i < sequences.size(); ++i)
    steps.push_back({&sequences[i], speech[i].elements});
  lm.forward(steps);
}

}  // namespace kani
