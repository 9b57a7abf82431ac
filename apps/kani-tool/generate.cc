// generate.cc - `kani-tool generate`: token by token, restricted to legal slots or free over all
// rows.
#include <algorithm>
#include <unordered_set>

#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/lm/sampler.h"
#include "model.h"
#include "tool.h"

namespace kani::tool {
namespace {

struct Flags {
  ModelFlags model;
  std::filesystem::path ids, voice, out;
  int steps = 3000;
  bool free = false, no_eos = false;
  uint64_t seed = 0;
  Sampling sampling{.temperature = 0, .top_k = 0, .top_p = 1, .min_p = 0, .repetition_penalty = 1};
};

class Generation {
 public:
  Generation(const Flags& flags, LanguageModel& model, const std::vector<int32_t>& prompt,
             const std::vector<float>& voice)
      : flags_(flags),
        model_(model),
        elements_(prompt_elements(model, prompt, !voice.empty())),
        sequence_(*model.lm, elements_.size() + static_cast<size_t>(flags.steps), voice),
        rule_(model.layout, model.lm->config().audio_step),
        upstream_(model.layout, model.lm->config().audio_step,
                  static_cast<int64_t>(elements_.size())),
        sampler_(flags.sampling, flags.seed),
        history_(prompt.begin(), prompt.end()) {
    for (const Element& element : elements_) {
      element.id == kVoiceSlot ? rule_.next_voice() : rule_.next(element.id);
    }
  }

  Json run() {
    std::vector<int32_t> ids;
    std::vector<double> positions;
    bool ended = false;
    ConstMatrix hidden = feed(elements_);
    for (int n = 0; n < flags_.steps && !ended; ++n) {
      const int32_t id = flags_.free ? pick_free(hidden) : pick_slot(hidden, n);
      ids.push_back(id);
      history_.insert(id);
      ended = id == model_.layout.end_of_speech;
      if (ended || n + 1 == flags_.steps) break;  // the last one is never fed
      const Element element{id, flags_.free ? upstream_.next(id) : rule_.next(id)};
      positions.push_back(element.position);
      hidden = feed({&element, 1});
    }
    return {{"ids", ids}, {"positions", positions}, {"stopped", ended ? "eos" : "limit"}};
  }

 private:
  ConstMatrix feed(std::span<const Element> elements) {
    const SequenceStep step{&sequence_, elements};
    return model_.lm->forward({&step, 1});
  }

  int32_t pick_free(ConstMatrix hidden) {
    logits_.resize(static_cast<size_t>(model_.lm->config().vocab_size));
    model_.lm->all_logits(hidden, {logits_.data(), 1, logits_.size()});
    const std::vector<int32_t> seen(history_.begin(), history_.end());
    return sampler_.pick(logits_, seen);
  }

  int32_t pick_slot(ConstMatrix hidden, int step) {
    const TokenLayout& layout = model_.layout;
    const int slot = step % layout.codebooks;
    logits_.resize(model_.lm->codebook_columns(slot));
    model_.lm->codebook_logits(hidden, slot, {logits_.data(), 1, logits_.size()});
    // END_OF_SPEECH is the last column of slot 0; never before there is a frame.
    const bool offer_end = slot == 0 && step > 0 && !flags_.no_eos;
    const auto size = static_cast<size_t>(layout.codebook_size);
    const size_t legal = offer_end ? size + 1 : size;
    std::vector<int32_t> seen;
    for (const int32_t id : history_) {
      const int32_t code = id - layout.audio_id(slot, 0);
      if (code >= 0 && code < layout.codebook_size) seen.push_back(code);
    }
    const int32_t code = sampler_.pick({logits_.data(), legal}, seen);
    return code == layout.codebook_size ? layout.end_of_speech : layout.audio_id(slot, code);
  }

  const Flags& flags_;
  LanguageModel& model_;
  std::vector<Element> elements_;
  Lfm2Sequence sequence_;
  FramePositions rule_;
  UpstreamDecodePositions upstream_;
  Sampler sampler_;
  std::unordered_set<int32_t> history_;  // distinct ids so far
  std::vector<float> logits_;
};

void run(const Flags& flags) {
  require(flags.steps >= 1 && flags.steps <= 1000000, "number of steps is ", flags.steps,
          ", must be 1 to 1000000");
  const std::vector<int32_t> ids = read_ids(flags.ids);
  const std::vector<float> voice = read_voice(flags.voice);
  LanguageModel model = load_language_model(flags.model);
  write_file(flags.out, dump_json(Generation(flags, model, ids, voice).run()) + "\n");
}

}  // namespace

void add_generate(CLI::App& app, Action& action) {
  Command command(app, "generate", "generates ids after a prompt");
  auto flags = std::make_shared<Flags>();
  flags->model.add_to(command);
  command.need("--ids", flags->ids, "JSON array of prompt ids, taken as they stand");
  command.take("--voice", flags->voice, "voice file");
  command.take("-n,--steps", flags->steps, "most ids to generate");
  command.toggle("--free", flags->free, "choose among all rows instead of the legal slot");
  command.toggle("--no-eos", flags->no_eos, "never offer END_OF_SPEECH under the restriction");
  command.take("--temp,--temperature", flags->sampling.temperature, "0 = greedy");
  command.take("--top-k", flags->sampling.top_k, "0 = off");
  command.take("--top-p", flags->sampling.top_p, "1 = off");
  command.take("--min-p", flags->sampling.min_p, "0 = off");
  command.take("--repeat-penalty,--repetition-penalty", flags->sampling.repetition_penalty,
               "1 = off");
  command.take("-s,--seed", flags->seed, "seed of the draws");
  command.need("-o,--out", flags->out, "JSON file to write");
  command.runs(action, [flags] { run(*flags); });
}

}  // namespace kani::tool
