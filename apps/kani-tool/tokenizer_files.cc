// tokenizer_files.cc - see tokenizer_files.h.
#include "tokenizer_files.h"

#include <array>

#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/base/json.h"
#include "kani/base/utf8.h"
#include "kani/tokens/split.h"

namespace kani::tool {
namespace {

constexpr const char* kNames[kSpecialEntries] = {"<|pad|>", "<|startoftext|>", "<|endoftext|>"};

bool is_printed(char32_t byte) {
  return (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
}

// The symbol that byte-level BPE writes for each byte: itself if it can be printed, else the next
// character from U+0100 on.
std::array<std::string, 256> byte_symbols() {
  std::array<std::string, 256> out;
  char32_t next = 0x100;
  for (char32_t byte = 0; byte < 256; ++byte)
    append_utf8(out[byte], is_printed(byte) ? byte : next++);
  return out;
}

// In the order of the bytes' alphabet: printable ones first.
void add_bytes(const std::array<std::string, 256>& symbols, Json& vocabulary) {
  for (const bool printed : {true, false}) {
    for (char32_t byte = 0; byte < 256; ++byte) {
      if (is_printed(byte) == printed) vocabulary[symbols[byte]] = vocabulary.size();
    }
  }
}

}  // namespace

size_t write_tokenizer(const std::filesystem::path& folder, size_t special,
                       const std::vector<std::pair<std::string, std::string>>& merges_of_bytes) {
  const std::array<std::string, 256> symbols = byte_symbols();
  const std::vector<std::string> names(kNames, kNames + kSpecialEntries);
  Json vocabulary = Json::object();
  for (const std::string& name : names) vocabulary[name] = vocabulary.size();
  while (vocabulary.size() < special)
    vocabulary[concat("<|reserved_", vocabulary.size() - 10, "|>")] = vocabulary.size();
  add_bytes(symbols, vocabulary);
  Json merges = Json::array();
  const auto written = [&](const std::string& bytes) {
    std::string out;
    for (const char c : bytes) out += symbols[static_cast<unsigned char>(c)];
    return out;
  };
  for (const auto& [left, right] : merges_of_bytes) {
    const std::string a = written(left), b = written(right);
    merges.push_back({a, b});
    if (!vocabulary.contains(a + b)) vocabulary[a + b] = vocabulary.size();
  }
  Json added = Json::array();
  for (size_t i = 0; i < names.size(); ++i) {
    added.push_back({{"id", i},
                     {"content", names[i]},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", false},
                     {"normalized", false},
                     {"special", true}});
  }
  const Json split{{"type", "Split"},
                   {"pattern", {{"Regex", kLlama3Pattern}}},
                   {"behavior", "Isolated"},
                   {"invert", false}};
  const Json byte_level{{"type", "ByteLevel"},
                        {"add_prefix_space", false},
                        {"trim_offsets", true},
                        {"use_regex", false}};
  const Json start{{"SpecialToken", {{"id", names[1]}, {"type_id", 0}}}};
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
         {{names[1], {{"id", names[1]}, {"ids", {1}}, {"tokens", {names[1]}}}}}}}},
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
  write_file(folder / "tokenizer.json", dump_json(tokenizer, 1) + "\n");
  write_file(folder / "tokenizer_config.json",
             dump_json(Json({{"tokenizer_class", "PreTrainedTokenizerFast"},
                             {"bos_token", names[1]},
                             {"eos_token", names[2]},
                             {"pad_token", names[0]},
                             {"add_bos_token", true}}),
                       1) +
                 "\n");
  return vocabulary.size();
}

}  // namespace kani::tool
