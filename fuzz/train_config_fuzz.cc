// train_config_fuzz.cc - C12: bytes as the YAML of a training run; the first byte says whose: 's'
// the speaker encoder's, else the language model's.  Refused with kani::Error, or a configuration
// whose own text gives it back.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "kani/base/error.h"
#include "kani/train/config.h"
#include "kani/train/speaker/speaker_config.h"

namespace {

void expect(bool holds) {
  if (!holds) std::abort();
}

void read_train(std::string_view text) {
  using namespace kani::train;
  TrainConfig config;
  apply_yaml(text, "fuzz", config);
  const std::string resolved = resolved_yaml(config);
  expect(resolved_yaml(resolved_config(resolved, "again")) == resolved);
  expect(changed_keys(resolved, "again", config).empty());
  config.validate();
}

void read_speaker(std::string_view text) {
  using namespace kani::train;
  SpeakerTrainConfig config;
  apply_speaker_yaml(text, "fuzz", config);
  const std::string resolved = speaker_yaml(config);
  SpeakerTrainConfig again;
  apply_speaker_yaml(resolved, "again", again);
  expect(speaker_yaml(again) == resolved);
  validate(config);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (input.empty()) return 0;
  try {
    if (input[0] == 's')
      read_speaker(input.substr(1));
    else
      read_train(input.substr(1));
  } catch (const kani::Error&) {
  }
  return 0;
}
