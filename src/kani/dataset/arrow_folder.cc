// arrow_folder.cc - see arrow_folder.h.
#include "kani/dataset/arrow_folder.h"

#include <algorithm>
#include <string>

#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/base/json.h"
#include "kani/base/sha256.h"
#include "kani/dataset/split_files.h"

namespace kani {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMostStateBytes = 16 << 20;
constexpr size_t kMostFiles = 1'000'000;

/// A file name that stays in its folder.
bool is_plain_name(std::string_view name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == std::string_view::npos &&
         name.find('\0') == std::string_view::npos;
}

std::vector<fs::path> saved_files(const fs::path& folder) {
  const fs::path state_file = folder / "state.json";
  const Json state = parse_json(read_file(state_file, kMostStateBytes), state_file.string());
  const auto refuse = [&](const auto&... why) {
    throw Error(ErrorCode::kBadInput, state_file, ": ", why...);
  };
  if (!state.is_object() || !state.contains("_data_files") || !state["_data_files"].is_array())
    refuse("has no list _data_files");
  if (state.contains("_indices_files") && !state["_indices_files"].empty())
    refuse("the set is a view through _indices_files: save it again with flatten_indices()");
  std::vector<fs::path> files;
  for (const Json& entry : state["_data_files"]) {
    if (!entry.is_object() || !entry.contains("filename") || !entry["filename"].is_string())
      refuse("an entry of _data_files has no filename");
    const auto name = entry["filename"].get<std::string>();
    if (!is_plain_name(name)) refuse("\"", printable(name), "\" is no name in this folder");
    files.push_back(folder / name);
    const auto hash = entry.find("sha256");
    if (hash != entry.end() && *hash != sha256_hex(files.back()))
      throw Error(ErrorCode::kBadInput, files.back(), ": differs from its SHA-256 in state.json");
  }
  if (files.empty()) refuse("lists no files");
  return files;
}

std::vector<fs::path> parquet_files(const fs::path& folder, std::string_view split) {
  std::vector<std::string> all;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.path().extension() != ".parquet") continue;
    const std::string relative = entry.path().lexically_relative(folder).string();
    if (relative.starts_with('.') || relative.find("/.") != std::string::npos) continue;
    all.push_back(relative);
    if (all.size() > kMostFiles)
      throw Error(ErrorCode::kBadInput, folder, ": more than ", kMostFiles, " files");
  }
  if (all.empty())
    throw Error(ErrorCode::kNotFound, folder, ": no state.json and no *.parquet files");
  std::sort(all.begin(), all.end());
  std::vector<fs::path> files;
  for (const std::string& path : files_of_split(all, split)) files.push_back(folder / path);
  if (files.empty())
    throw Error(ErrorCode::kNotFound, folder, ": none of ", all.size(),
                " *.parquet files is of the split ", printable(split));
  return files;
}

}  // namespace

std::vector<fs::path> find_set_files(const fs::path& folder, std::string_view name,
                                     std::string_view split) {
  if (split.find_first_of("[+%:") != std::string_view::npos)
    throw Error(ErrorCode::kUnsupported, "split \"", printable(split),
                "\" is an expression, expected the name of a split");
  if (!is_plain_name(split))
    throw Error(ErrorCode::kBadInput, "split \"", printable(split), "\" is no name");
  if (!fs::is_directory(folder)) {
    throw Error(ErrorCode::kNotFound, folder, ": no such folder")
        .with_hint("sets of a hub are not fetched: download them, then name the folder");
  }
  if (fs::exists(folder / "state.json")) return saved_files(folder);
  if (fs::exists(folder / "dataset_dict.json") && fs::exists(folder / split / "state.json"))
    return saved_files(folder / split);
  if (name.empty() || name == "default") return parquet_files(folder, split);
  if (!is_plain_name(name) || !fs::is_directory(folder / name))
    throw Error(ErrorCode::kNotFound, folder, ": no subfolder for the configuration ",
                printable(name));
  return parquet_files(folder / name, split);
}

}  // namespace kani
