// tokenizer.cc - runs the five steps of language-model.md 3.1 on a text.  Step 3 (bytes to symbols)
// was done once when the file was read: the tables hold bytes.
#include "kani/tokens/tokenizer.h"

#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/base/log.h"
#include "kani/base/utf8.h"
#include "kani/tokens/tokenizer_tables.h"

namespace kani {
namespace {

/// Calls on_gap(part) for the text between matches and on_match(id) for the matches, in order.
template <typename OnGap, typename OnMatch>
void cut_at_tokens(const AddedTokenMatcher& matcher, std::string_view text, OnGap on_gap,
                   OnMatch on_match) {
  size_t done = 0;
  while (const auto match = matcher.find(text, done)) {
    on_gap(text.substr(done, match->begin - done));
    on_match(match->id);
    done = match->begin + match->length;
  }
  on_gap(text.substr(done));
}

void warn_of_class(const TokenizerConfig& config, std::string_view source) {
  const std::string& name = config.tokenizer_class;
  if (!name.empty() && name != "PreTrainedTokenizerFast" && name != "TokenizersBackend") {
    log_warning("tokens", source, ": tokenizer_class is ", printable(name),
                ", which may change ids in other programs; tokenizer.json alone counts here");
  }
}

}  // namespace

Tokenizer::Tokenizer(std::unique_ptr<const TokenizerTables> tables) : tables_(std::move(tables)) {}
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;
Tokenizer::~Tokenizer() = default;

Tokenizer Tokenizer::load(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "tokenizer.json";
  const std::filesystem::path config = folder / "tokenizer_config.json";
  std::error_code error;
  const bool with_config = std::filesystem::exists(config, error);
  const std::string config_text =
      with_config ? read_file(config, kMaxTokenizerBytes) : std::string();
  return parse(read_file(file, kMaxTokenizerBytes), config_text, file.string());
}

Tokenizer Tokenizer::parse(std::string_view tokenizer_json, std::string_view tokenizer_config_json,
                           std::string_view source) {
  const TokenizerFile file = read_tokenizer_file(tokenizer_json, source);
  const std::string config_source = concat(source, " (its tokenizer_config.json)");
  const TokenizerConfig config = read_tokenizer_config(tokenizer_config_json, config_source);
  warn_of_class(config, config_source);
  return Tokenizer(std::make_unique<const TokenizerTables>(build_tables(file, config, source)));
}

std::vector<int32_t> Tokenizer::encode(std::string_view text, AddedTokens added) const {
  require(text.size() <= kMaxTextBytes, "text has ", text.size(), " bytes, at most ", kMaxTextBytes,
          " are taken");
  std::string replaced;
  if (find_invalid_utf8(text)) {
    replaced = replace_invalid_utf8(text);
    text = replaced;
  }
  std::vector<int32_t> ids = tables_->before;
  ids.reserve(ids.size() + tables_->after.size() + text.size() / 3);
  Bpe::Scratch scratch;
  const auto plain = [&](std::string_view part) {
    while (!part.empty()) {
      const size_t length = first_piece(tables_->split, part);
      tables_->bpe.encode(part.substr(0, length), scratch, ids);
      part.remove_prefix(length);
    }
  };
  if (added == AddedTokens::kPlainText) {
    plain(text);
  } else {
    const auto append = [&](int32_t id) { ids.push_back(id); };
    const auto between = [&](std::string_view part) {
      cut_at_tokens(tables_->normalized, part, plain, append);
    };
    cut_at_tokens(tables_->raw, text, between, append);
  }
  ids.insert(ids.end(), tables_->after.begin(), tables_->after.end());
  return ids;
}

int Tokenizer::size() const { return static_cast<int>(tables_->bpe.tokens.size()); }

int Tokenizer::vocabulary_size() const { return tables_->vocabulary_size; }

std::string_view Tokenizer::bytes(int32_t id) const {
  if (id < 0 || id >= size()) return {};
  return tables_->bpe.tokens.bytes(id);
}

}  // namespace kani
