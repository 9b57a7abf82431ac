// sound_targets.h - where the sound of `kani say` goes: file, folder, stdout, loudspeaker.
// interfaces.md 2.2.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "apps/kani/command.h"
#include "apps/kani/say_options.h"
#include "apps/kani/utterances.h"
#include "kani/kani.h"

namespace kani::cli {

enum class OutputKind { kPlayer, kFile, kFolder, kStdoutWav, kStdoutRaw };

struct OutputPlan {
  OutputKind kind = OutputKind::kPlayer;
  std::filesystem::path path;  // file or folder
  bool play = false;           // the loudspeaker, perhaps beside another output
};

/// What the flags, the terminal and the players found come to; makes the folder of --output-dir.
/// Throws Error (kInvalidArgument, kCannotWrite), so that a wrong output is told before a model is
/// loaded.
OutputPlan plan_output(const SayOptions& options, Context& context);

/// One thread at a time.
class SoundTargets {
 public:
  SoundTargets(const SayOptions& options, const OutputPlan& plan, Context& context, int rate_hz);
  SoundTargets(const SoundTargets&) = delete;
  SoundTargets& operator=(const SoundTargets&) = delete;
  ~SoundTargets();

  /// A text begins.  Its own file is opened; in a shared output there will be a silence before its
  /// first sound.
  void begin(const Utterance& utterance);
  void write(std::span<const float> samples);
  /// The text is spoken: its own file becomes visible.
  void end();
  /// All texts are spoken: shared outputs are completed.  Without it nothing is left under a file's
  /// name.
  void finish();

  /// Seconds of sound before the current text in a shared output, its leading silence included.
  double offset_s() const { return offset_s_; }
  /// Seconds in the shared output so far.
  double shared_s() const;
  /// The current text's own file; empty if it has none.
  const std::filesystem::path& own_file() const { return own_file_; }
  /// Where the current text goes: its own file or the shared one; empty for stdout and the player.
  const std::filesystem::path& file() const { return own_file_.empty() ? plan_.path : own_file_; }
  bool uses_stdout() const;

 private:
  std::unique_ptr<SoundWriter> open_file(const std::filesystem::path& path);
  std::unique_ptr<SoundWriter> open_shared();
  std::filesystem::path own_path(const Utterance& utterance);
  void write_shared(std::span<const float> samples);

  const SayOptions& options_;
  OutputPlan plan_;
  Context& context_;
  int rate_hz_;
  std::filesystem::path own_file_;
  std::unique_ptr<SoundWriter> own_;     // of the current text
  std::unique_ptr<SoundWriter> shared_;  // file or stdout
  std::unique_ptr<SoundWriter> player_;
  uint64_t shared_samples_ = 0;
  uint64_t silence_ = 0;  // samples that are due before the next sound
  uint64_t numbered_ = 0;
  double offset_s_ = 0;
};

}  // namespace kani::cli
