// passed_over.h - what lies in a folder of recordings and is not read, so that one warning says it:
// a corpus of which half is missing looks like a small one.
#pragma once

#include <filesystem>
#include <string>

namespace kani {

class PassedOver {
 public:
  /// Of every file and folder that is met.
  void see(const std::filesystem::directory_entry& entry);

  /// Folders that are links, which may lead in a circle, and such as may not be read.
  void warn_of_folders(const std::filesystem::path& folder) const;
  /// Archives that are compressed and, where sounds are taken, archives and data sets at all.
  enum class Taken { kSounds, kArchives };
  void warn_of_files(const std::filesystem::path& folder, Taken taken) const;
  /// Throws Error(kBadInput) if there are compressed archives: nothing else is there to be taken.
  void refuse_packed() const;

 private:
  size_t links_ = 0, closed_ = 0, archives_ = 0, packed_ = 0, sets_ = 0;
  std::filesystem::path first_packed_;
};

/// "x.tar.gz" and the like.
bool is_packed_archive(const std::filesystem::path& path);
/// Error(kBadInput) that says how such a one can be read.
[[noreturn]] void refuse_packed_archive(const std::filesystem::path& path);

}  // namespace kani
