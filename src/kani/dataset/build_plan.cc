// build_plan.cc - see build_plan.h.
#include "kani/dataset/build_plan.h"

#include <algorithm>

#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/base/sha256.h"

namespace kani {
namespace {

constexpr size_t kUnitsOfSmallSet = 128;  // enough for every worker of a machine to have some
constexpr size_t kMostInUnit = 64;        // what a kill may cost each worker
constexpr uint64_t kMostPlanBytes = 1 << 20;

std::string hash_of(const Manifest& manifest) {
  Sha256 hash;
  const auto take = [&](const std::string& text) {
    const std::string measured = concat(text.size(), ":", text);
    hash.update(std::as_bytes(std::span(measured)));
  };
  for (const SourceRecord& record : manifest.records) {
    for (const std::string* text : {&record.audio, &record.text, &record.language, &record.speaker,
                                    &record.source, &record.licence})
      take(*text);
    take(concat(record.start_s, " ", record.end_s));
    if (!record.codes.empty()) {  // sets without them keep their hashes
      hash.update(std::as_bytes(std::span(record.codes)));
      take(concat(record.codebooks));
    }
    take(record.problem ? concat(reject_name(record.problem->reason), record.problem->detail) : "");
  }
  return hex_text(hash.finish());
}

}  // namespace

BuildPlan::BuildPlan(size_t records)
    : records_(records), unit_(std::clamp<size_t>(records / kUnitsOfSmallSet, 1, kMostInUnit)) {}

std::vector<size_t> BuildPlan::units_of(Part part) const {
  std::vector<size_t> mine;
  for (size_t unit = static_cast<size_t>(part.index); unit < units();
       unit += static_cast<size_t>(part.count))
    mine.push_back(unit);
  return mine;
}

Json plan_of(const ClipRules& rules, const Manifest& manifest) {
  Json plan = rules.fingerprint();
  plan["manifest"] = hash_of(manifest);
  plan["records"] = manifest.records.size();
  return plan;
}

void settle_plan(const std::filesystem::path& work, const Json& plan) {
  const std::filesystem::path path = work / "plan.json";
  std::error_code error;
  if (!std::filesystem::exists(path, error)) {
    write_file(path, plan.dump(2) + "\n");
    return;
  }
  const Json before = parse_json(read_file(path, kMostPlanBytes), path.string());
  if (before == plan) return;
  std::string differs;
  for (const auto& [key, value] : plan.items()) {
    if (!before.is_object() || !before.contains(key) || before[key] != value)
      differs += concat(differs.empty() ? "" : ", ", key);
  }
  throw Error(ErrorCode::kInvalidArgument, work, ": was begun otherwise; what differs: ",
              differs.empty() ? "a setting that is gone" : differs)
      .with_hint("name another --out, or begin again with --restart");
}

}  // namespace kani
