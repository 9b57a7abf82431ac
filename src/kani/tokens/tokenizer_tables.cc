// tokenizer_tables.cc - see the header.
#include "kani/tokens/tokenizer_tables.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "kani/base/error.h"
#include "kani/base/log.h"
#include "kani/base/utf8.h"

namespace kani {
namespace {

/// Step 3 of the algorithm backwards: the byte that a symbol of the byte alphabet stands for.
class ByteAlphabet {
 public:
  ByteAlphabet() {
    bytes_.fill(-1);
    size_t next = 256;
    for (int byte = 0; byte < 256; ++byte) {
      const bool itself =
          (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
      bytes_[itself ? static_cast<size_t>(byte) : next++] = static_cast<int16_t>(byte);
    }
  }
  /// False if `symbols` holds anything but symbols of the alphabet.
  bool to_bytes(std::string_view symbols, std::string& out) const {
    out.clear();
    while (!symbols.empty()) {
      const CodePoint point = decode_utf8(symbols);
      if (point.value >= bytes_.size() || bytes_[point.value] < 0) return false;
      out.push_back(static_cast<char>(bytes_[point.value]));
      symbols.remove_prefix(point.length);
    }
    return true;
  }

 private:
  std::array<int16_t, 256 + 68> bytes_;  // 188 bytes are their own symbols, 68 have U+0100 and up
};

class Builder {
 public:
  Builder(const TokenizerFile& file, std::string_view source) : file_(file), source_(source) {}

  TokenizerTables build(const TokenizerConfig& config) {
    add_vocabulary();
    add_merges();
    add_added_tokens();
    add_template(config);
    warn_of_gaps();
    tables_.bpe.whole_pieces_first = file_.ignore_merges;
    tables_.split = file_.split;
    return std::move(tables_);
  }

 private:
  void add_vocabulary();
  void add_merges();
  void add_added_tokens();
  void add_template(const TokenizerConfig& config);
  void warn_of_gaps() const;

  template <typename... Parts>
  [[noreturn]] void fail(const Parts&... parts) const {
    throw Error(ErrorCode::kBadInput, source_, ": ", parts...);
  }
  int32_t merge_part(TokenizerFile::Text part, size_t index);
  int32_t id_in_vocabulary(std::string_view text);
  void check_ids(const std::vector<int32_t>& ids) const;

  const TokenizerFile& file_;
  std::string_view source_;
  TokenizerTables tables_;
  ByteAlphabet alphabet_;
  std::string bytes_;  // buffer
  // Entries with characters outside the alphabet: no text becomes them, but an added token may bear
  // their id.
  std::unordered_map<std::string_view, int32_t> unreachable_;
};

void Builder::add_vocabulary() {
  int size = 0;
  for (const TokenizerFile::Entry& entry : file_.vocabulary) size = std::max(size, entry.id + 1);
  tables_.vocabulary_size = size;
  for (const TokenizerFile::Added& token : file_.added) size = std::max(size, token.id + 1);
  TokenTable& tokens = tables_.bpe.tokens;
  tokens = TokenTable(static_cast<size_t>(size), file_.vocabulary.size());
  for (const TokenizerFile::Entry& entry : file_.vocabulary) {
    const std::string_view text = file_.text(entry.text);
    if (tokens.has(entry.id)) fail("model.vocab has the id ", entry.id, " twice");
    const bool reachable = alphabet_.to_bytes(text, bytes_);
    tokens.set(entry.id, reachable ? std::string_view(bytes_) : text);
    if (!(reachable ? tokens.make_searchable(entry.id)
                    : unreachable_.emplace(text, entry.id).second)) {
      fail("model.vocab has the token \"", printable(text), "\" twice");
    }
  }
  for (size_t byte = 0; byte < 256; ++byte) {
    const char character = static_cast<char>(byte);
    const int32_t id = tokens.find({&character, 1});
    if (id < 0) fail("model.vocab has no token for the single byte ", byte);
    tables_.bpe.byte_ids[byte] = id;
  }
}

int32_t Builder::id_in_vocabulary(std::string_view text) {
  if (alphabet_.to_bytes(text, bytes_)) return tables_.bpe.tokens.find(bytes_);
  const auto found = unreachable_.find(text);
  return found == unreachable_.end() ? -1 : found->second;
}

int32_t Builder::merge_part(TokenizerFile::Text part, size_t index) {
  const std::string_view text = file_.text(part);
  const int32_t id = alphabet_.to_bytes(text, bytes_) ? tables_.bpe.tokens.find(bytes_) : -1;
  if (id < 0)
    fail("model.merges[", index, "] names \"", printable(text),
         "\", which is not in the vocabulary");
  return id;
}

void Builder::add_merges() {
  const TokenTable& tokens = tables_.bpe.tokens;
  MergeTable& merges = tables_.bpe.merges;
  merges = MergeTable(file_.merges.size());
  std::string whole;
  for (size_t i = 0; i < file_.merges.size(); ++i) {
    const int32_t left = merge_part(file_.merges[i].left, i);
    const int32_t right = merge_part(file_.merges[i].right, i);
    whole = tokens.bytes(left);
    whole += tokens.bytes(right);
    const int32_t merged = tokens.find(whole);
    if (merged < 0) {
      fail("model.merges[", i, "] makes of \"", printable(file_.text(file_.merges[i].left)),
           "\" and \"", printable(file_.text(file_.merges[i].right)),
           "\" a token that is not in the vocabulary");
    }
    if (!merges.add(left, right, merged)) fail("model.merges[", i, "] occurs twice");
  }
}

void Builder::add_added_tokens() {
  TokenTable& tokens = tables_.bpe.tokens;
  std::unordered_set<std::string_view> seen;
  std::vector<AddedTokenMatcher::Token> raw, normalized;
  for (size_t i = 0; i < file_.added.size(); ++i) {
    const TokenizerFile::Added& token = file_.added[i];
    if (!seen.insert(token.content).second) {
      fail("added_tokens[", i, "] has the content \"", printable(token.content), "\" again");
    }
    const int32_t id = id_in_vocabulary(token.content);
    if (id >= 0 && id != token.id) {
      fail("added_tokens[", i, "] gives \"", printable(token.content), "\" the id ", token.id,
           ", the vocabulary has it as ", id);
    }
    if (id < 0 && tokens.has(token.id)) {
      fail("added_tokens[", i, "] gives \"", printable(token.content), "\" the id ", token.id,
           ", which another token has");
    }
    if (id < 0) tokens.set(token.id, token.content);
    (token.normalized ? normalized : raw).push_back({token.content, token.id});
  }
  tables_.raw = AddedTokenMatcher(std::move(raw));
  tables_.normalized = AddedTokenMatcher(std::move(normalized));
}

void Builder::add_template(const TokenizerConfig& config) {
  if (file_.single) {
    tables_.before = file_.single->before;
    tables_.after = file_.single->after;
    check_ids(tables_.before);
    check_ids(tables_.after);
  } else if (config.add_bos_token) {
    int32_t id = id_in_vocabulary(config.bos_token);
    for (const TokenizerFile::Added& token : file_.added) {
      if (token.content == config.bos_token) id = token.id;
    }
    if (id < 0) {
      fail("add_bos_token of tokenizer_config.json is true, but its bos_token \"",
           printable(config.bos_token), "\" is no token");
    }
    log_warning("tokens", source_, ": no template, bos_token ", id,
                " added because add_bos_token is true");
    tables_.before = {id};
  }
}

void Builder::check_ids(const std::vector<int32_t>& ids) const {
  const TokenTable& tokens = tables_.bpe.tokens;
  for (const int32_t id : ids) {
    if (static_cast<size_t>(id) >= tokens.size() || !tokens.has(id)) {
      fail("post_processor puts the id ", id, " beside the text, but no token has it");
    }
  }
}

/// Ids without a token do no harm to a text: they are rows of the embedding that nothing names.
void Builder::warn_of_gaps() const {
  const TokenTable& tokens = tables_.bpe.tokens;
  size_t gaps = 0;
  for (size_t id = 0; id < tokens.size(); ++id)
    gaps += tokens.has(static_cast<int32_t>(id)) ? 0 : 1;
  if (gaps > 0)
    log_warning("tokens", source_, ": ", gaps, " of ", tokens.size(), " ids have no token");
}

}  // namespace

TokenizerTables build_tables(const TokenizerFile& file, const TokenizerConfig& config,
                             std::string_view source) {
  return Builder(file, source).build(config);
}

}  // namespace kani
