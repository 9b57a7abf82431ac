// speaker_config_fuzz.cc - bytes as config.json of a speaker encoder: either refused with
// kani::Error or a configuration whose list of tensors can be made and that its own text gives
// back.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "kani/base/error.h"
#include "kani/spec/speaker.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    const kani::SpeakerConfig config =
        kani::parse_speaker_config({reinterpret_cast<const char*>(data), size}, "fuzz");
    if (config.heads < 1 || config.head_size() * config.heads != config.hidden_size) std::abort();
    const size_t tensors = kani::speaker_tensors(config).size();
    if (tensors < static_cast<size_t>(config.layers) * 18) std::abort();
    const kani::SpeakerConfig again =
        kani::parse_speaker_config(kani::speaker_config_json(config), "again");
    if (kani::speaker_tensors(again).size() != tensors) std::abort();
  } catch (const kani::Error& error) {
    if (error.code() != kani::ErrorCode::kBadInput && error.code() != kani::ErrorCode::kUnsupported)
      std::abort();
  }
  return 0;
}
