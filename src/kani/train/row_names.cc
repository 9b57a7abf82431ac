// row_names.cc - see row_names.h.
#include "kani/train/row_names.h"

#include <algorithm>

#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/tokens/layout.h"
#include "kani/tokens/tokenizer.h"
#include "kani/tokens/tokenizer_file.h"

namespace kani::train {

std::string named_tokenizer(const std::filesystem::path& folder, const Lfm2Config& model,
                            std::span<const TokenName> tokens, int32_t last) {
  const std::filesystem::path path = folder / "tokenizer.json";
  if (!std::filesystem::exists(path)) return {};
  const std::string json = read_file(path, kMaxTokenizerBytes);
  const int32_t first_control = TokenLayout::of(model).start_of_speech - 1;
  std::vector<TokenName> names;
  for (int32_t id = Tokenizer::parse(json, "", path.string()).size(); id <= last; ++id) {
    const auto token = std::find_if(tokens.begin(), tokens.end(),
                                    [&](const TokenName& name) { return name.id == id; });
    if (token != tokens.end()) {
      names.push_back(*token);
    } else if (id < first_control) {
      names.push_back({id, concat("<unused_", id, ">")});
    } else {
      names.push_back({id, concat("<custom_token_", id - first_control, ">")});
    }
  }
  return names.empty() ? std::string() : with_token_names(json, path.string(), names);
}

}  // namespace kani::train
