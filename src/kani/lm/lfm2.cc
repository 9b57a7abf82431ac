// lfm2.cc - the model's public face: construction, blocks of a forward pass, the head.
#include "kani/lm/lfm2.h"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "kani/base/error.h"
#include "kani/lm/lfm2_layers.h"

namespace kani {
namespace {

size_t widest(const Lfm2Config& c) {
  const auto heads =
      static_cast<size_t>(c.heads + 2 * c.kv_heads) * static_cast<size_t>(c.head_dim);
  return std::max({heads, size_t{3} * static_cast<size_t>(c.hidden_size),
                   size_t{2} * static_cast<size_t>(c.intermediate_size)});
}

}  // namespace

Lfm2::Workspace::Workspace(const Lfm2Config& c, size_t attention_layers)
    : x(kBlockElements * static_cast<size_t>(c.hidden_size)),
      normed(x.size()),
      wide(kBlockElements * widest(c)),
      product(x.size()),
      hidden(x.size()),
      mixed(kBlockElements * static_cast<size_t>(std::max(c.hidden_size, c.heads * c.head_dim))),
      cos(kBlockElements * attention_layers * static_cast<size_t>(c.head_dim / 2)),
      sin(cos.size()),
      half_dim(static_cast<size_t>(c.head_dim / 2)) {}

Lfm2::Lfm2(Lfm2Config config, std::shared_ptr<const TensorFile> file, LanguageOps& ops,
           const Lfm2Options& options)
    : config_(std::move(config)), file_(std::move(file)), ops_(ops) {
  for (const TensorInfo& tensor : file_->tensors()) parameters_ += tensor.elements();
  embedding_ = file_->find("model.embed_tokens.weight");
  assert(embedding_ != nullptr && "lfm2_resolve() checks the tensors");
  const MatrixType stored =
      embedding_->dtype == DType::kBF16 ? MatrixType::kBF16 : MatrixType::kF32;
  matrix_type_ = options.matrices.value_or(stored);
  if (!config_.stored_type.empty()) {
    const MatrixType type = config_.stored_type == "q4" ? MatrixType::kQ4 : MatrixType::kQ8;
    require(!options.matrices || *options.matrices == type, file_->path(), " holds ",
            config_.stored_type, " and can be used as nothing else");
    matrix_type_ = type;
  }
  load_layers(options.check_tensors);
  load_heads(options.check_tensors);
  const auto attention = static_cast<size_t>(
      std::count(config_.layers.begin(), config_.layers.end(), LayerKind::kAttention));
  workspace_ = std::make_unique<Workspace>(config_, attention);
}

Lfm2::~Lfm2() = default;

size_t Lfm2::weight_bytes() const {
  size_t bytes = 0;
  const auto add = [&](const std::unique_ptr<MatrixWeight>& w) { bytes += w ? w->bytes() : 0; };
  for (const Layer& layer : layers_) {
    for (const auto* w : {&layer.w13, &layer.w2, &layer.qkv, &layer.in_proj, &layer.out_proj})
      add(*w);
  }
  for (const auto& head : heads_) add(head);
  add(full_head_);
  add(speaker_projection_);
  return bytes;
}

ConstMatrix Lfm2::forward(std::span<const SequenceStep> steps, bool every_element,
                          const Lfm2Observer& observer) {
  const auto width = static_cast<size_t>(config_.hidden_size);
  size_t total = 0;
  for (const SequenceStep& step : steps) {
    require(!step.elements.empty(), "a step without elements");
    require(step.elements.size() <= step.sequence->capacity() - step.sequence->length(),
            "sequence is full: ", step.sequence->length(), " + ", step.elements.size(),
            " elements, room for ", step.sequence->capacity());
    for (const Element& element : step.elements) {
      if (element.id != kVoiceSlot && (element.id < 0 || element.id >= config_.vocab_size)) {
        throw Error(ErrorCode::kBadInput, "token id ", element.id, " is outside 0 to ",
                    config_.vocab_size - 1);
      }
    }
    total += step.elements.size();
  }
  const size_t kept = every_element ? total : steps.size();
  workspace_->last.resize(kept * width);

  std::vector<Segment> block;
  size_t rows = 0, done = 0, step_index = 0;  // rows in the block; elements and steps handed out
  const auto flush = [&] {
    run_block(block, observer);
    for (const Segment& segment : block) {
      const bool finished = segment.elements.data() + segment.elements.size() ==
                            steps[step_index].elements.data() + steps[step_index].elements.size();
      const size_t count = every_element ? segment.elements.size() : (finished ? 1 : 0);
      const size_t first = segment.first_row + segment.elements.size() - count;
      std::memcpy(workspace_->last.data() + done * width, workspace_->hidden.data() + first * width,
                  count * width * sizeof(float));
      done += count;
      if (finished) ++step_index;
    }
    block.clear();
    rows = 0;
  };
  for (const SequenceStep& step : steps) {
    for (size_t first = 0; first < step.elements.size();) {
      if (rows == kBlockElements) flush();
      const size_t count = std::min(step.elements.size() - first, kBlockElements - rows);
      block.push_back({step.sequence, step.elements.subspan(first, count), rows});
      rows += count;
      first += count;
    }
  }
  if (rows > 0) flush();
  return {workspace_->last.data(), kept, width};
}

void Lfm2::codebook_logits(ConstMatrix hidden, int slot, Matrix logits) {
  ops_.matmul(hidden, *heads_[static_cast<size_t>(slot)], logits);
}

void Lfm2::all_logits(ConstMatrix hidden, Matrix logits) {
  if (full_head_ == nullptr) {
    const MatrixPart part{head_rows_->dtype, head_rows_->bytes,
                          static_cast<size_t>(config_.vocab_size)};
    full_head_ = ops_.pack({&part, 1}, static_cast<size_t>(config_.hidden_size), head_type());
  }
  ops_.matmul(hidden, *full_head_, logits);
}

}  // namespace kani
