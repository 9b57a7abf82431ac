// model_files.h - where the parts of a model lie: a set (lm/, codec.nemo, speaker/, voices/), a
// plain folder with config.json, or a snapshot in the hub's cache.  Looks, never downloads. Source:
// interfaces.md 2.1, 8.2, 8.5.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace kani {

struct ModelFiles {
  std::filesystem::path language_model;  // folder with config.json, tokenizer.json, safetensors
  std::filesystem::path codec;           // .nemo file
  std::filesystem::path set;             // folder that may hold voices/; empty if there is none
};

/// `model` empty = default_model_path(); a path that exists wins over a repository name
/// (user/repo[@revision]). `codec` empty = beside the model, else the hub's cache.  Throws
/// Error(kNotFound) with a hint.
ModelFiles find_model_files(const std::filesystem::path& model, const std::filesystem::path& codec);

/// The language model part alone.
std::filesystem::path find_language_model(const std::filesystem::path& model,
                                          std::filesystem::path& set);

struct SpeakerEncoderFiles {
  std::filesystem::path folder;  // with config.json
  std::string name;  // for people and for voice files: the repository, else the last two folders
};

/// `encoder` is a folder, a file of one, or a repository in the hub's cache.  Empty: speaker/ of
/// the set, of the language model's folder or beside it (either may be empty), else upstream's two
/// repositories in the hub's cache.  Throws Error(kNotFound) with a hint.
SpeakerEncoderFiles find_speaker_encoder(const std::filesystem::path& encoder,
                                         const std::filesystem::path& language_model,
                                         const std::filesystem::path& set);

/// Snapshot folder of a repository in the hub's cache, if it is there.
std::optional<std::filesystem::path> find_hub_snapshot(const std::string& repository);

/// $XDG_DATA_HOME or ~/.local/share.
std::filesystem::path user_data_folder();

}  // namespace kani
