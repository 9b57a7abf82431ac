// voice_fuzz.cc - C3: voice files of all four kinds; inputs that begin as a pickle also go to the
// pickle reader alone, under both of its policies.  Only kani::Error may come out; what is accepted
// must hold its promises and be the same twice.
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "archive_mutator.h"
#include "kani/base/error.h"
#include "kani/formats/pickle.h"
#include "kani/formats/voice_file.h"

namespace {

void expect(bool holds) {
  if (!holds) std::abort();
}

void check_pickle(std::span<const std::byte> bytes, const kani::PicklePolicy& policy) {
  try {
    const kani::PickleContent content = kani::read_pickle(bytes, policy, "fuzz");
    for (const kani::PickledTensor& tensor : content.tensors) {
      expect(tensor.shape.size() == tensor.strides.size() && !tensor.key.empty());
    }
  } catch (const kani::Error&) {
  }
}

void check_voice(std::span<const std::byte> bytes) {
  const kani::VoiceFile voice = kani::parse_voice(bytes, "fuzz");
  expect(!voice.values.empty() && voice.values.size() <= 4096);
  for (const float value : voice.values) expect(std::isfinite(value));
  expect(!voice.format.empty() && !voice.stored_shape.empty());
  expect(kani::parse_voice(bytes, "fuzz").values == voice.values);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::span<const std::byte> bytes = std::as_bytes(std::span(data, size));
  if (size > 0 && data[0] == 0x80) {
    check_pickle(bytes, kani::kVoicePickle);
    check_pickle(bytes, kani::kCheckpointPickle);
  }
  try {
    check_voice(bytes);
  } catch (const kani::Error&) {
  }
  return 0;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned seed) {
  return kani::fuzz::mutate_torch_file(data, size, max_size, seed);
}
