// lfm2_module.h - the language model for training: its parameters under upstream's names and its
// forward pass over documents.  The runtime (lm/) writes the network a second time on purpose; both
// are held to the list of spec/lfm2.h and compared through exported checkpoints.
// Not here: files (model_files.h), loss and update (ops.h, optimizer.h).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kani/spec/lfm2.h"
#include "kani/train/audio_table.h"
#include "kani/train/guided_attention.h"
#include "kani/train/parameters.h"
#include "kani/train/sequence.h"

namespace kani::train {

/// What a forward pass shows to whoever looks inside (metrics.h).
struct ForwardTap {
  virtual ~ForwardTap() = default;
  /// The embeddings that the layers get, [N, H]; may be made to want a gradient.
  virtual void embeddings(at::Tensor& x) { (void)x; }
  /// What the attention block of a layer adds, [N, H].
  virtual void attention_output(int layer, const at::Tensor& y) { (void)layer, (void)y; }
};

/// How the same network is computed.
struct ComputeRules {
  bool bf16 = false;           // matrix products of numbers rounded to bf16; all else in float32
  bool fp8 = false;            // those of the feed-forward layers in 8 bits (fp8_linear.h)
  bool rope_bf16 = false;      // RoPE's frequencies, its factor and their product rounded to bf16
  bool recompute = false;      // layers are computed again in the backward pass (recompute.h)
  double adapter_scale = 0;    // on B A x of modules that have adapters (lora.h)
  double adapter_dropout = 0;  // share of an adapter's inputs that are 0 while training
  TableFactors table{};        // how the factor table makes rows, if it stands for the embedding
  std::vector<int64_t> token_rows{};  // ids whose rows are kTokenRows, ascending (lora.h)
};

/// The parameter with rows of the embedding that are trained while the others stay, [ids, H]; under
/// PEFT's name.
inline constexpr const char* kTokenRows = "model.embed_tokens.token_adapter.trainable_tokens_delta";

/// One thread at a time.
class Lfm2Module {
 public:
  /// `parameters` hold every tensor of lfm2_tensors(config) that is not optional, and the voice
  /// projection if the model takes voices; the factors of learnable RoPE if it is on.  Throws
  /// Error(kInvalidArgument) otherwise.
  /// Adapters may be among them.  With rules.table a factor table stands for the tied embedding.
  Lfm2Module(Lfm2Config config, ParameterMap parameters, ComputeRules rules = {});

  /// All parameters to a device; before anyone else holds one of them.
  void move_to(at::Device device);
  /// Keeps the large ones in bf16 (narrow_weights.h); behind move_to(), before anyone else as well.
  void narrow();

  const Lfm2Config& config() const { return config_; }
  const ComputeRules& rules() const { return rules_; }
  ParameterMap& parameters() { return parameters_; }
  const ParameterMap& parameters() const { return parameters_; }
  const at::Tensor& parameter(std::string_view name) const;
  /// The matrix of the head: the embedding, or lm_head where it is separate.  With rules().table it
  /// is the factor table, for cross_entropy() alone; others look at without_factors().
  /// With rules().token_rows it is made at each call.
  at::Tensor head() const;
  int64_t head_rows() const { return head_.size(0); }
  at::Device device() const { return head_.device(); }

  /// As products take it: rounded to bf16 if the rules say so.
  at::Tensor for_products(const at::Tensor& x) const;
  /// Hidden states after the last norm, [N, H].  Throws Error(kBadInput) for ids beyond the
  /// vocabulary and voices that the model does not take.  With rules().recompute the module must
  /// live until the backward pass; a tap sees all layers computed at once, and the layers that a
  /// guide looks at are kept.
  at::Tensor forward(const PackedBatch& batch, ForwardTap* tap = nullptr,
                     AttentionGuide* guide = nullptr) const;

  /// Factor on the rotary frequencies of an attention layer, a scalar that may want a gradient.
  at::Tensor rope_factor(int layer) const;

 private:
  // What all layers must know of a batch.
  struct Documents {
    at::Tensor positions;  // [N]
    std::vector<int64_t> starts;
    std::optional<uint64_t> noise;
  };
  std::string_view head_name() const;
  at::Tensor embed(const PackedBatch& batch) const;
  at::Tensor rows_of(const std::vector<int64_t>& ids) const;
  // Who looks on.
  struct Watchers {
    ForwardTap* tap = nullptr;
    AttentionGuide* guide = nullptr;
  };
  at::Tensor layer(int index, const at::Tensor& x, const Documents& documents,
                   const Watchers& watchers) const;
  at::Tensor attention_operator(int layer, const at::Tensor& x, const Documents& documents,
                                AttentionGuide* guide) const;
  at::Tensor conv_operator(int layer, const at::Tensor& x, const Documents& documents) const;
  at::Tensor feed_forward(int layer, const at::Tensor& x, const Documents& documents) const;
  at::Tensor project(const std::string& module, const at::Tensor& x, std::optional<uint64_t> noise,
                     bool fp8 = false) const;
  const at::Tensor& of(int layer, std::string_view name) const;
  std::vector<at::Tensor> parameters_of(int layer) const;

  Lfm2Config config_;
  ComputeRules rules_;
  ParameterMap parameters_;
  at::Tensor head_;
  at::Tensor frequencies_;  // [D/2]
};

/// Floating-point operations of a training step for one element of documents of such a length (sum
/// of squares / sum of lengths): matrices and head three times over, attention (training.md 19.1).
/// `head_rows`: 0 for one a word of the vocabulary.
double training_operations(const Lfm2Config& config, double mean_length, int64_t head_rows = 0);

}  // namespace kani::train
