// passed_over.cc - see passed_over.h.
#include "kani/dataset/passed_over.h"

#include <unistd.h>

#include "kani/base/error.h"
#include "kani/base/log.h"

namespace kani {

namespace fs = std::filesystem;

bool is_packed_archive(const fs::path& path) {
  const std::string name = path.filename().string();
  for (const char* ending : {".tgz", ".tar.gz", ".tar.bz2", ".tar.xz", ".tar.zst"}) {
    if (name.ends_with(ending)) return true;
  }
  return false;
}

void refuse_packed_archive(const fs::path& path) {
  throw Error(ErrorCode::kBadInput, path, ": is compressed; recordings are read where they lie")
      .with_hint("unpack it once (gunzip), to a .tar or a folder");
}

void PassedOver::see(const fs::directory_entry& entry) {
  std::error_code error;
  const fs::path& path = entry.path();
  if (entry.is_directory(error)) {
    if (entry.is_symlink(error)) {
      ++links_;
    } else if (access(path.c_str(), R_OK | X_OK) != 0) {
      ++closed_;
    }
    return;
  }
  if (is_packed_archive(path)) {
    if (packed_++ == 0) first_packed_ = path;
  } else if (path.extension() == ".tar") {
    ++archives_;
  } else if (path.extension() == ".parquet" || path.extension() == ".arrow") {
    ++sets_;
  }
}

void PassedOver::warn_of_folders(const fs::path& folder) const {
  if (links_ > 0)
    log_warning("dataset", folder, ": folders that are links, which are passed over: ", links_,
                "; name what they lead to as an input of its own");
  if (closed_ > 0) log_warning("dataset", folder, ": folders that may not be read: ", closed_);
}

void PassedOver::warn_of_files(const fs::path& folder, Taken taken) const {
  const size_t archives = packed_ + (taken == Taken::kSounds ? archives_ : 0);
  if (archives > 0)
    log_warning(
        "dataset", folder, ": archives that are passed over ",
        taken == Taken::kSounds ? "beside the sounds: " : "as they are compressed: ", archives);
  if (sets_ > 0)
    log_warning("dataset", folder, ": files .parquet or .arrow that are passed over beside the ",
                taken == Taken::kSounds ? "sounds: " : "archives: ", sets_);
}

void PassedOver::refuse_packed() const {
  if (packed_ > 0) refuse_packed_archive(first_packed_);
}

}  // namespace kani
