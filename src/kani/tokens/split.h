// split.h - cuts text into the pieces that byte-pair encoding works on, as two well-known regular
// expressions do. Source: language-model.md 3.1 step 2 (LLaMA-3's rule, LFM2's files) and the rule
// of GPT-2, which a tokenizer.json asks for with ByteLevel's use_regex (small models trained from
// scratch have it).  Not a regex engine.
#pragma once

#include <cstddef>
#include <string_view>

namespace kani {

enum class SplitRule { kLlama3, kGpt2 };

/// LLaMA-3's expression, letter by letter as tokenizer.json has it.
inline constexpr std::string_view kLlama3Pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

/// Bytes of the first piece of `text`, at least one code point.  `text` is valid UTF-8 and not
/// empty.  A whole text is cut in linear time by taking pieces off its front.
size_t first_piece(SplitRule rule, std::string_view text) noexcept;

}  // namespace kani
