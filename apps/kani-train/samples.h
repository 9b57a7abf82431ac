// samples.h - how a model sounds on its way: `kani eval` speaks fixed prompts with a checkpoint and
// judges them, beside the training.  Source: training.md 14.7.
#pragma once

#include <sys/types.h>

#include <csignal>
#include <filesystem>
#include <optional>

#include "kani/train/config.h"
#include "kani/train/metrics.h"

namespace kani::train {

/// What was measured of one checkpoint's samples: length_ratio and faulty, voice_cosine with
/// sample_reference, wer and cer with sample_recognizer (docs/evaluation.md).
struct SampleReport {
  int64_t update = 0;
  Figures figures;
};

/// Name of a folder beside the samples with a model that is for them alone.
inline constexpr const char* kSampleModel = "model";

/// Throws Error(kNotFound) for a codec, voice or recording of samples that is not there; a warning
/// if no codec is named: a checkpoint has none.
void check_samples(const TrainConfig& config);

/// One thread at a time.
class Samples {
 public:
  /// `stop` becomes other than 0 when nobody shall wait any longer.
  explicit Samples(const volatile std::sig_atomic_t& stop) : stop_(stop) {}
  /// Ends what still speaks.
  ~Samples();
  Samples(const Samples&) = delete;
  Samples& operator=(const Samples&) = delete;

  /// Lets `kani eval`, which lies beside this program or on the PATH, speak config.sample_prompts
  /// with `model` and judge them in OUT/samples/step-…/, at the lowest priority.  Never fails
  /// the run: what goes wrong is a warning.  While the last ones are still being spoken the new
  /// ones are left out.  A `model` that lies beside the samples goes when they are judged.
  void start(const TrainConfig& config, int64_t update, const std::filesystem::path& model);
  /// Whether the last ones are still being spoken.
  bool speaking();
  /// Once for each that has been judged since; `wait`: also of what still speaks, which ends when
  /// `stop` says so.
  std::optional<SampleReport> take_report(bool wait = false);

 private:
  void reap(bool wait);
  void end();
  void remove_model() const;
  const volatile std::sig_atomic_t& stop_;
  pid_t child_ = 0;
  int64_t update_ = 0;            // of what the child speaks
  std::filesystem::path folder_;  // likewise
  std::optional<SampleReport> report_;
};

}  // namespace kani::train
