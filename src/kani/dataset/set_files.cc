// set_files.cc - see set_files.h.
#include "kani/dataset/set_files.h"

#include <algorithm>
#include <cstdio>
#include <vector>

#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/base/sha256.h"

namespace kani {
namespace {

namespace fs = std::filesystem;

constexpr const char* kManifest = "MANIFEST";
constexpr uint64_t kMostManifestBytes = uint64_t{1} << 28;

std::vector<fs::path> files_below(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) files.push_back(entry.path().lexically_relative(folder));
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string text_of(const std::map<std::string, std::string>& hashes) {
  std::string text;
  for (const auto& [name, hash] : hashes) text += concat(hash, "  ", name, "\n");
  return text;
}

/// Names that sets have; what else lies in the folder is not ours.
bool is_of_a_set(const fs::path& name) {
  const std::string text = name.string();
  for (const Split split : kSplits) {
    if (text.starts_with(concat(split_name(split), "-")) &&
        (name.extension() == ".kshard" || name.extension() == ".parquet"))
      return true;
  }
  return false;
}

void move_into(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::create_directories(to.parent_path(), error);
  if (!error) fs::rename(from, to, error);
  if (error) throw_cannot_write(to, error.value());
}

}  // namespace

std::string shard_name(Split split, size_t number, size_t count) {
  char name[64];
  std::snprintf(name, sizeof name, "%s-%05zu-of-%05zu", std::string(split_name(split)).c_str(),
                number, count);
  return name;
}

std::string manifest_text(const fs::path& folder) {
  std::map<std::string, std::string> hashes;
  for (const fs::path& file : files_below(folder))
    hashes[file.generic_string()] = sha256_hex(folder / file);
  return text_of(hashes);
}

std::map<std::string, std::string> read_set_manifest(const fs::path& folder) {
  const fs::path path = folder / kManifest;
  const std::string content = read_file(path, kMostManifestBytes);
  std::map<std::string, std::string> hashes;
  std::string_view text = content;
  for (size_t line = 1; !text.empty(); ++line) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view one = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const fs::path name = one.size() > 66 ? fs::path(one.substr(66)) : fs::path();
    if (name.empty() || one.substr(64, 2) != "  " || name.is_absolute() ||
        name.lexically_normal() != name || *name.begin() == "..")
      throw Error(ErrorCode::kBadInput, path, ": line ", line, " is no hash with a name");
    hashes[name.generic_string()] = one.substr(0, 64);
  }
  return hashes;
}

size_t verify_set(const fs::path& folder) {
  const std::map<std::string, std::string> hashes = read_set_manifest(folder);
  for (const auto& [name, hash] : hashes) {
    if (sha256_hex(folder / name) != hash)
      throw Error(ErrorCode::kBadInput, folder / name, ": is not what MANIFEST says (SHA-256)");
  }
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    const fs::path name = entry.path().filename();
    if (is_of_a_set(name) && !hashes.contains(name.string()))
      throw Error(ErrorCode::kBadInput, entry.path(), ": MANIFEST does not name it");
  }
  return hashes.size();
}

void publish_set(const fs::path& stage, const fs::path& out) {
  const std::string manifest = manifest_text(stage);
  std::vector<fs::path> old;
  std::error_code error;
  if (fs::exists(out / kManifest, error)) {
    for (const auto& [name, hash] : read_set_manifest(out)) old.emplace_back(out / name);
    fs::remove(out / kManifest, error);
    if (error) throw_cannot_write(out / kManifest, error.value());
  }
  // Also what a killed process has left of another set.
  for (const fs::directory_entry& entry : fs::directory_iterator(out)) {
    if (is_of_a_set(entry.path().filename())) old.push_back(entry.path());
  }
  for (const fs::path& file : old) fs::remove(file, error);
  for (const fs::path& file : files_below(stage)) move_into(stage / file, out / file);
  write_file(out / kManifest, manifest);
  fs::remove_all(stage, error);
}

void replace_in_set(const fs::path& folder, const std::map<std::string, std::string>& contents) {
  std::map<std::string, std::string> hashes = read_set_manifest(folder);
  for (const auto& [name, text] : contents) {
    write_file(folder / name, text);
    hashes[name] = sha256_hex(std::as_bytes(std::span(text)));
  }
  write_file(folder / kManifest, text_of(hashes));
}

}  // namespace kani
