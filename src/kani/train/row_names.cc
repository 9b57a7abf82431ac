// row_names.cc - see row_names.h.
#include "kani/train/row_names.h"

#include <algorithm>

#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/tokens/layout.h"
#include "kani/tokens/tokenizer.h"
#include "kani/tokens/tokenizer_file.h"
#include "kani/tokens/tokenizer_names.h"

namespace kani::train {

std::string named_tokenizer(const std::filesystem::path& folder, const Lfm2Config& model,
                            std::span<const LanguageToken> tokens, bool all_rows) {
  const std::filesystem::path path = folder / "tokenizer.json";
  if (!std::filesystem::exists(path)) return {};
  const std::string json = read_file(path, kMaxTokenizerBytes);
  const TokenLayout layout = TokenLayout::of(model);
  const int32_t first_control = layout.start_of_speech - 1;
  int32_t last = all_rows ? layout.rows - 1 : 0;
  for (const LanguageToken& token : tokens) last = std::max(last, token.id);
  std::vector<TokenName> names;
  for (int32_t id = Tokenizer::parse(json, "", path.string()).size(); id <= last; ++id) {
    const auto token = std::find_if(tokens.begin(), tokens.end(),
                                    [&](const LanguageToken& t) { return t.id == id; });
    if (token != tokens.end()) {
      names.push_back({id, token->token});
    } else if (layout.is_text(id)) {
      names.push_back({id, concat("<unused_", id, ">")});
    } else {
      names.push_back({id, concat("<custom_token_", id - first_control, ">")});
    }
  }
  return names.empty() ? std::string() : with_token_names(json, path.string(), names);
}

}  // namespace kani::train
