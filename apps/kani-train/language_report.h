// language_report.h - what a run that adds a language does to each: losses on clips that were not
// trained on, before the first update and after the last (training.md 14.8).
#pragma once

#include <filesystem>
#include <map>
#include <string>

namespace kani::train {

/// Kept in OUT/languages.json, so that a run that was stopped still knows how it began.
class LanguageReport {
 public:
  using Losses = std::map<std::string, double>;  // by language, nats; "": of clips without one

  /// Reads what is there; `writes`: whether this process keeps the file.
  LanguageReport(const std::filesystem::path& out, bool writes);
  bool has_before() const { return !before_.empty(); }
  void set_before(const Losses& losses);
  /// A line a language, "loss of en: 2.31 before, 2.35 after".
  std::string set_after(const Losses& losses);

 private:
  void write(const Losses& after) const;

  std::filesystem::path path_;
  bool writes_;
  Losses before_;
};

}  // namespace kani::train
