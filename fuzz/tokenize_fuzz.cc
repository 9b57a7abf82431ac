// tokenize_fuzz.cc - any bytes as text for three good tokenizers: ids are in range, and their bytes
// give the text back. The first byte of the input chooses tokenizer and mode.
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "kani/base/utf8.h"
#include "kani/tokens/tokenizer.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::array<kani::Tokenizer, 3> kTokenizers = {
      kani::Tokenizer::load(KANI_TEST_DATA "/lm/tokenizer"),
      kani::Tokenizer::load(KANI_TEST_DATA "/lm/case_b"),
      kani::Tokenizer::load(KANI_TEST_DATA "/training/tokenizer")};
  if (size == 0) return 0;
  const kani::Tokenizer& tokenizer = kTokenizers[data[0] % 3];
  const bool plain = (data[0] & 0x80) != 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  std::string back;
  for (const int32_t id :
       tokenizer.encode(text, plain ? kani::AddedTokens::kPlainText : kani::AddedTokens::kMatch)) {
    if (id < 0 || id >= (plain ? tokenizer.vocabulary_size() : tokenizer.size())) std::abort();
    back += tokenizer.bytes(id);
  }
  if (back != "<|startoftext|>" + kani::replace_invalid_utf8(text)) std::abort();
  return 0;
}
