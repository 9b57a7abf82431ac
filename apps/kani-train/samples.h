// samples.h - how a model sounds on its way: the program `kani` speaks fixed prompts with a
// checkpoint, beside the training.  Source: training.md 14.7.
#pragma once

#include <sys/types.h>

#include <filesystem>

#include "kani/train/config.h"

namespace kani::train {

/// One thread at a time.
class Samples {
 public:
  Samples() = default;
  /// Waits for what still speaks.
  ~Samples();
  Samples(const Samples&) = delete;
  Samples& operator=(const Samples&) = delete;

  /// Lets `kani say`, which lies beside this program or on the PATH, speak config.sample_prompts
  /// with `model` into OUT/samples/step-…/, at the lowest priority.  Never fails
  /// the run: what goes wrong is a warning.  While the last ones are still being spoken the new
  /// ones are left out.
  void start(const TrainConfig& config, int64_t update, const std::filesystem::path& model);

 private:
  void reap(bool wait);
  pid_t child_ = 0;
};

}  // namespace kani::train
