// config_json_fuzz.cc - bytes as config.json and, behind the first NUL, generation_config.json:
// either refused with kani::Error or a configuration whose list of tensors and ids can be made.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "kani/base/error.h"
#include "kani/tokens/layout.h"

namespace {

void try_config(std::string_view json) {
  try {
    const kani::Lfm2Config config = kani::parse_lfm2_config(json, "fuzz");
    if (kani::lfm2_parameters(config) > uint64_t{1} << 36) std::abort();
    if (kani::lfm2_tensors(config).size() < config.layers.size() * 8) std::abort();
    const kani::TokenLayout layout = kani::TokenLayout::of(config);
    if (layout.audio_id(layout.codebooks - 1, layout.codebook_size - 1) != layout.audio_end() - 1)
      std::abort();
    if (layout.audio_end() > config.vocab_size) std::abort();
    if (layout.start_of_speech <= layout.end_of_text || layout.end_of_ai >= layout.audio_start)
      std::abort();
    for (const std::string& tag : config.language_tags) {
      const kani::TaggedText tagged = kani::tagged_text(config, "x", tag);
      if (tagged.token.empty() ? tagged.text != tag + ": x" : tagged.text != ": x") std::abort();
    }
  } catch (const kani::Error&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t nul = input.find('\0');
  try_config(input.substr(0, nul));
  try {
    const std::string_view generation = nul == input.npos ? input : input.substr(nul + 1);
    const kani::GenerationDefaults read = kani::parse_generation_config(generation, "fuzz");
    if (read.top_p && !(*read.top_p > 0 && *read.top_p <= 1)) std::abort();
  } catch (const kani::Error&) {
  }
  return 0;
}
