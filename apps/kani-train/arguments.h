// arguments.h - the command line of kani-train and the configuration that it makes together with
// files.  Not here: codec and speaker encoder (codec_command.h, speaker_command.h).
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kani/train/config.h"

namespace kani::train {

struct Arguments {
  std::vector<std::string> configs, data, valid, settings, languages;
  std::string model, upstream, replay, out, export_to, analyze, parity;
  bool resume = false, resume_or_start = false, force = false, elastic = false, quiet = false,
       bf16 = false, averaged = false, keys = false;
  std::optional<int64_t> steps;
};

void declare(CLI::App& app, Arguments& arguments);
/// Whether the run goes on with one that is there.
bool resumes(const Arguments& arguments);

/// Files, then --set, then the other flags, over what is in `start`.  Throws Error as
/// read_config(), and for flags that want what the configuration does not have.
TrainConfig configured(const Arguments& arguments, TrainConfig start = {});

}  // namespace kani::train
