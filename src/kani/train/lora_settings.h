// lora_settings.h - which adapters a run trains, and what beside them (lora.h).
// Source: training.md 14.8.  Not here: LibTorch.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace kani::train {

struct LoraSettings {
  int64_t rank = 0;  // 0: no adapters
  double alpha = 32;
  double dropout = 0;            // share of a module's inputs that its adapter does not see
  bool rank_stabilized = false;  // s = alpha / sqrt(rank)
  /// Ends of modules' names, whole words between dots; "*" stands for any text.
  std::vector<std::string> targets{
      "q_proj", "k_proj", "v_proj", "self_attn.out_proj", "conv.in_proj", "conv.out_proj",
      "w1",     "w2",     "w3"};
  /// Parts of names of parameters that are trained whole beside the adapters, and saved with them.
  std::vector<std::string> also_trained{};
  /// Rows of the embedding that are trained beside the adapters, ids and stretches of them
  /// ("64400-64409", both included); the other rows stay.
  std::vector<std::string> token_rows{};

  double scale() const;
  /// The ids in token_rows, ascending.  Throws Error(kInvalidArgument) for what is none.
  std::vector<int64_t> token_ids() const;
  /// Throws Error(kInvalidArgument) naming the setting.
  void validate() const;
};

}  // namespace kani::train
