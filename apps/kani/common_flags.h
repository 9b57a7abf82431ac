// common_flags.h - flags that several subcommands share: messages, model, sampling.
// interfaces.md 2.1.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "apps/kani/console.h"
#include "apps/kani/flags.h"
#include "apps/kani/log_output.h"
#include "kani/kani.h"

namespace kani::cli {

/// Flags of every subcommand.
struct CommonOptions {
  std::string config;  // empty = the user's kani.toml if there is one
  bool json = false;
  bool json_lines = false;  // sets json, too: one line for each item instead of one document
  bool quiet = false;
  bool verbose = false;
  std::optional<int> verbosity;
  std::string log_file;
  bool log_json_lines = false;
  bool log_timestamps = false;
  std::string log_colours = "auto";

  LogOptions log() const;
  Colours colours() const;
};
void define_common(FlagSet& flags, CommonOptions& options);

/// What to load and how.
struct ModelOptions {
  std::string model;  // empty = the default model
  std::string codec;
  std::string speaker_encoder;
  std::optional<int> threads;
  std::string device = "auto";
  std::string dtype = "auto";
  std::string codec_dtype = "auto";
  std::string load_mode = "mmap";
  bool check_tensors = false;
  bool offline = false;
  bool list_devices = false;
  std::string learnable_rope;  // "on", "off", empty = as the model says
  std::optional<double> audio_step, alpha_min, alpha_max;

  EngineOptions engine() const;
};
enum class ThreadFlag { kOne, kLeftToCaller };  // bench reads a list of thread counts
void define_model(FlagSet& flags, ModelOptions& options, ThreadFlag threads = ThreadFlag::kOne);

void define_speaker_encoder(FlagSet& flags, std::string& target);
void define_voice_folders(FlagSet& flags, std::vector<std::string>& target);

/// `asked` or the default, at most OMP_NUM_THREADS.
int thread_count(std::optional<int> asked);

void define_sampling(FlagSet& flags, SamplingOptions& options);

/// Prints the devices of this machine: what --list-devices does.
class StandardOutput;
void print_devices(StandardOutput& out, const CommonOptions& common);

}  // namespace kani::cli
