// voice_store.h - voices by name: those of the model's set, of the user, of the system, in this
// order. A name is looked up in a table of what the folders hold; it is never joined to a path.
// Source: interfaces.md 8.1-8.4.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "kani/kani.h"

namespace kani {

class VoiceStore {
 public:
  /// Reads the folders' listings once.  `set` may be empty.
  explicit VoiceStore(const std::filesystem::path& set);

  const std::vector<VoiceEntry>& entries() const { return entries_; }
  /// Name of the voice that is used when none is asked for: "default", or the only one of the set;
  /// "" = none.
  const std::string& default_voice() const { return default_; }
  /// By name (without case), else as a path.  Throws Error(kNotFound, kBadInput); `expected` =
  /// length of the vector.
  Voice load(const std::string& name_or_path, size_t expected) const;

 private:
  void add_folder(const std::filesystem::path& folder);
  std::vector<VoiceEntry> entries_;
  std::string default_;
};

/// Reads a file and compares its length.
Voice load_voice_file(const std::filesystem::path& path, size_t expected);

}  // namespace kani
