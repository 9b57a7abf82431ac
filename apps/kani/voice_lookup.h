// voice_lookup.h - voices by name: folders of --voices first, then the engine's own places.
// interfaces.md 8.1, 8.3.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "kani/kani.h"

namespace kani::cli {

/// Keeps voices that were asked for before: with --json-input each line names one.
class VoiceLookup {
 public:
  VoiceLookup(const Engine& engine, std::vector<std::string> folders)
      : engine_(engine), folders_(std::move(folders)) {}

  /// Sets the request's voice.  "" leaves the model's default, "random" is no voice at all.  Throws
  /// Error(kNotFound, kBadInput).
  void set(SpeechRequest& request, const std::string& name);

 private:
  const Voice& find(const std::string& name);

  const Engine& engine_;
  std::vector<std::string> folders_;
  std::map<std::string, Voice> found_;
};

/// The file of the voice `name` in `folder`, compared without case and never joined to a path;
/// empty if there is none.
std::string voice_in_folder(const std::string& folder, const std::string& name);

}  // namespace kani::cli
