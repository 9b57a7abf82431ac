// sealed_folder.cc - see sealed_folder.h.
#include "kani/train/sealed_folder.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <sstream>

#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/base/log.h"
#include "kani/base/sha256.h"

namespace kani::train {
namespace {

namespace fs = std::filesystem;

constexpr const char* kManifest = "MANIFEST";
constexpr uint64_t kMaxListBytes = 1 << 24;

void flush_folder(const fs::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) throw_cannot_write(folder, errno);
  const int result = ::fsync(descriptor), error = errno;
  ::close(descriptor);
  if (result != 0) throw_cannot_write(folder, error);
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
  if (fs::exists(folder)) fs::remove_all(folder);
  fs::rename(part, folder);
  flush_folder(folder.parent_path());
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

std::set<std::string> verify_sealed(const fs::path& folder,
                                    const std::vector<std::string>& needed) {
  std::istringstream lines(read_file(folder / kManifest, kMaxListBytes));
  std::set<std::string> named;
  for (std::string line; std::getline(lines, line);) {
    if (line.size() < 67 || line.substr(64, 2) != "  " || line.find('/') != std::string::npos)
      throw Error(ErrorCode::kBadInput, folder / kManifest, ": line \"", line, "\"");
    const std::string name = line.substr(66);
    if (sha256_hex(folder / name) != line.substr(0, 64))
      throw Error(ErrorCode::kBadInput, folder / name, ": damaged (SHA-256)");
    named.insert(name);
  }
  for (const std::string& name : needed) {
    if (!named.contains(name))
      throw Error(ErrorCode::kBadInput, folder / kManifest, ": does not name ", name);
  }
  return named;
}

std::vector<fs::path> step_folders(const fs::path& output) {
  std::vector<fs::path> found;
  std::error_code error;
  for (fs::directory_iterator it(output, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (name.starts_with("step-") && name.find('.') == std::string::npos)
      found.push_back(it->path());
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
      log_warning("train", error.what(), "; the checkpoint before is taken");
    }
  }
  return std::nullopt;
}

void rotate_steps(const fs::path& output, const KeepRules& rules) {
  if (rules.limit == 0) return;
  std::set<std::string> kept;
  if (fs::exists(output / "keep")) {
    std::istringstream lines(read_file(output / "keep", kMaxListBytes));
    for (std::string line; std::getline(lines, line);) kept.insert(line);
  }
  const std::vector<fs::path> all = step_folders(output);
  // Two always stay: if the newest one is damaged the other is gone on with.
  const auto limit = static_cast<size_t>(std::max<int64_t>(2, rules.limit));
  for (size_t i = 0; i + limit < all.size(); ++i) {
    const std::string name = all[i].filename().string();
    const int64_t update = std::atoll(name.c_str() + 5);
    if (kept.contains(name) || update == rules.best ||
        (rules.keep_every > 0 && update % rules.keep_every == 0))
      continue;
    std::error_code ignored;
    fs::remove_all(all[i], ignored);
  }
}

}  // namespace kani::train
