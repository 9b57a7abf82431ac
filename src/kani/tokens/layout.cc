// layout.cc - ids, prompts, positions and codes by rule.  Numbers in comments: sections of
// language-model.md.
#include "kani/tokens/layout.h"

#include <algorithm>
#include <optional>

#include "kani/base/error.h"
#include "kani/base/utf8.h"
#include "kani/tokens/unicode_classes.h"

namespace kani {
namespace {

constexpr int32_t kControlIds = 10;  // ids between the tokenizer's and the audio codes (4)

/// Python's str.strip(): White_Space and the four information separators.
std::string_view strip(std::string_view text) {
  const auto blank = [](char32_t c) {
    return char_class(c) == CharClass::kSpace || (c >= 0x1C && c <= 0x1F);
  };
  while (!text.empty()) {
    const CodePoint first = decode_utf8(text);
    if (!blank(first.value)) break;
    text.remove_prefix(first.length);
  }
  while (!text.empty()) {
    size_t last = text.size() - 1;
    while (last > 0 && (static_cast<unsigned char>(text[last]) & 0xC0) == 0x80) --last;
    if (!blank(decode_utf8(text.substr(last)).value)) break;
    text.remove_suffix(text.size() - last);
  }
  return text;
}

/// The token that a tag names, by its language or by itself; empty if there is none.
std::string token_of(const Lfm2Config& config, std::string_view tag) {
  for (const auto& [language, token] : config.language_tokens) {
    if (language == tag || token == tag) return token;
  }
  return {};
}

/// The tag as it stands in the prompt.
std::string settled_tag(const Lfm2Config& config, std::string_view tag) {
  std::string out(strip(tag));
  if (!knows_tag(config, out)) {
    for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  }
  return out;
}

/// Where the sound of a list lies: between `begin` and `end`.
struct Speech {
  size_t begin = 0;
  size_t end = 0;
};

Speech find_speech_leniently(const TokenLayout& layout, std::span<const int32_t> ids) {
  const auto start = std::find(ids.begin(), ids.end(), layout.start_of_speech);
  const auto begin = start == ids.end() ? ids.begin() : start + 1;
  const auto end = std::find(begin, ids.end(), layout.end_of_speech);
  return {static_cast<size_t>(begin - ids.begin()), static_cast<size_t>(end - ids.begin())};
}

Speech find_speech_strictly(const TokenLayout& layout, std::span<const int32_t> ids) {
  const auto only = [&](int32_t id, const char* name) {
    const auto first = std::find(ids.begin(), ids.end(), id);
    if (first == ids.end())
      throw Error(ErrorCode::kBadInput, "no ", name, " (", id, ") among ", ids.size(), " ids");
    const auto second = std::find(first + 1, ids.end(), id);
    if (second != ids.end()) {
      throw Error(ErrorCode::kBadInput, name, " (", id, ") at index ", first - ids.begin(),
                  " and again at index ", second - ids.begin());
    }
    return static_cast<size_t>(first - ids.begin());
  };
  const size_t start = only(layout.start_of_speech, "start of speech");
  const size_t end = only(layout.end_of_speech, "end of speech");
  if (end < start) {
    throw Error(ErrorCode::kBadInput, "end of speech at index ", end,
                " lies before start of speech at index ", start);
  }
  return {start + 1, end};
}

/// The code of `id` in codebook `slot`, if it is one.
std::optional<int32_t> code_of(const TokenLayout& layout, int32_t id, size_t slot) {
  const int64_t code =
      int64_t{id} - layout.audio_start - static_cast<int64_t>(slot) * layout.codebook_size;
  if (code < 0 || code >= layout.codebook_size) return std::nullopt;
  return static_cast<int32_t>(code);
}

}  // namespace

TokenLayout TokenLayout::of(const Lfm2Config& config) {
  TokenLayout layout;
  const int32_t base = config.audio_tokens_start - kControlIds;
  layout.start_of_speech = base + 1;
  layout.end_of_speech = base + 2;
  layout.start_of_human = base + 3;
  layout.end_of_human = base + 4;
  layout.start_of_ai = base + 5;
  layout.end_of_ai = base + 6;
  layout.audio_start = config.audio_tokens_start;
  layout.codebook_size = config.codebook_size();
  layout.codebooks = config.tokens_per_frame;
  layout.rows = config.vocab_size;
  return layout;
}

void check_tokenizer(const Tokenizer& tokenizer, const Lfm2Config& config,
                     std::string_view source) {
  const auto fail = [&](const auto&... parts) {
    throw Error(ErrorCode::kBadInput, source, ": ", parts...);
  };
  if (tokenizer.size() > config.vocab_size) {
    fail("has ids up to ", tokenizer.size() - 1, ", the model's embedding has ", config.vocab_size,
         " rows");
  }
  const int32_t control = config.audio_tokens_start - kControlIds;
  if (tokenizer.vocabulary_size() > control) {
    fail("its vocabulary has ids up to ", tokenizer.vocabulary_size() - 1,
         ", the model's control ids begin at ", control);
  }
  const TokenLayout layout = TokenLayout::of(config);
  const std::vector<int32_t> around = tokenizer.encode("");
  if (around.empty()) {
    throw Error(ErrorCode::kBadInput, source,
                ": puts nothing in front of a text, the model was trained with the id ",
                layout.start_of_text)
        .with_hint("set add_bos_token to true in tokenizer_config.json");
  }
  if (around.size() != 1 || around[0] != layout.start_of_text) {
    fail("puts ", around.size(), " ids around a text, the first of them ", around[0],
         ", must be the id ", layout.start_of_text, " alone");
  }
  for (const auto& [language, token] : config.language_tokens) {
    const std::vector<int32_t> ids = tokenizer.encode(token);
    if (ids.size() != 2 || !layout.is_text(ids[1])) {
      fail("\"", printable(token), "\", the model's token for the language ", printable(language),
           ", is no added token for text here");
    }
  }
}

TaggedText tagged_text(const Lfm2Config& config, std::string_view text, std::string_view tag) {
  const std::string settled = settled_tag(config, tag);
  if (settled.empty()) return std::string(text);
  if (std::string token = token_of(config, settled); !token.empty())
    return {std::move(token), concat(": ", text)};
  return concat(settled, ": ", text);
}

std::vector<int32_t> encode(const Tokenizer& tokenizer, const TaggedText& tagged,
                            AddedTokens added) {
  std::vector<int32_t> rest = tokenizer.encode(tagged.text, added);
  if (tagged.token.empty()) return rest;
  std::vector<int32_t> ids = tokenizer.encode(tagged.token, AddedTokens::kMatch);
  ids.insert(ids.end(), rest.begin() + 1, rest.end());  // the other BOS
  return ids;
}

bool knows_tag(const Lfm2Config& config, std::string_view tag) {
  return !token_of(config, tag).empty() ||
         std::find(config.language_tags.begin(), config.language_tags.end(), tag) !=
             config.language_tags.end();
}

std::string tag_concern(const Lfm2Config& config, std::string_view tag) {
  const std::string settled = settled_tag(config, tag);
  if (settled.empty()) {
    return config.language_tags_available ? "this model knows language tags but none is given"
                                          : std::string();
  }
  if (!config.language_tags_available)
    return "this model knows no language tags; the tag is read as text";
  if (!knows_tag(config, settled))
    return concat("the language tag ", printable(settled), " is not in the model's list");
  return {};
}

std::vector<int32_t> build_prompt(const TokenLayout& layout, const Tokenizer& tokenizer,
                                  const TaggedText& tagged, AddedTokens added,
                                  bool with_speech_start) {
  std::vector<int32_t> ids = {layout.start_of_human};
  const std::vector<int32_t> text = encode(tokenizer, tagged, added);
  ids.reserve(text.size() + 5);
  ids.insert(ids.end(), text.begin(), text.end());
  ids.insert(ids.end(), {layout.end_of_text, layout.end_of_human});
  if (with_speech_start) ids.insert(ids.end(), {layout.start_of_ai, layout.start_of_speech});
  return ids;
}

double FramePositions::next_voice() {
  const int64_t frames = audio_ / layout_.codebooks;
  return static_cast<double>(plain_++) + static_cast<double>(frames) * audio_step_;
}

double FramePositions::next(int32_t id) {
  if (!layout_.is_audio(id)) return next_voice();  // all that is not audio counts alike
  const int64_t frames = audio_++ / layout_.codebooks;
  return static_cast<double>(plain_) + static_cast<double>(frames) * audio_step_;
}

std::vector<double> sequence_positions(const TokenLayout& layout, double audio_step,
                                       std::span<const int32_t> ids, bool with_voice) {
  FramePositions positions(layout, audio_step);
  std::vector<double> out;
  out.reserve(ids.size() + 1);
  for (size_t i = 0; i < ids.size(); ++i) {
    out.push_back(positions.next(ids[i]));
    if (i == 0 && with_voice) out.push_back(positions.next_voice());
  }
  return out;
}

double UpstreamDecodePositions::next(int32_t id) {
  const auto length = static_cast<double>(cached_++);
  if (!layout_.is_audio(id)) return length;
  if (audio_fed_ == 0) {
    frame_position_ = length;
  } else if (audio_fed_ % layout_.codebooks == 0) {
    frame_position_ += audio_step_;
  }
  ++audio_fed_;
  return frame_position_;
}

std::vector<int32_t> decode_codes(const TokenLayout& layout, std::span<const int32_t> ids,
                                  DecodeMode mode) {
  const bool strict = mode == DecodeMode::kStrict;
  const Speech speech =
      strict ? find_speech_strictly(layout, ids) : find_speech_leniently(layout, ids);
  const auto codebooks = static_cast<size_t>(layout.codebooks);
  const size_t count = speech.end - speech.begin;
  if (strict && count == 0)
    throw Error(ErrorCode::kBadInput, "no audio between start and end of speech");
  std::vector<int32_t> codes;
  codes.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    const size_t slot = i % codebooks;
    const int32_t id = ids[speech.begin + i];
    const std::optional<int32_t> code = code_of(layout, id, slot);
    if (code) {
      codes.push_back(*code);
    } else if (strict) {
      const int32_t first = layout.audio_id(static_cast<int>(slot), 0);
      throw Error(ErrorCode::kBadInput, "id ", id, " at index ", speech.begin + i,
                  " is no code of codebook ", slot, ", expected ", first, " to ",
                  first + layout.codebook_size - 1);
    } else {
      break;
    }
  }
  if (strict && count % codebooks != 0) {
    throw Error(ErrorCode::kBadInput, count,
                " tokens between start and end of speech, must be a multiple of ", codebooks);
  }
  codes.resize(codes.size() - codes.size() % codebooks);
  return codes;
}

}  // namespace kani
