// The five reference models against upstream's numbers, on every instruction set of this CPU.
// Tolerances: goldens/lm/README.md (activations 2e-4, logits 5e-4, tokens and positions exact).
#include "kani/lm/lfm2.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "kani/base/error.h"
#include "kani/lm/golden_case.h"
#include "kani/lm/sampler.h"

namespace kani {
namespace {

constexpr float kActivationTolerance = 2e-4F;
constexpr float kLogitTolerance = 5e-4F;

using Param = std::tuple<const char*, cpu::Isa>;

class Lfm2Golden : public testing::TestWithParam<Param> {
 protected:
  GoldenCase golden_{std::get<0>(GetParam()), std::get<1>(GetParam())};
  size_t vocabulary_ = static_cast<size_t>(golden_.model->config().vocab_size);

  std::vector<float> all_logits(ConstMatrix hidden) {
    std::vector<float> logits(hidden.rows() * vocabulary_);
    golden_.model->all_logits(hidden, {logits.data(), hidden.rows(), vocabulary_});
    return logits;
  }

  void expect_logits(std::span<const float> got, std::span<const float> want,
                     const std::string& what) {
    const std::vector<size_t> rows = golden_.logit_rows();
    ASSERT_EQ(want.size(), rows.size()) << what;
    for (size_t i = 0; i < rows.size(); ++i) {
      ASSERT_NEAR(got[rows[i]], want[i], kLogitTolerance) << what << " row " << rows[i];
    }
  }

  void check_trace(const Json& prompt, const Json& trace);
};

// Feeds what the trace says and compares each choice that the trace's rule would make.
void Lfm2Golden::check_trace(const Json& prompt, const Json& trace) {
  const std::string name = prompt["id"].get<std::string>() + "." + trace["name"].get<std::string>();
  SCOPED_TRACE(name);
  const auto ids = prompt["ids"].get<std::vector<int32_t>>();
  const auto tokens = trace["tokens"].get<std::vector<int32_t>>();
  const auto want_positions = trace["positions"].get<std::vector<double>>();
  const auto forced = trace["forced"].get<std::vector<int32_t>>();
  const std::vector<float> voice = golden_.voice_of(prompt);
  const bool slots = trace["restriction"] == "slots";
  const bool sampled = trace["name"] == "sampled";
  Sampling settings{.temperature = 0};
  const Json& from = sampled ? trace["settings"] : trace;
  settings.repetition_penalty = from["repetition_penalty"].get<double>();
  if (sampled) {
    settings.temperature = from["temperature"].get<double>();
    settings.top_k = from["top_k"].get<int>();
    settings.top_p = from["top_p"].get<double>();
  }
  Sampler sampler(settings, 1);
  std::vector<int> logits_at;
  if (trace.contains("logits_at")) logits_at = trace["logits_at"].get<std::vector<int>>();
  const std::vector<float> stored = golden_.tensor(name + ".logits");
  const size_t stored_width = golden_.logit_rows().size();
  std::map<int, Json> distributions;
  if (sampled) {
    for (const Json& d : trace["distributions"]) distributions[d["step"].get<int>()] = d;
  }

  Lfm2Sequence sequence(*golden_.model, ids.size() + 1 + tokens.size(), voice);
  const std::vector<Element> elements = elements_of(golden_, ids, !voice.empty());
  UpstreamDecodePositions positions(golden_.layout, golden_.model->config().audio_step,
                                    static_cast<int64_t>(elements.size()));
  SequenceStep step{&sequence, elements};
  ConstMatrix hidden = golden_.model->forward({&step, 1});
  std::vector<int32_t> history = ids;
  size_t stored_row = 0;
  for (size_t n = 0; n < tokens.size(); ++n) {
    const std::vector<float> logits = all_logits(hidden);
    if (std::count(logits_at.begin(), logits_at.end(), static_cast<int>(n)) > 0) {
      expect_logits(logits, std::span(stored).subspan(stored_row * stored_width, stored_width),
                    name + " step " + std::to_string(n));
      ++stored_row;
    }
    // The legal range of ids at this step.
    int32_t first = 0, count = golden_.model->config().vocab_size;
    if (slots && n >= forced.size()) {
      const int slot = static_cast<int>(n - forced.size()) % golden_.layout.codebooks;
      first = golden_.layout.audio_id(slot, 0);
      count = golden_.layout.codebook_size;
    }
    std::vector<int32_t> seen;
    for (const int32_t id : history) {
      const int32_t index = id - first;
      if (index >= 0 && index < count && std::count(seen.begin(), seen.end(), index) == 0)
        seen.push_back(index);
    }
    const std::span<const float> legal =
        std::span(logits).subspan(static_cast<size_t>(first), static_cast<size_t>(count));
    if (n >= forced.size() && !sampled) {
      ASSERT_EQ(first + sampler.pick(legal, seen), tokens[n]) << "step " << n;
    }
    if (const auto d = distributions.find(static_cast<int>(n)); d != distributions.end()) {
      const auto want_ids = d->second["ids"].get<std::vector<int32_t>>();
      const auto want = d->second["probabilities"].get<std::vector<float>>();
      const std::span<const Candidate> got = sampler.distribution(legal, seen);
      ASSERT_EQ(got.size(), want_ids.size()) << "step " << n;
      for (size_t i = 0; i < got.size(); ++i) {
        EXPECT_EQ(first + got[i].index, want_ids[i]);
        EXPECT_NEAR(got[i].probability, want[i], 5e-5F);
      }
    }
    history.push_back(tokens[n]);
    if (n + 1 == tokens.size()) break;
    const Element element{tokens[n], positions.next(tokens[n])};
    ASSERT_NEAR(element.position, want_positions[n], 1e-4);
    step.elements = {&element, 1};
    hidden = golden_.model->forward({&step, 1});
  }
  EXPECT_EQ(stored_row, logits_at.size());
}

TEST_P(Lfm2Golden, every_normative_trace_is_reproduced) {
  int traces = 0;
  for (const Json& prompt : golden_.golden["prompts"]) {
    for (const Json& trace : prompt["traces"]) {
      if (!trace["normative"].get<bool>()) continue;
      check_trace(prompt, trace);
      if (HasFatalFailure()) return;
      ++traces;
    }
  }
  EXPECT_GT(traces, 0);
}

TEST_P(Lfm2Golden, prompt_end_logits_match) {
  for (const Json& prompt : golden_.golden["prompts"]) {
    const auto ids = prompt["ids"].get<std::vector<int32_t>>();
    const std::vector<float> voice = golden_.voice_of(prompt);
    const std::vector<float> want =
        golden_.tensor(prompt["id"].get<std::string>() + ".prompt_last_logits");
    if (want.empty()) continue;
    Lfm2Sequence sequence(*golden_.model, ids.size() + 1, voice);
    const std::vector<Element> elements = elements_of(golden_, ids, !voice.empty());
    const SequenceStep step{&sequence, elements};
    expect_logits(all_logits(golden_.model->forward({&step, 1})), want, prompt["id"]);
  }
}

TEST_P(Lfm2Golden, one_pass_pieces_and_token_by_token_agree) {
  for (const Json& prompt : golden_.golden["prompts"]) {
    if (!prompt.contains("whole")) continue;
    const Json& whole = prompt["whole"];
    const auto ids = whole["ids"].get<std::vector<int32_t>>();
    const std::vector<float> voice = golden_.voice_of(prompt);
    const std::vector<Element> elements = elements_of(golden_, ids, !voice.empty());
    const auto positions = whole["positions"].get<std::vector<double>>();
    ASSERT_EQ(positions.size(), elements.size());
    for (size_t i = 0; i < positions.size(); ++i)
      ASSERT_NEAR(elements[i].position, positions[i], 1e-4);

    Lfm2Sequence at_once(*golden_.model, elements.size(), voice);
    SequenceStep step{&at_once, elements};
    const ConstMatrix hidden = golden_.model->forward({&step, 1}, /*every_element=*/true);
    const std::vector<float> every(hidden.data(), hidden.data() + hidden.rows() * hidden.cols());
    const std::vector<float> logits = all_logits({every.data(), hidden.rows(), hidden.cols()});
    const auto argmax = whole["argmax"].get<std::vector<int32_t>>();
    for (size_t t = 0; t < elements.size(); ++t) {
      const auto row = std::span(logits).subspan(t * vocabulary_, vocabulary_);
      ASSERT_EQ(std::max_element(row.begin(), row.end()) - row.begin(), argmax[t])
          << "element " << t;
    }
    const std::vector<float> want =
        golden_.tensor(prompt["id"].get<std::string>() + ".whole.logits");
    const auto last = whole["logits_of_last"].get<size_t>();
    for (size_t i = 0; i < last; ++i) {
      expect_logits(
          std::span(logits).subspan((elements.size() - last + i) * vocabulary_, vocabulary_),
          std::span(want).subspan(i * vocabulary_, vocabulary_), "whole");
    }
    // Every cut into two pieces, and one by one: bit for bit the same last state.
    const std::span<const float> final_state =
        std::span(every).subspan((elements.size() - 1) * hidden.cols(), hidden.cols());
    for (size_t cut = 1; cut < elements.size(); ++cut) {
      Lfm2Sequence pieces(*golden_.model, elements.size(), voice);
      SequenceStep part{&pieces, std::span(elements).first(cut)};
      golden_.model->forward({&part, 1});
      part.elements = std::span(elements).subspan(cut);
      const ConstMatrix end = golden_.model->forward({&part, 1});
      ASSERT_TRUE(std::equal(final_state.begin(), final_state.end(), end.data()))
          << "cut at " << cut;
    }
  }
}

TEST_P(Lfm2Golden, activations_match) {
  for (const Json& prompt : golden_.golden["prompts"]) {
    if (!prompt.value("activations", false)) continue;
    const std::string prefix = prompt["id"].get<std::string>() + ".act.";
    const auto ids = prompt["ids"].get<std::vector<int32_t>>();
    const std::vector<float> voice = golden_.voice_of(prompt);
    const std::vector<Element> elements = elements_of(golden_, ids, !voice.empty());
    Lfm2Sequence sequence(*golden_.model, elements.size(), voice);
    int compared = 0;
    const auto compare = [&](const std::string& name, ConstMatrix rows) {
      const std::vector<float> want = golden_.tensor(prefix + name);
      ASSERT_EQ(want.size(), rows.rows() * rows.cols()) << name;
      for (size_t i = 0; i < want.size(); ++i) {
        ASSERT_NEAR(rows.at(i / rows.cols(), i % rows.cols()), want[i], kActivationTolerance)
            << name << " " << i;
      }
      ++compared;
    };
    const SequenceStep step{&sequence, elements};
    golden_.model->forward(
        {&step, 1}, false, [&](std::string_view name, int layer, ConstMatrix rows) {
          compare(layer < 0 ? std::string(name) : concat("layer", layer, ".", name), rows);
        });
    for (size_t i = 0; i < golden_.model->config().layers.size(); ++i) {
      if (golden_.model->config().layers[i] == LayerKind::kConv) {
        compare(concat("layer", i, ".conv_state"), sequence.conv_tail(static_cast<int>(i)));
      }
    }
    size_t stored = 0;
    for (const TensorInfo& tensor : golden_.tensors->tensors())
      stored += tensor.name.starts_with(prefix);
    EXPECT_EQ(static_cast<size_t>(compared) + 1, stored) << "all but the logits";
  }
}

TEST_P(Lfm2Golden, sequences_decoded_together_equal_each_alone) {
  std::vector<std::vector<Element>> elements;
  std::vector<std::unique_ptr<Lfm2Sequence>> together, alone;
  for (const Json& prompt : golden_.golden["prompts"]) {
    const std::vector<float> voice = golden_.voice_of(prompt);
    elements.push_back(
        elements_of(golden_, prompt["ids"].get<std::vector<int32_t>>(), !voice.empty()));
    together.push_back(
        std::make_unique<Lfm2Sequence>(*golden_.model, elements.back().size(), voice));
    alone.push_back(std::make_unique<Lfm2Sequence>(*golden_.model, elements.back().size(), voice));
  }
  std::vector<SequenceStep> steps;
  for (size_t i = 0; i < elements.size(); ++i) steps.push_back({together[i].get(), elements[i]});
  const ConstMatrix batch = golden_.model->forward(steps);
  const std::vector<float> states(batch.data(), batch.data() + batch.rows() * batch.cols());
  for (size_t i = 0; i < elements.size(); ++i) {
    const SequenceStep step{alone[i].get(), elements[i]};
    const ConstMatrix one = golden_.model->forward({&step, 1});
    EXPECT_TRUE(std::equal(one.data(), one.data() + one.cols(), states.data() + i * one.cols()))
        << i;
  }
}

TEST_P(Lfm2Golden, rewinding_forgets_what_came_after_the_mark) {
  const Json& prompt = golden_.golden["prompts"][0];
  const std::vector<float> voice = golden_.voice_of(prompt);
  const std::vector<Element> elements =
      elements_of(golden_, prompt["ids"].get<std::vector<int32_t>>(), !voice.empty());
  Lfm2Sequence sequence(*golden_.model, elements.size() + 20, voice);
  SequenceStep step{&sequence, std::span(elements).first(elements.size() - 2)};
  golden_.model->forward({&step, 1});
  const Lfm2Sequence::Mark mark = sequence.mark();
  const auto rest = std::span(elements).last(2);
  step.elements = rest;
  const ConstMatrix first = golden_.model->forward({&step, 1});
  const std::vector<float> want(first.data(), first.data() + first.cols());
  const Element other{golden_.layout.audio_id(0, 3), 99};
  step.elements = {&other, 1};
  for (int i = 0; i < 7; ++i) golden_.model->forward({&step, 1});
  sequence.rewind(mark);
  step.elements = rest;
  const ConstMatrix again = golden_.model->forward({&step, 1});
  EXPECT_TRUE(std::equal(want.begin(), want.end(), again.data()));
}

TEST_P(Lfm2Golden, codebook_logits_are_rows_of_all_logits) {
  const Json& prompt = golden_.golden["prompts"][0];
  const std::vector<float> voice = golden_.voice_of(prompt);
  const std::vector<Element> elements =
      elements_of(golden_, prompt["ids"].get<std::vector<int32_t>>(), !voice.empty());
  Lfm2Sequence sequence(*golden_.model, elements.size(), voice);
  const SequenceStep step{&sequence, elements};
  const ConstMatrix hidden = golden_.model->forward({&step, 1});
  const std::vector<float> all = all_logits(hidden);
  // The same bits, but for bf16: which of its weights are added last depends on their block.
  const float slack = golden_.model->matrix_type() == MatrixType::kBF16 ? 1e-5F : 0;
  for (int slot = 0; slot < golden_.layout.codebooks; ++slot) {
    const size_t columns = golden_.model->codebook_columns(slot);
    std::vector<float> logits(columns);
    golden_.model->codebook_logits(hidden, slot, {logits.data(), 1, columns});
    for (int32_t code = 0; code < golden_.layout.codebook_size; ++code) {
      ASSERT_NEAR(logits[static_cast<size_t>(code)],
                  all[static_cast<size_t>(golden_.layout.audio_id(slot, code))], slack);
    }
    ASSERT_EQ(columns, static_cast<size_t>(golden_.layout.codebook_size) + (slot == 0 ? 1 : 0));
    if (slot == 0) {
      EXPECT_NEAR(logits.back(), all[static_cast<size_t>(golden_.layout.end_of_speech)], slack);
    }
  }
}

TEST_P(Lfm2Golden, effective_values_are_those_of_the_reference) {
  const Json& effective = golden_.golden["effective"];
  EXPECT_EQ(golden_.model->config().audio_step, effective["audio_step"].get<double>());
  EXPECT_EQ(golden_.model->config().intermediate_size, effective["ffn_size"].get<int>());
  if (!effective.contains("alphas") || effective["alphas"].is_null()) return;
  for (const auto& [layer, alpha] : effective["alphas"].items()) {
    EXPECT_NEAR(golden_.model->rope_alphas()[static_cast<size_t>(std::stoi(layer))],
                alpha.get<float>(), 1e-6F);
  }
}

TEST_P(Lfm2Golden, bad_calls_are_refused) {
  Lfm2Sequence sequence(*golden_.model, 2);
  const Element outside{golden_.model->config().vocab_size, 0}, fine{1, 0}, voice{kVoiceSlot, 0};
  SequenceStep step{&sequence, {&outside, 1}};
  EXPECT_THROW(golden_.model->forward({&step, 1}), Error);
  step.elements = {&voice, 1};
  EXPECT_THROW(golden_.model->forward({&step, 1}), Error);
  const std::vector<Element> many(40, fine);
  step.elements = many;
  EXPECT_THROW(golden_.model->forward({&step, 1}), Error);
  EXPECT_THROW(Lfm2Sequence(*golden_.model, 2, std::vector<float>(7)), Error);
}

std::string param_name(const testing::TestParamInfo<Param>& info) {
  return std::string(std::get<0>(info.param)) + "_" +
         std::string(cpu::isa_name(std::get<1>(info.param)));
}
INSTANTIATE_TEST_SUITE_P(Cases, Lfm2Golden,
                         testing::Combine(testing::Values("a", "b", "c", "d", "e"),
                                          testing::ValuesIn(cpu::available_isas())),
                         param_name);

}  // namespace
}  // namespace kani
