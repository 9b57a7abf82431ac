// codes_fuzz.cc - any list of ids: lenient decoding never fails, strict decoding fails or agrees
// with it, and positions never go back.  An input is a list of 32-bit numbers; with an odd first
// byte single bytes that stand for likely ids.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "kani/base/error.h"
#include "kani/tokens/layout.h"

namespace {

std::vector<int32_t> ids_of(const kani::TokenLayout& layout, const uint8_t* data, size_t size) {
  std::vector<int32_t> ids;
  if (size > 0 && data[0] % 2 == 1) {
    for (size_t i = 1; i < size; ++i) {
      const int32_t value = data[i];
      ids.push_back(value < 16
                        ? layout.start_of_speech - 4 + value  // control ids
                        : layout.audio_id(value % 4, value % 8 < 4 ? 0 : layout.codebook_size - 1));
    }
    return ids;
  }
  for (size_t i = 1; i + 4 <= size; i += 4) {
    int32_t id = 0;
    std::memcpy(&id, data + i, sizeof id);
    ids.push_back(id);
  }
  return ids;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  kani::Lfm2Config config;
  config.vocab_size = 80538;
  const kani::TokenLayout layout = kani::TokenLayout::of(config);
  const std::vector<int32_t> ids = ids_of(layout, data, size);
  const std::vector<int32_t> lenient = kani::decode_codes(layout, ids, kani::DecodeMode::kLenient);
  if (lenient.size() % 4 != 0 || lenient.size() > ids.size()) std::abort();
  for (const int32_t code : lenient) {
    if (code < 0 || code >= layout.codebook_size) std::abort();
  }
  try {
    if (kani::decode_codes(layout, ids, kani::DecodeMode::kStrict) != lenient) std::abort();
  } catch (const kani::Error&) {
  }
  const std::vector<double> positions =
      kani::sequence_positions(layout, 0.25, ids, /*with_voice=*/true);
  if (positions.size() != (ids.empty() ? 0 : ids.size() + 1)) std::abort();
  for (size_t i = 1; i < positions.size(); ++i) {
    if (positions[i] < positions[i - 1] || positions[i] > positions[i - 1] + 1) std::abort();
  }
  kani::UpstreamDecodePositions upstream(layout, 0.25, 5);
  for (const int32_t id : ids) upstream.next(id);
  return 0;
}
