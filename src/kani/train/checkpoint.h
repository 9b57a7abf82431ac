// checkpoint.h - a run's state in a folder that is whole or is not there: written under a temporary
// name, every file hashed, flushed, renamed; then `latest` is moved.  Source: training.md 14.6,
// reliability.md T1 to T6.
//
//   step-00001000/  model.safetensors, config.json, tokenizer files   what `kani say` loads
//                   (adapter_model.safetensors, adapter_config.json   with LoRA, instead of the
//                                                                     weights: PEFT's layout)
//                   optim-00000-of-00001.safetensors                  moments and step counts: a
//                                                                     file a process, any number of
//                                                                     processes reads them
//                   audio_table.safetensors                           with audio_table: factorised;
//                                                                     model.safetensors has its
//                                                                     rows
//                   ema-00000-of-00001.safetensors                    the average, if there is one,
//                                                                     in as many files
//                   state.json, config.resolved.yaml                  where the run is, what it is
//                   MANIFEST                                          SHA-256 of each, written last
//   latest          the name of the newest one, for people and scripts: nothing here reads it
//   best            the name of the one with the least validation loss; it is not deleted
//   keep            names that are never deleted, a line each; the user's file
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "kani/train/comm.h"
#include "kani/train/config.h"
#include "kani/train/model_files.h"
#include "kani/train/optimizer.h"
#include "kani/train/run_state.h"

namespace kani::train {

/// What a checkpoint is made of.  Tensors are shared with whoever gave them.
struct Snapshot {
  Lfm2Config model;
  ParameterMap parameters;  // the first process writes them
  ParameterMap moments;     // those that this process owns
  ParameterMap average;     // of the weights, this process's share; empty: none
  TableFactors table;       // if on, the factor table is saved beside what it makes
  TrainConfig config;
  RunState state;
  std::string tokenizer_json{};  // in place of the base's, if not empty
};

/// The folder's name for an update.
std::string checkpoint_name(int64_t update);

/// Saves into output/step-…, moves `latest`, deletes what the limits allow.  Tokenizer files come
/// from `base`.  Nothing is deleted while updates are left out (state.skipped_in_row).  Of several
/// processes each writes its own moments, the first one the rest; all must call, and the folder
/// must be the same for all.  Throws Error(kCannotWrite), on all of them; the checkpoints before
/// are then as they were.
void save_checkpoint(const std::filesystem::path& output, const std::filesystem::path& base,
                     const Snapshot& snapshot, Comm& comm);

/// Compares every file with the MANIFEST.  Throws Error(kBadInput) naming the file.
void verify_checkpoint(const std::filesystem::path& folder);

/// The newest checkpoint that is whole, by the number in its name, with a warning for each damaged
/// one after it.  Nothing if there is none.
std::optional<std::filesystem::path> find_checkpoint(const std::filesystem::path& output);
/// The newest one that is also good: not saved among updates that were left out, all weights
/// finite.
std::optional<std::filesystem::path> find_good_checkpoint(const std::filesystem::path& output);

/// Reads weights, moments and state into the run's; not averages (weight_average.h).  The caller
/// compares the hashes of state.
RunState load_checkpoint(const std::filesystem::path& folder, Lfm2Module& model, AdamW& optimizer);

}  // namespace kani::train
