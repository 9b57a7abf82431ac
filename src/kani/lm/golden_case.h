// golden_case.h - test helper: one model of tests/data/lm with its reference numbers, loaded for
// one instruction set.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "kani/backend/cpu/cpu_features.h"
#include "kani/backend/cpu/language_ops_cpu.h"
#include "kani/base/file.h"
#include "kani/base/json.h"
#include "kani/base/thread_pool.h"
#include "kani/formats/safetensors.h"
#include "kani/lm/lfm2.h"
#include "kani/tokens/layout.h"

namespace kani {

class GoldenCase {
 public:
  GoldenCase(const std::string& letter, cpu::Isa isa)
      : folder_(std::string(KANI_TEST_DATA) + "/lm/case_" + letter),
        golden(parse_json(read_file(folder_ + "/golden.json", 1 << 24), "golden.json")),
        tensors(open_safetensors(folder_ + "/golden.safetensors")),
        ops(cpu::make_language_ops(pool, isa)) {
    Lfm2Config config =
        parse_lfm2_config(read_file(folder_ + "/config.json", 1 << 20), folder_ + "/config.json");
    std::shared_ptr<const TensorFile> weights = open_safetensors(folder_ + "/model.safetensors");
    lfm2_resolve(config, *weights);
    layout = TokenLayout::of(config);
    model = std::make_unique<Lfm2>(config, weights, *ops, Lfm2Options{});
  }

  std::vector<float> tensor(const std::string& name) const {
    const TensorInfo* info = tensors->find(name);
    return info == nullptr ? std::vector<float>{} : tensor_to_f32(*info);
  }

  std::vector<float> voice_of(const Json& prompt) const {
    return prompt["voice"].is_null() ? std::vector<float>{}
                                     : tensor("voice." + prompt["voice"].get<std::string>());
  }

  /// Rows of the vocabulary that the stored logits hold: all, or `logit_ids` (case e).
  std::vector<size_t> logit_rows() const {
    std::vector<size_t> rows;
    if (const TensorInfo* info = tensors->find("logit_ids")) {
      for (const float id : tensor_to_f32(*info)) rows.push_back(static_cast<size_t>(id));
    } else {
      for (int i = 0; i < model->config().vocab_size; ++i) rows.push_back(static_cast<size_t>(i));
    }
    return rows;
  }

 private:
  std::string folder_;

 public:
  Json golden;
  std::unique_ptr<TensorFile> tensors;
  ThreadPool pool{1};  // forks would dominate these small models
  std::unique_ptr<LanguageOps> ops;
  TokenLayout layout;
  std::unique_ptr<Lfm2> model;
};

/// Ids with the positions of the rule, the voice slot at index 1 if there is a voice.
inline std::vector<Element> elements_of(const GoldenCase& golden, const std::vector<int32_t>& ids,
                                        bool voice) {
  FramePositions positions(golden.layout, golden.model->config().audio_step);
  std::vector<Element> elements;
  for (size_t i = 0; i < ids.size(); ++i) {
    if (i == 1 && voice) elements.push_back({kVoiceSlot, positions.next_voice()});
    elements.push_back({ids[i], positions.next(ids[i])});
  }
  return elements;
}

}  // namespace kani
