// random_tokenizer.cc - a tokenizer.json in LFM2's form: special tokens, the 256 byte symbols, then
// merges of lower-case letters (pairs, pairs with a letter, pairs with pairs), so that English text
// takes about as many ids as with the real vocabulary.  Not a trained tokenizer.
#include <string>
#include <vector>

#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/base/json.h"
#include "kani/base/utf8.h"
#include "random_model.h"

namespace kani::tool {
namespace {

constexpr const char* kPattern =
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| "
    "?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|"
    "\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

// The 256 byte symbols of byte-level BPE in the order of the bytes' alphabet: printable ones first.
std::vector<std::string> byte_symbols() {
  std::vector<std::string> printable_ones, moved;
  char32_t next = 0x100;
  for (char32_t byte = 0; byte < 256; ++byte) {
    const bool keeps = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
    std::string symbol;
    append_utf8(symbol, keeps ? byte : next++);
    (keeps ? printable_ones : moved).push_back(symbol);
  }
  printable_ones.insert(printable_ones.end(), moved.begin(), moved.end());
  return printable_ones;
}

// `count` merges, every one of parts that exist before it.
std::vector<std::pair<std::string, std::string>> made_up_merges(size_t count) {
  const std::string letters = "etaoinshrdlcumwfgypbvkjxqz";
  const std::string space = "\xC4\xA0";  // the symbol of a space
  std::vector<std::string> singles, pairs;
  for (const char c : letters) singles.emplace_back(1, c);
  std::vector<std::pair<std::string, std::string>> merges;
  const auto add = [&](const std::string& a, const std::string& b) {
    if (merges.size() < count) merges.emplace_back(a, b);
  };
  for (const std::string& a : singles) add(space, a);
  for (const std::string& a : singles) {
    for (const std::string& b : singles) {
      add(a, b);
      pairs.push_back(a + b);
    }
  }
  for (const std::string& a : pairs) {
    for (const std::string& b : singles) add(a, b);
  }
  for (const std::string& a : pairs) {
    for (const std::string& b : pairs) {
      if (merges.size() >= count) return merges;
      add(a, b);
    }
  }
  return merges;
}

}  // namespace

void write_random_tokenizer(const std::filesystem::path& folder, int entries) {
  std::vector<std::string> special{"<|pad|>", "<|startoftext|>", "<|endoftext|>"};
  Json vocabulary = Json::object();
  for (const std::string& name : special) vocabulary[name] = vocabulary.size();
  // The real vocabulary has 510 special and reserved entries in front of the bytes; small ones have
  // only three.
  const size_t bytes_at = entries > 2000 ? 510 : special.size();
  while (vocabulary.size() < bytes_at) {
    vocabulary[concat("<|reserved_", vocabulary.size() - 10, "|>")] = vocabulary.size();
  }
  for (const std::string& symbol : byte_symbols()) vocabulary[symbol] = vocabulary.size();
  require(static_cast<size_t>(entries) >= vocabulary.size(), "a tokenizer needs ",
          vocabulary.size(), " entries");
  Json merges = Json::array();
  for (const auto& [a, b] : made_up_merges(static_cast<size_t>(entries) - vocabulary.size())) {
    merges.push_back({a, b});
    vocabulary[a + b] = vocabulary.size();
  }
  Json added = Json::array();
  for (size_t i = 0; i < special.size(); ++i) {
    added.push_back({{"id", i},
                     {"content", special[i]},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", false},
                     {"normalized", false},
                     {"special", true}});
  }
  const Json split{{"type", "Split"},
                   {"pattern", {{"Regex", kPattern}}},
                   {"behavior", "Isolated"},
                   {"invert", false}};
  const Json byte_level{{"type", "ByteLevel"},
                        {"add_prefix_space", false},
                        {"trim_offsets", true},
                        {"use_regex", false}};
  const Json start{{"SpecialToken", {{"id", special[1]}, {"type_id", 0}}}};
  const Json text{{"Sequence", {{"id", "A"}, {"type_id", 0}}}};
  const Json text_b{{"Sequence", {{"id", "B"}, {"type_id", 1}}}};
  const Json tokenizer{
      {"version", "1.0"},
      {"truncation", nullptr},
      {"padding", nullptr},
      {"added_tokens", added},
      {"normalizer", nullptr},
      {"pre_tokenizer", {{"type", "Sequence"}, {"pretokenizers", {split, byte_level}}}},
      {"post_processor",
       {{"type", "TemplateProcessing"},
        {"single", {start, text}},
        {"pair", {start, text, text_b}},
        {"special_tokens",
         {{special[1], {{"id", special[1]}, {"ids", {1}}, {"tokens", {special[1]}}}}}}}},
      {"decoder", byte_level},
      {"model",
       {{"type", "BPE"},
        {"dropout", nullptr},
        {"unk_token", nullptr},
        {"continuing_subword_prefix", nullptr},
        {"end_of_word_suffix", nullptr},
        {"fuse_unk", false},
        {"byte_fallback", false},
        {"ignore_merges", true},
        {"vocab", vocabulary},
        {"merges", merges}}}};
  write_file(folder / "tokenizer.json", tokenizer.dump(1) + "\n");
  write_file(folder / "tokenizer_config.json", Json({{"tokenizer_class", "PreTrainedTokenizerFast"},
                                                     {"bos_token", special[1]},
                                                     {"eos_token", special[2]},
                                                     {"pad_token", special[0]},
                                                     {"add_bos_token", true}})
                                                       .dump(1) +
                                                   "\n");
}

}  // namespace kani::tool
