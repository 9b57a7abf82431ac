// random_model.h - random weights in upstream's on-disk layout: for benchmarks at the real sizes
// and for tests. Numbers are a pure function of (seed, tensor name, index), so files are the same
// on every machine.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "kani/spec/lfm2.h"
#include "kani/spec/nanocodec.h"
#include "kani/spec/speaker.h"

namespace kani::tool {

/// The codec goldens' rule: u(i) in [0, 1) with 24 bits, from FNV-1a of the name and splitmix64.
class NamedRandom {
 public:
  NamedRandom(std::string_view name, uint64_t seed);
  float uniform(uint64_t i) const;

 private:
  uint64_t base_;
};

/// One preset: sizes of the three models.
struct Preset {
  Lfm2Config language_model;
  int text_entries = 0;  // of the tokenizer
  NanoCodecConfig codec;
  SpeakerConfig speaker;
};
Preset preset_named(const std::string& name);

void write_random_language_model(const std::filesystem::path& folder, const Preset& preset,
                                 uint64_t seed);
void write_random_tokenizer(const std::filesystem::path& folder, int entries);
void write_random_codec(const std::filesystem::path& file, const NanoCodecConfig& config,
                        uint64_t seed);
void write_random_speaker(const std::filesystem::path& folder, const SpeakerConfig& config,
                          uint64_t seed);

}  // namespace kani::tool
