// language_tokens.cc - see language_tokens.h.
#include "kani/train/language_tokens.h"

#include <algorithm>

#include "kani/base/error.h"

namespace kani::train {
namespace {

// Ids without BOS.
std::vector<int32_t> ids_of(const Tokenizer& tokenizer, std::string_view text, AddedTokens added) {
  std::vector<int32_t> ids = tokenizer.encode(text, added);
  ids.erase(ids.begin());
  return ids;
}

// As data has it in front of a text, which does not know of tokens.
std::string written_tag(Lfm2Config model, const std::string& language) {
  model.language_tokens.clear();
  return tagged_text(model, "", language).text;  // "ky: "
}

}  // namespace

std::pair<std::string, std::string> language_entry(const std::string& entry) {
  const size_t sign = entry.find('=');
  const bool plain = sign == std::string::npos;
  const std::string language = entry.substr(0, sign), token = plain ? "" : entry.substr(sign + 1);
  for (const std::string& tag : {language, plain ? language : token})
    require(is_language_tag(tag), "add_languages: \"", printable(tag), "\" must be one of ",
            kLanguageTagRule);
  // As --replay takes it; here it would become a name in the tokenizer.
  std::error_code ignored;
  if (token.find('/') != std::string::npos || std::filesystem::exists(token, ignored))
    throw Error(ErrorCode::kInvalidArgument, "add_languages: \"", printable(token),
                "\" is a place, not the token of ", language)
        .with_hint("--data says where the language's clips are; a token is a word like <|" +
                   language + "|>");
  return {language, token};
}

std::vector<LanguageToken> language_tokens(const std::vector<std::string>& entries,
                                           const std::filesystem::path& folder,
                                           const Lfm2Config& model) {
  std::map<std::string, std::string> wanted = model.language_tokens;
  for (const std::string& entry : entries) {
    const auto [language, token] = language_entry(entry);
    if (token.empty()) continue;
    const auto [known, is_new] = wanted.emplace(language, token);
    require(is_new || known->second == token, "add_languages: ", language, " has the token \"",
            printable(known->second), "\" already");
  }
  std::vector<LanguageToken> out;
  if (wanted.empty()) return out;
  const Tokenizer tokenizer = Tokenizer::load(folder);
  const TokenLayout layout = TokenLayout::of(model);
  const int32_t first_control = layout.start_of_speech - 1;
  int32_t next = tokenizer.size();
  for (const auto& [language, token] : wanted) {
    std::string tag = written_tag(model, language);
    tag.resize(tag.size() - 2);  // without ": "
    LanguageToken& added = out.emplace_back(
        LanguageToken{language, token, 0, ids_of(tokenizer, tag, AddedTokens::kPlainText)});
    const std::vector<int32_t> ids = ids_of(tokenizer, token, AddedTokens::kMatch);
    if (ids.size() == 1) {
      require(layout.is_text(ids[0]) && ids[0] > layout.end_of_text, "add_languages: \"",
              printable(token), "\" has the id ", ids[0], ", which is no text");
      added.id = ids[0];
      continue;
    }
    if (next >= first_control) next = std::max(next, layout.rows);
    added.id = next++;
  }
  return out;
}

void add_language_tokens(const std::vector<LanguageToken>& tokens, Lfm2Config& config,
                         ParameterMap& parameters) {
  at::NoGradGuard no_grad;
  for (const LanguageToken& added : tokens) {
    if (config.language_tokens.contains(added.language)) continue;
    const at::Tensor pieces = at::tensor(at::ArrayRef<int32_t>(added.pieces)).to(at::kLong);
    for (const char* table : {"model.embed_tokens.weight", "lm_head.weight"}) {
      const auto found = parameters.find(table);
      if (found == parameters.end()) continue;
      at::Tensor rows = found->second.detach();
      const at::Tensor mean = rows.index_select(0, pieces).mean(0, /*keepdim=*/true);
      if (added.id < rows.size(0)) {
        rows = rows.clone();
        rows.slice(0, added.id, added.id + 1).copy_(mean);
      } else {
        rows = at::cat({rows, mean}, 0);
      }
      found->second = rows.set_requires_grad(true);
    }
    if (added.id >= config.vocab_size) {
      config.audio_codebook_size = config.codebook_size();
      config.vocab_size = added.id + 1;
    }
    config.language_tokens[added.language] = added.token;
  }
}

void put_language_token(const std::vector<LanguageToken>& tokens, TrainingClip& clip) {
  const auto found = std::find_if(tokens.begin(), tokens.end(), [&](const LanguageToken& token) {
    return token.language == clip.language;
  });
  if (found == tokens.end()) return;
  std::vector<int32_t>& text = clip.text;
  const std::vector<int32_t>& pieces = found->pieces;
  const bool tagged = text.size() > pieces.size() &&
                      std::equal(pieces.begin(), pieces.end(), text.begin() + 1);  // behind BOS
  if (!tagged) return;
  text[1] = found->id;
  text.erase(text.begin() + 2, text.begin() + 1 + static_cast<std::ptrdiff_t>(pieces.size()));
}

}  // namespace kani::train
