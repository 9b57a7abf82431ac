// language_report.cc - see language_report.h.
#include "language_report.h"

#include <cstdio>

#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/base/json.h"
#include "kani/base/log.h"

namespace kani::train {
namespace {

constexpr uint64_t kMostBytes = 1 << 20;

std::string shown(const LanguageReport::Losses& losses, const std::string& language) {
  const auto at = losses.find(language);
  if (at == losses.end()) return "not measured";
  char text[32];
  std::snprintf(text, sizeof text, "%.4f", at->second);
  return text;
}

}  // namespace

LanguageReport::LanguageReport(const std::filesystem::path& out, bool writes)
    : path_(out / "languages.json"), writes_(writes) {
  if (!std::filesystem::exists(path_)) return;
  try {
    const Json json = parse_json(read_file(path_, kMostBytes), path_.string());
    before_ = json.at("before").get<Losses>();
  } catch (const std::exception& problem) {  // it is asked for nothing but the report
    log_warning("train", path_, ": ", problem.what(), "; the losses before are not known");
  }
}

void LanguageReport::set_before(const Losses& losses) {
  before_ = losses;
  write({});
}

std::string LanguageReport::set_after(const Losses& losses) {
  write(losses);
  std::string text;
  Losses all = before_;
  all.insert(losses.begin(), losses.end());
  for (const auto& [language, loss] : all) {
    text +=
        concat("loss of ", language.empty() ? std::string("clips without a language") : language,
               ": ", shown(before_, language), " before, ", shown(losses, language), " after\n");
  }
  return text;
}

void LanguageReport::write(const Losses& after) const {
  if (!writes_) return;
  Json json = {{"before", before_}};
  if (!after.empty()) json["after"] = after;
  write_file(path_, dump_json(json, 1) + "\n");
}

}  // namespace kani::train
