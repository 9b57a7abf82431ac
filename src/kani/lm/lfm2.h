// lfm2.h - the language model: prompt and codes in, logits out.  LFM2 with short-convolution and
// attention blocks, learnable RoPE, fractional positions, a voice slot and a tied head.  Source:
// language-model.md 2-7. Not here: sampling (sampler.h), the generation loop (generator.h),
// arithmetic (backend/language_ops.h). Legend: T elements in a call (of one or several sequences),
// H hidden size, V vocabulary, C codebook size.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "kani/backend/language_ops.h"
#include "kani/base/buffer.h"
#include "kani/formats/tensor_file.h"
#include "kani/spec/lfm2.h"

namespace kani {

/// The id of an element that is the voice slot: a projected speaker embedding instead of a token.
inline constexpr int32_t kVoiceSlot = -1;

/// One element of a sequence: what it is and where RoPE sees it.
struct Element {
  int32_t id = 0;
  double position = 0;
};

/// Called with intermediate results, for parity tests and `kani-tool logits --layers`.  `layer` is
/// -1 outside layers. Names: embeddings, operator_norm, operator, ffn_norm, ffn, out, q_rope,
/// k_rope, v, conv_in_proj, final_norm.
using Lfm2Observer = std::function<void(std::string_view name, int layer, ConstMatrix rows)>;

class Lfm2;

/// The state of one utterance: keys and values, convolution tails.  One thread at a time; movable.
class Lfm2Sequence {
 public:
  /// Room for `capacity` elements; `voice` (speaker_emb_dim numbers or empty) is what voice slots
  /// will show. Throws Error(kBadInput) if the model has no speaker projection or the length is
  /// wrong, (kOutOfMemory).
  Lfm2Sequence(const Lfm2& model, size_t capacity, std::span<const float> voice = {});

  size_t length() const { return length_; }  // elements fed so far
  size_t capacity() const { return capacity_; }
  size_t state_bytes() const;

  /// What is needed to go back to this point later: the convolution tails and the length (keys stay
  /// in place).
  struct Mark {
    size_t length = 0;
    std::vector<float> conv_tails;
  };
  Mark mark() const;
  /// Forgets everything fed after `mark` was taken from this sequence.
  void rewind(const Mark& mark);

  /// The last L-1 vectors g of conv layer `layer`, oldest first, [L-1, H].
  ConstMatrix conv_tail(int layer) const;

 private:
  friend class Lfm2;
  Matrix mutable_conv_tail(int layer);

  const Lfm2* model_;
  size_t capacity_;
  size_t length_ = 0;
  std::vector<std::unique_ptr<KvCache>> caches_;  // one per attention layer
  Buffer<float> conv_tails_;                      // [conv layers, L-1, H]
  std::vector<float> voice_row_;                  // the projected voice, [H]
  // cos and sin of the last position for every attention layer: the tokens of a frame share one
  // position.
  double rope_position_ = -1;
  std::vector<float> rope_;  // [attention layers, 2, D/2]
};

/// Elements to feed to one sequence in a forward pass.
struct SequenceStep {
  Lfm2Sequence* sequence = nullptr;
  std::span<const Element> elements;
};

struct Lfm2Options {
  std::optional<MatrixType> matrices;  // absent: bf16 if the file holds bf16, else f32
  bool check_tensors = false;          // refuse NaN and infinity
};

/// The model.  Weights are immutable; forward() uses a workspace and the backend, so one thread at
/// a time.
class Lfm2 {
 public:
  /// `config` must have passed lfm2_resolve() with `file`.  The embedding table stays in the file's
  /// map; everything else is copied into the backend's layout.  `ops` must outlive the model.
  /// Throws Error(kBadInput, kOutOfMemory).
  Lfm2(Lfm2Config config, std::shared_ptr<const TensorFile> file, LanguageOps& ops,
       const Lfm2Options& options);
  ~Lfm2();

  const Lfm2Config& config() const { return config_; }
  bool accepts_voice() const { return speaker_projection_ != nullptr; }
  /// Numbers in all tensors of the model, and bytes of packed weights in memory.
  uint64_t parameters() const { return parameters_; }
  size_t weight_bytes() const;
  MatrixType matrix_type() const { return matrix_type_; }

  /// Feeds the steps' elements, all in one pass over the weights, and returns the final-normed
  /// hidden states of the last element of each step, [steps, H] (or of every element, [T, H], with
  /// `every_element`).  The view holds until the next call.  Ids must be kVoiceSlot or in [0, V):
  /// Error(kBadInput) otherwise; more elements than a sequence has room for:
  /// Error(kInvalidArgument).  Long steps are run in blocks; the result does not depend on the cut.
  ConstMatrix forward(std::span<const SequenceStep> steps, bool every_element = false,
                      const Lfm2Observer& observer = {});

  /// Logits of the legal tokens of codebook `slot`: [T, C], and for slot 0 one column more,
  /// END_OF_SPEECH.
  void codebook_logits(ConstMatrix hidden, int slot, Matrix logits);
  size_t codebook_columns(int slot) const { return heads_[static_cast<size_t>(slot)]->rows(); }

  /// Logits of all V rows, for parity; packs the whole head at the first call.
  void all_logits(ConstMatrix hidden, Matrix logits);

  /// RoPE factors alpha of the attention layers (1 without learnable RoPE), by layer index.
  const std::vector<float>& rope_alphas() const { return alphas_; }

 private:
  friend class Lfm2Sequence;
  struct Layer;
  struct Workspace;
  struct Segment;  // rows of one sequence in the current block

  // lfm2_load.cc
  void load_layers(bool check);
  void load_heads(bool check);
  std::vector<float> rope_frequencies(int layer) const;
  std::unique_ptr<MatrixWeight> load_matrix(const Lfm2Matrix& matrix, MatrixType type,
                                            bool check) const;
  std::unique_ptr<MatrixWeight> load_stored(const Lfm2Matrix& matrix, bool check) const;
  MatrixType head_type() const;
  std::vector<float> load_vector(std::string_view name, bool check) const;

  // lfm2_forward.cc
  void run_block(std::span<const Segment> segments, const Lfm2Observer& observer);
  void embed(std::span<const Segment> segments);
  void fill_rope(std::span<const Segment> segments);
  void attention_operator(const Layer& layer, std::span<const Segment> segments,
                          const Lfm2Observer& observer);
  void conv_operator(const Layer& layer, std::span<const Segment> segments,
                     const Lfm2Observer& observer);
  void feed_forward(const Layer& layer, size_t rows, const Lfm2Observer& observer);
  void add_product(ConstMatrix x, const MatrixWeight& w, Matrix residual, std::string_view name,
                   int layer, const Lfm2Observer& observer);

  Lfm2Config config_;
  std::shared_ptr<const TensorFile> file_;
  LanguageOps& ops_;
  MatrixType matrix_type_ = MatrixType::kF32;
  uint64_t parameters_ = 0;
  const TensorInfo* embedding_ = nullptr;
  const TensorInfo* head_rows_ = nullptr;  // the embedding if tied
  std::vector<Layer> layers_;
  std::vector<float> final_norm_;
  std::vector<float> alphas_;
  std::unique_ptr<MatrixWeight> speaker_projection_;  // null: no voices
  std::vector<std::unique_ptr<MatrixWeight>> heads_;  // one per codebook
  std::unique_ptr<MatrixWeight> full_head_;
  std::unique_ptr<Workspace> workspace_;
};

}  // namespace kani
