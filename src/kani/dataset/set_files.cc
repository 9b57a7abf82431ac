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

/// What a trainer would take for a part of the set.
bool is_taken(const fs::path& name) {
  const std::string text = name.string();
  const auto begins = [&](Split split) { return text.starts_with(concat(split_name(split), "-")); };
  return name.extension() == ".kshard" ||
         (name.extension() == ".parquet" &&
          std::any_of(std::begin(kSplits), std::end(kSplits), begins));
}

/// Whether `text` is `form`, in which # stands for digits, one or more.
bool is_like(std::string_view text, std::string_view form) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  for (; !form.empty(); form.remove_prefix(1)) {
    if (text.empty() || (form[0] == '#' ? !is_digit(text[0]) : form[0] != text[0])) return false;
    text.remove_prefix(1);
    while (form[0] == '#' && !text.empty() && is_digit(text[0])) text.remove_prefix(1);
  }
  return text.empty();
}

void remove_file(const fs::path& file) {
  std::error_code error;
  fs::remove(file, error);
  if (error) throw_cannot_write(file, error.value());
}

void remove_folder(const fs::path& folder) {
  std::error_code error;
  fs::remove_all(folder, error);
  if (error) throw_cannot_write(folder, error.value());
}

void move_to(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::rename(from, to, error);
  if (error) throw_cannot_write(to, error.value());
}

void make_folder_of(const fs::path& file) {
  std::error_code error;
  fs::create_directories(file.parent_path(), error);
  if (error) throw_cannot_write(file, error.value());
}

/// Files of a set that is there, or that a killed process has left of one.
std::vector<fs::path> set_files_in(const fs::path& out) {
  std::vector<fs::path> files;
  for (const char* below : {"", "report"}) {
    std::error_code error;
    for (const fs::directory_entry& entry : fs::directory_iterator(out / below, error)) {
      const fs::path name = below / entry.path().filename();
      if (is_set_file(name) && name != kManifest && !entry.is_directory(error))
        files.push_back(name);
    }
  }
  return files;
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
  for (const fs::path& file : files_below(folder)) {
    if (file != kManifest) hashes[file.generic_string()] = sha256_hex(folder / file);
  }
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
    if (is_taken(name) && !hashes.contains(name.string()))
      throw Error(ErrorCode::kBadInput, entry.path(), ": MANIFEST does not name it");
  }
  return hashes.size();
}

bool is_set_file(const fs::path& name) {
  const std::string text = name.generic_string();
  for (const std::string_view form :
       {"MANIFEST", "clips.jsonl", "rejects.jsonl", "set.json", "report.json", "report.html",
        "report/sample-#.wav", "audio_length_statistics.json", "dataset_info.json", "state.json",
        "prepare_report.json", "clips-#.kshard", "data-#-of-#.arrow"}) {
    if (is_like(text, form)) return true;
  }
  for (const Split split : kSplits) {
    for (const char* ending : {".kshard", ".parquet"}) {
      if (is_like(text, concat(split_name(split), "-#-of-#", ending))) return true;
    }
  }
  return false;
}

bool holds_only_set_files(const fs::path& folder) {
  const std::vector<fs::path> files = files_below(folder);
  return std::all_of(files.begin(), files.end(), [](const fs::path& file) {
    const std::string name = file.filename().string();
    return is_set_file(file) || is_taken(file) || (name.starts_with('.') && name.ends_with(".tmp"));
  });
}

void publish_set(const fs::path& stage, const fs::path& out, const std::function<void()>& between) {
  const auto pause = [&] {
    if (between) between();
  };
  const fs::path part = out / kPartFolder;
  write_file(stage / kManifest, manifest_text(stage));
  pause();
  if (stage != part) {
    remove_folder(part);
    move_to(stage, part);
  }
  const std::vector<fs::path> files = files_below(part);
  for (const fs::path& file : files) make_folder_of(out / file);
  pause();
  remove_file(out / kManifest);
  pause();
  for (const fs::path& file : set_files_in(out)) {
    remove_file(out / file);
    pause();
  }
  for (const fs::path& file : files) {
    if (file == kManifest) continue;
    move_to(part / file, out / file);
    pause();
  }
  move_to(part / kManifest, out / kManifest);
  pause();
  remove_folder(part);
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
