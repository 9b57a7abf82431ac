// token_shard_fuzz.cc - C1: bytes as a shard of clips.  Either refused with kani::Error or every
// clip can be read or is refused by itself; what was read keeps within the shard's limits, and the
// clips written again are the same clips.
#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "archive_mutator.h"
#include "kani/base/error.h"
#include "kani/formats/token_shard.h"

namespace {

void expect(bool holds) {
  if (!holds) std::abort();
}

bool same(const kani::TrainingClip& a, const kani::TrainingClip& b) {
  return a.text == b.text && a.codes == b.codes && a.voice == b.voice && a.utf8 == b.utf8 &&
         a.notes == b.notes && a.encoded_len == b.encoded_len && a.record == b.record &&
         a.language == b.language && a.speaker == b.speaker && a.source == b.source;
}

/// Nothing for a clip that is refused.
bool read_clip(const kani::TokenShard& shard, size_t index, kani::TrainingClip& clip) {
  try {
    clip = shard.clip(index);
  } catch (const kani::Error&) {
    return false;
  }
  const auto codebooks = static_cast<size_t>(shard.info().codebooks);
  expect(clip.codes.size() == shard.frames(index) * codebooks);
  expect(clip.text.size() == shard.text_length(index));
  expect(clip.voice.empty() || clip.voice.size() == static_cast<size_t>(shard.info().voice_dim));
  for (const int32_t code : clip.codes) expect(code >= 0 && code < shard.info().codebook_size);
  for (const int32_t id : clip.text) expect(id >= 0);
  return true;
}

void read_all(const kani::TokenShard& shard) {
  kani::ShardWriter writer(shard.info());
  std::vector<kani::TrainingClip> clips;
  for (size_t i = 0; i < shard.clips(); ++i) {
    kani::TrainingClip clip;
    // The writer does not take a clip without frames, which a file may hold.
    if (!read_clip(shard, i, clip) || clip.codes.empty()) continue;
    try {
      writer.add(clip);
    } catch (const kani::Error&) {
      continue;  // a voice of no numbers
    }
    clips.push_back(std::move(clip));
  }
  const std::string bytes = writer.serialize();
  const kani::TokenShard again(std::as_bytes(std::span(bytes)), "again");
  again.verify();
  expect(again.clips() == clips.size());
  for (size_t i = 0; i < clips.size(); ++i) expect(same(again.clip(i), clips[i]));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    const kani::TokenShard shard(std::as_bytes(std::span(data, size)), "fuzz");
    read_all(shard);
    shard.verify();
  } catch (const kani::Error&) {
  }
  return 0;
}

// Keeps the header's length right while its text changes.
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned seed) {
  std::mt19937 random(seed);
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto length = kani::fuzz::get<uint64_t>(text, 0);
  if (size < 8 || length > size - 8 || random() % 2 == 0)
    return LLVMFuzzerMutate(data, size, max_size);
  const std::string header = kani::fuzz::mutated(text.substr(8, length));
  return kani::fuzz::give(kani::test::safetensors_file(header, text.substr(8 + length)), data,
                          max_size);
}
