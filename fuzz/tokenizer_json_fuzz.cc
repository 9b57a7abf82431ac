// tokenizer_json_fuzz.cc - bytes as tokenizer.json and, behind the first NUL,
// tokenizer_config.json: either refused with kani::Error or a tokenizer that works and comes out
// the same twice.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "kani/base/error.h"
#include "kani/tokens/tokenizer.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t nul = input.find('\0');
  const std::string_view json = input.substr(0, nul);
  const std::string_view config = nul == input.npos ? std::string_view() : input.substr(nul + 1);
  try {
    const kani::Tokenizer first = kani::Tokenizer::parse(json, config, "fuzz");
    const kani::Tokenizer second = kani::Tokenizer::parse(json, config, "fuzz");
    constexpr std::string_view kText =
        "It's 1234 words: <|im_end|>, \xC3\xA9t\xC3\xA9  \n\n \xF0\x9F\x98\x80\xFF end";
    const std::vector<int32_t> ids = first.encode(kText);
    if (ids != second.encode(kText)) std::abort();
    for (const int32_t id : ids) {
      if (id < 0 || id >= first.size() || first.bytes(id).empty()) std::abort();
    }
    if (first.vocabulary_size() > first.size()) std::abort();
  } catch (const kani::Error&) {
  }
  return 0;
}
