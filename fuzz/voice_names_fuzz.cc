// voice_names_fuzz.cc - names that strangers give to voices: as an identifier, as a mix, as
// speaker_map.json and as openai_voices.json.  Only kani::Error may come out; what is accepted must
// hold its promises.
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "kani/base/error.h"
#include "kani/engine/voice_names.h"

namespace {

void expect(bool holds) {
  if (!holds) std::abort();
}

// Runs `call`; what it refuses is one line.
template <typename Call>
void attempt(Call call) {
  try {
    call();
  } catch (const kani::Error& error) {
    for (const char* at = error.what(); *at != '\0'; ++at)
      expect(static_cast<unsigned char>(*at) >= 0x20);
  }
}

void check_mix(std::string_view text) {
  double sum = 0;
  for (const kani::MixTerm& term : kani::parse_mix(text)) {
    expect(!term.voice.empty() && term.weight > 0 && term.weight <= 1);
    sum += term.weight;
  }
  expect(std::abs(sum - 1) < 1e-9);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  attempt([&] { check_mix(text); });
  attempt([&] {
    const std::string id = kani::voice_id_of(text);
    expect(kani::is_voice_id(id) && kani::voice_id_of(id) == id);
    expect(!kani::is_voice_id(text) || id == text);
  });
  attempt([&] {
    for (const auto& [name, file] : kani::parse_speaker_map(text, "fuzz")) {
      expect(!name.empty() && !file.empty() && file.front() != '/');
      expect(("/" + file + "/").find("/../") == std::string::npos);
      expect(file.find('\\') == std::string::npos && file.find('\0') == std::string::npos);
    }
  });
  attempt([&] { expect(kani::parse_openai_voices(text, "fuzz").size() <= 13); });
  return 0;
}
