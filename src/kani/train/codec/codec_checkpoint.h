// codec_checkpoint.h - a codec run's state in a sealed folder (sealed_folder.h), and the networks
// that another run starts from.
//
//   step-00001000/  model.safetensors            all networks but the discriminators
//                   optim.safetensors            moments and step counts
//                   critics.safetensors, critics-optim.safetensors   with discriminators
//                   ema.safetensors              if there is an average
//                   codec.yaml                   what the codec is, as in a .nemo
//                   state.json, config.resolved.yaml, MANIFEST
//   latest, keep    as for language models
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "kani/train/codec/codec_config.h"
#include "kani/train/codec/codec_files.h"

namespace kani::train {

struct CodecRunState {
  int64_t update = 0;  // updates done
  int64_t skipped = 0;
  int64_t skipped_in_row = 0;
  std::string data_hash;    // of the sounds
  std::string config_hash;  // of numeric_yaml()
};

/// What a checkpoint holds; null: there is none.
struct CodecSnapshot {
  const NanoCodecConfig* codec = nullptr;
  ParameterMap* parameters = nullptr;
  AdamW* optimizer = nullptr;
  const ParameterMap* average = nullptr;
  ParameterMap* critics = nullptr;
  AdamW* critic_optimizer = nullptr;
};

/// Saves into output/step-…, moves `latest`, deletes what the limits allow.  Throws
/// Error(kCannotWrite); the checkpoints before are then as they were.
void save_codec_checkpoint(const CodecTrainConfig& config, const CodecSnapshot& snapshot,
                           const CodecRunState& state);

/// The newest one that is whole; nothing if there is none.
std::optional<std::filesystem::path> find_codec_checkpoint(const std::filesystem::path& output);

/// Reads everything into the run's tensors.  Throws Error(kBadInput) for what is missing or has
/// another shape.  The caller compares the hashes.
CodecRunState load_codec_checkpoint(const std::filesystem::path& folder,
                                    const CodecSnapshot& snapshot);

/// The networks in `from`: a .nemo (encoder and decoder), a .safetensors (those that make codes), a
/// checkpoint, or a folder of them (the newest); of a checkpoint the averages where it has them.
CodecFile load_networks(const std::filesystem::path& from);

}  // namespace kani::train
