// resume_check.h - what of a checkpoint's run was another than of the one that is to go on with it,
// in words.  Source: reliability.md T4.  Not here: data and adapters' bases, which are compared by
// their hashes (checkpoint.h).
#pragma once

#include <filesystem>
#include <string>

#include "kani/train/config.h"

namespace kani::train {

/// Keys that change the numbers, "seed was 42, is 1; …", and with parity the number of processes.
/// Empty if all are the same, however the program that wrote the checkpoint spelt them.
std::string changed_settings(const std::filesystem::path& checkpoint, const TrainConfig& config,
                             int processes);

/// How many processes wrote a checkpoint.
int checkpoint_processes(const std::filesystem::path& checkpoint);

/// The same of the model's configuration, which follows from the base: keys of config.json that
/// both have.  Warns if the checkpoint's base is another folder that is still there: its weights do
/// not matter to a checkpoint that has its own.
std::string changed_model(const std::filesystem::path& checkpoint, const TrainConfig& config,
                          const Lfm2Config& model);

}  // namespace kani::train
