// sealed_folder.cc - see sealed_folder.h.
#include "kani/train/sealed_folder.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <sstream>

#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/base/log.h"
#include "kani/base/sha256.h"

namespace kani::train {
namespace {

namespace fs = std::filesystem;

constexpr const char* kManifest = "MANIFEST";
constexpr const char* kAside = ".old";  // behind the name of a folder that is being replaced
constexpr uint64_t kMaxListBytes = 1 << 24;

bool is_plain_name(std::string_view name) {
  return !name.empty() && name != "." && name != ".." &&
         name.find_first_of(std::string_view("/\0", 2)) == std::string_view::npos;
}

void flush_folder(const fs::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) throw_cannot_write(folder, errno);
  const int result = ::fsync(descriptor), error = errno;
  ::close(descriptor);
  if (result != 0) throw_cannot_write(folder, error);
}

// For file systems that cannot exchange two names.  A run that is killed between the two finds the
// old folder under its other name.
void replace_by_moving_aside(const fs::path& part, const fs::path& folder) {
  const fs::path old = folder.string() + kAside;
  fs::remove_all(old);
  fs::rename(folder, old);
  std::error_code error, ignored;
  fs::rename(part, folder, error);
  if (error) {
    fs::rename(old, folder, ignored);
    throw fs::filesystem_error("rename", part, folder, error);
  }
  flush_folder(folder.parent_path());
  fs::remove_all(old, ignored);
}

// Gives `part` the name of `folder`.  At no moment is the folder that had the name gone before the
// new one is there.
void take_name(const fs::path& part, const fs::path& folder) {
  const fs::path old = folder.string() + kAside;
  std::error_code ignored;
  if (!fs::exists(folder)) {
    fs::rename(part, folder);
    flush_folder(folder.parent_path());
    fs::remove_all(old, ignored);
  } else if (::renameat2(AT_FDCWD, part.c_str(), AT_FDCWD, folder.c_str(), RENAME_EXCHANGE) == 0) {
    flush_folder(folder.parent_path());
    fs::remove_all(part, ignored);
  } else if (errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP) {
    replace_by_moving_aside(part, folder);
  } else {
    throw_cannot_write(folder, errno);
  }
}

}  // namespace

void seal_folder(const fs::path& part, const fs::path& folder) {
  std::string manifest;
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(part)) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  for (const fs::path& file : files)
    manifest += sha256_hex(file) + "  " + file.filename().string() + "\n";
  write_file(part / kManifest, manifest);
  flush_folder(part);
  take_name(part, folder);
  write_file(folder.parent_path() / "latest", folder.filename().string() + "\n");
  flush_folder(folder.parent_path());
}

void write_sealed(const fs::path& folder, const std::function<void(const fs::path&)>& write) {
  const fs::path part = folder.string() + ".part";
  std::error_code ignored;
  try {
    fs::create_directories(folder.parent_path());
    fs::remove_all(part);
    fs::create_directory(part);
    write(part);
    seal_folder(part, folder);
  } catch (const fs::filesystem_error& failed) {
    fs::remove_all(part, ignored);
    throw Error(ErrorCode::kCannotWrite, "cannot write ", folder, ": ", failed.code().message());
  } catch (...) {
    fs::remove_all(part, ignored);
    throw;
  }
}

std::map<std::string, std::string> parse_seal(std::string_view text, std::string_view source) {
  constexpr size_t kHash = 64;  // digits, then two blanks
  std::map<std::string, std::string> out;
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    const bool is_hash = line.find_first_not_of("0123456789abcdef") == kHash;
    const std::string name = line.size() > kHash + 2 ? line.substr(kHash + 2) : "";
    if (!is_hash || line.substr(kHash, 2) != "  " || !is_plain_name(name) ||
        !out.emplace(name, line.substr(0, kHash)).second)
      throw Error(ErrorCode::kBadInput, source, ": line \"", printable(line), "\"");
  }
  return out;
}

std::set<std::string> verify_sealed(const fs::path& folder,
                                    const std::vector<std::string>& needed) {
  const fs::path manifest = folder / kManifest;
  std::set<std::string> named;
  for (const auto& [name, hash] :
       parse_seal(read_file(manifest, kMaxListBytes), manifest.string())) {
    if (sha256_hex(folder / name) != hash)
      throw Error(ErrorCode::kBadInput, folder / name, ": damaged (SHA-256)");
    named.insert(name);
  }
  for (const std::string& name : needed) {
    if (!named.contains(name))
      throw Error(ErrorCode::kBadInput, manifest, ": does not name ", name);
  }
  return named;
}

std::vector<fs::path> step_folders(const fs::path& output) {
  std::vector<fs::path> found;
  std::error_code error;
  for (fs::directory_iterator it(output, error), end; !error && it != end; it.increment(error)) {
    const fs::path& path = it->path();
    const std::string name = path.filename().string();
    std::error_code ignored;
    const bool stands_in = path.extension() == kAside && !fs::exists(output / path.stem(), ignored);
    if (name.starts_with("step-") && (name.find('.') == std::string::npos || stands_in))
      found.push_back(path);
  }
  std::sort(found.begin(), found.end());
  return found;
}

void require_no_steps(const fs::path& output) {
  if (step_folders(output).empty()) return;
  throw Error(ErrorCode::kInvalidArgument, output, " holds the checkpoints of a run")
      .with_hint(
          "--resume goes on with it; for a new one name another --out, or remove the folder");
}

std::optional<fs::path> newest_whole(const fs::path& output,
                                     const std::function<void(const fs::path&)>& verify) {
  std::vector<fs::path> candidates = step_folders(output);
  std::reverse(candidates.begin(), candidates.end());
  for (const fs::path& folder : candidates) {
    try {
      verify(folder);
      return folder;
    } catch (const Error& error) {
      log_warning("train", error.what(),
                  folder == candidates.back() ? "; there is no checkpoint before it"
                                              : "; the checkpoint before it is tried");
    }
  }
  return std::nullopt;
}

namespace {

// The lines of the user's file; nothing if it cannot be read.
std::optional<std::set<std::string>> names_to_keep(const fs::path& file) {
  std::set<std::string> kept;
  std::error_code error;
  if (!fs::exists(file, error) && !error) return kept;
  try {
    std::istringstream lines(read_file(file, kMaxListBytes));
    for (std::string line; std::getline(lines, line);) kept.insert(line);
    return kept;
  } catch (const Error& unreadable) {
    log_warning("train", unreadable.what(), "; no checkpoint is deleted");
    return std::nullopt;
  }
}

}  // namespace

void rotate_steps(const fs::path& output, const KeepRules& rules) {
  if (rules.limit == 0) return;
  const auto kept = names_to_keep(output / "keep");
  if (!kept) return;
  const std::vector<fs::path> all = step_folders(output);
  // Two always stay: if the newest one is damaged the other is gone on with.
  const auto limit = static_cast<size_t>(std::max<int64_t>(2, rules.limit));
  for (size_t i = 0; i + limit < all.size(); ++i) {
    const std::string name = all[i].filename().string();
    const int64_t update = std::atoll(name.c_str() + 5);
    if (kept->contains(name) || update == rules.best ||
        (rules.keep_every > 0 && update % rules.keep_every == 0))
      continue;
    std::error_code ignored;
    fs::remove_all(all[i], ignored);
  }
}

}  // namespace kani::train
