// checkpoint_fuzz.cc - C12: bytes as a small file of a checkpoint; the first byte says which: 's'
// state.json, else MANIFEST.  Refused with kani::Error(kBadInput), or what its own text gives back.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "kani/base/error.h"
#include "kani/train/run_state.h"
#include "kani/train/sealed_folder.h"

namespace {

void expect(bool holds) {
  if (!holds) std::abort();
}

void read_state(std::string_view text) {
  const kani::train::RunState state = kani::train::parse_state(text, "fuzz");
  expect(state.update >= 0 && state.row >= 0 && state.best_update >= 0);
  const std::string written = kani::train::state_text(state);
  expect(kani::train::state_text(kani::train::parse_state(written, "again")) == written);
}

void read_seal(std::string_view text) {
  std::string written;
  for (const auto& [name, hash] : kani::train::parse_seal(text, "fuzz")) {
    expect(hash.size() == 64 && !name.empty() && name.find('/') == std::string::npos);
    written += hash + "  " + name + "\n";
  }
  expect(written.size() <= text.size() + 1);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (input.empty()) return 0;
  try {
    if (input[0] == 's')
      read_state(input.substr(1));
    else
      read_seal(input.substr(1));
  } catch (const kani::Error& error) {
    expect(error.code() == kani::ErrorCode::kBadInput);
  }
  return 0;
}
