// split_files.cc - see split_files.h.
#include "kani/dataset/split_files.h"

#include <algorithm>
#include <array>

namespace kani {
namespace {

constexpr std::array<std::string_view, 8> kSplitWords = {
    "train", "training", "test", "testing", "validation", "valid", "dev", "eval"};

/// Whether `word` stands in `path` between other signs than letters.
bool has_word(std::string_view path, std::string_view word) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  for (size_t at = path.find(word); at != std::string_view::npos; at = path.find(word, at + 1)) {
    const size_t end = at + word.size();
    if ((at == 0 || !is_letter(path[at - 1])) && (end == path.size() || !is_letter(path[end])))
      return true;
  }
  return false;
}

}  // namespace

std::string split_in_path(std::string_view path) {
  for (const std::string_view word : kSplitWords) {
    if (has_word(path, word)) return std::string(word);
  }
  return {};
}

std::vector<std::string> files_of_split(const std::vector<std::string>& paths,
                                        std::string_view split) {
  const auto any_word = [](const std::string& path) {
    return std::any_of(kSplitWords.begin(), kSplitWords.end(),
                       [&](std::string_view word) { return has_word(path, word); });
  };
  const bool unnamed = std::none_of(paths.begin(), paths.end(), any_word);
  std::vector<std::string> files;
  for (const std::string& path : paths) {
    if (has_word(path, split) || (unnamed && split == "train")) files.push_back(path);
  }
  return files;
}

}  // namespace kani
