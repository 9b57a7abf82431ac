// layout.h - which id means what: control tokens, audio codes, prompts, frame positions, ids to
// codes. Source: language-model.md 4, 5, 10.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kani/spec/lfm2.h"
#include "kani/tokens/tokenizer.h"

namespace kani {

struct TokenLayout {
  int32_t start_of_text = 1;
  int32_t end_of_text = 2;
  int32_t start_of_speech = 0;
  int32_t end_of_speech = 0;
  int32_t start_of_human = 0;
  int32_t end_of_human = 0;
  int32_t start_of_ai = 0;
  int32_t end_of_ai = 0;
  int32_t audio_start = 0;    // A
  int32_t codebook_size = 0;  // C
  int codebooks = 4;          // F
  int32_t rows = 0;           // V, of the embedding

  static TokenLayout of(const Lfm2Config& config);

  /// One behind the last audio id.
  int32_t audio_end() const { return audio_start + codebooks * codebook_size; }
  /// Upstream tests the first half alone; its models have no ids behind.
  bool is_audio(int32_t id) const { return id >= audio_start && id < audio_end(); }
  /// What a text may consist of: ids below the control ids, and those behind the audio ids.
  bool is_text(int32_t id) const {
    return (id >= 0 && id < start_of_speech - 1) || (id >= audio_end() && id < rows);
  }
  int32_t audio_id(int codebook, int32_t code) const {
    return audio_start + codebook * codebook_size + code;
  }
};

/// Refuses a tokenizer that does not belong to the model: more entries than the embedding has rows,
/// a vocabulary that reaches into the control ids (plain text could become sound), a template that
/// does not begin with BOS (id 1), or one that does not know the model's language tokens. `source`
/// names the tokenizer in the message.  Throws Error(kBadInput).
void check_tokenizer(const Tokenizer& tokenizer, const Lfm2Config& config, std::string_view source);

/// A text as the tokenizer gets it.
struct TaggedText {
  std::string token;  // an added token in front, which is taken as such whatever `text` may name
  std::string text;

  TaggedText() = default;
  TaggedText(std::string plain) : text(std::move(plain)) {}  // NOLINT: without a token
  TaggedText(std::string first, std::string rest)
      : token(std::move(first)), text(std::move(rest)) {}
  std::string whole() const { return token + text; }
};

/// Whether the model has this very tag, as text or as a token; an empty one it has not.
bool knows_tag(const Lfm2Config& config, std::string_view tag);

/// "tag: text", or the text alone for an empty tag.  The tag is stripped of white space, and its
/// ASCII letters are lower-cased unless the model knows the exact tag.  Where a language has a
/// token of its own (config.language_tokens) that is the tag.
TaggedText tagged_text(const Lfm2Config& config, std::string_view text, std::string_view tag);

/// Ids with BOS in front; `added` is for the text behind the token.
std::vector<int32_t> encode(const Tokenizer& tokenizer, const TaggedText& tagged,
                            AddedTokens added);

/// What is doubtful about a tag for this model, one line to warn with; empty if nothing is.
/// Upstream warns and goes on.
std::string tag_concern(const Lfm2Config& config, std::string_view tag);

/// SOH, tokens of the text (BOS first), END_OF_TEXT, EOH, and with `with_speech_start` SOA, SOS.
std::vector<int32_t> build_prompt(const TokenLayout& layout, const Tokenizer& tokenizer,
                                  const TaggedText& tagged, AddedTokens added,
                                  bool with_speech_start);

/// Positions for RoPE, one element after the other (language-model.md 5, the rule; double inside).
/// Cheap to copy: a copy is a point to roll back to.
class FramePositions {
 public:
  FramePositions(const TokenLayout& layout, double audio_step)
      : layout_(layout), audio_step_(audio_step) {}
  /// Position of the voice slot (counts as a non-audio element).
  double next_voice();
  /// Position of the next element, whose id is `id`.
  double next(int32_t id);

 private:
  TokenLayout layout_;
  double audio_step_;
  int64_t plain_ = 0;
  int64_t audio_ = 0;
};

/// Positions of a whole sequence; with a voice its slot is index 1 and the result is one longer
/// than `ids`.
std::vector<double> sequence_positions(const TokenLayout& layout, double audio_step,
                                       std::span<const int32_t> ids, bool with_voice);

/// Upstream's decode loop, token by token, for traces of malformed sequences (language-model.md 5).
class UpstreamDecodePositions {
 public:
  /// `prompt_elements` are in the cache already, a voice slot included.
  UpstreamDecodePositions(const TokenLayout& layout, double audio_step, int64_t prompt_elements)
      : layout_(layout), audio_step_(audio_step), cached_(prompt_elements) {}
  double next(int32_t id);

 private:
  TokenLayout layout_;
  double audio_step_;
  int64_t cached_;
  int64_t audio_fed_ = 0;
  double frame_position_ = 0;
};

enum class DecodeMode { kStrict, kLenient };

/// Ids (prompt and generated) to codes, frame-major [frame][codebook].  Strict: Error(kBadInput)
/// naming index, id and slot; lenient: the table of language-model.md 10, never fails.  Any list of
/// any numbers is allowed.
std::vector<int32_t> decode_codes(const TokenLayout& layout, std::span<const int32_t> ids,
                                  DecodeMode mode);

}  // namespace kani
