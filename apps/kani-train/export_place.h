// export_place.h - whether --export may write where it is told to: asked before a run begins, since
// at its end hours may be lost, or what lay there.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace kani::train {

/// Places of a run that an export must leave alone, by the flags that name them.
using RunPlaces = std::vector<std::pair<std::string, std::string>>;

/// The files of an exported language model, and of a speaker encoder.
extern const std::vector<std::string> kModelFiles, kEncoderFiles;

/// Throws Error(kInvalidArgument) unless `target` is new, an empty folder, or one with `files` of
/// an earlier export alone, and is none of `places`; Error(kCannotWrite) if it cannot be made.
void check_export_folder(const std::filesystem::path& target, const RunPlaces& places,
                         const std::vector<std::string>& files);

/// Throws the same for a file, which must be a .nemo or .safetensors; what is there already may be
/// an earlier export, and is for the caller to judge.
void check_export_file(const std::filesystem::path& target, const RunPlaces& places);

}  // namespace kani::train
