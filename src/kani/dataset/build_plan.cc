// build_plan.cc - see build_plan.h.
#include "kani/dataset/build_plan.h"

#include <algorithm>
#include <set>

#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/base/sha256.h"

namespace kani {
namespace {

constexpr size_t kUnitsOfSmallSet = 128;  // enough for every worker of a machine to have some
constexpr size_t kMostInUnit = 64;        // what a kill may cost each worker
constexpr uint64_t kMostPlanBytes = 1 << 20;
// Of what work/ holds: 1 had units by number, 2 no stretch in their lines.
constexpr int kWorkVersion = 3;
// Which a plan of version 3 need not have.  Its work is taken as that of what is asked for now, and
// from then on they are compared.
const std::set<std::string> kLaterKeys = {"speaker_config", "language_settings"};

RecordKey key_of(const SourceRecord& record) {
  Sha256 hash;
  const auto take = [&](const std::string& text) {
    const std::string measured = concat(text.size(), ":", text);
    hash.update(std::as_bytes(std::span(measured)));
  };
  for (const std::string* text : {&record.audio, &record.text, &record.language, &record.speaker,
                                  &record.source, &record.licence})
    take(*text);
  take(dump_json(Json{record.start_s, record.end_s}));  // all digits
  hash.update(std::as_bytes(std::span(record.codes)));
  take(concat(record.codes.size(), " ", record.codebooks));
  take(record.problem ? concat(reject_name(record.problem->reason), record.problem->detail) : "");
  const Sha256::Digest digest = hash.finish();
  RecordKey key{};
  std::copy_n(digest.begin(), key.size(), key.begin());
  return key;
}

std::string hash_of(std::span<const RecordKey> keys) {
  Sha256 hash;
  for (const RecordKey& key : keys) hash.update(key);
  return hex_text(hash.finish());
}

}  // namespace

BuildPlan::BuildPlan(const std::vector<SourceRecord>& records)
    : unit_(std::clamp<size_t>(records.size() / kUnitsOfSmallSet, 1, kMostInUnit)) {
  keys_.reserve(records.size());
  for (const SourceRecord& record : records) keys_.push_back(key_of(record));
}

std::vector<std::string> BuildPlan::unit_keys() const {
  std::vector<std::string> keys;
  for (size_t unit = 0; unit < units(); ++unit)
    keys.push_back(hash_of(std::span(keys_).subspan(first(unit), size(unit))).substr(0, 32));
  return keys;
}

std::string BuildPlan::manifest_key() const { return hash_of(keys_); }

std::vector<size_t> BuildPlan::units_of(Part part) const {
  std::vector<size_t> mine;
  for (size_t unit = static_cast<size_t>(part.index); unit < units();
       unit += static_cast<size_t>(part.count))
    mine.push_back(unit);
  return mine;
}

Json plan_of(const ClipRules& rules) { return rules.fingerprint(); }

void settle_plan(const WorkFolder& work, const Json& rules, const BuildPlan& plan) {
  const auto lock = work.lock_plan();
  const std::filesystem::path path = work.path() / "plan.json";
  Json now = rules;
  now["work_version"] = kWorkVersion;
  Json before = now;
  std::error_code error;
  if (std::filesystem::exists(path, error))
    before = parse_json(read_file(path, kMostPlanBytes), path.string());
  std::string manifest;
  if (before.is_object() && before.contains("manifest") && before["manifest"].is_string())
    manifest = before["manifest"].get<std::string>();
  std::string differs;
  bool has_all = true;
  for (const auto& [key, value] : now.items()) {
    if (before.is_object() && !before.contains(key) && kLaterKeys.contains(key)) {
      has_all = false;
      continue;
    }
    if (!before.is_object() || !before.contains(key) || before[key] != value)
      differs += concat(differs.empty() ? "" : ", ", key);
  }
  if (!differs.empty()) {
    throw Error(ErrorCode::kInvalidArgument, work.path(),
                ": was begun otherwise; what differs: ", differs)
        .with_hint("name another --out, or begin again with --restart");
  }
  if (manifest == plan.manifest_key() && has_all) return;
  if (!manifest.empty() && manifest != plan.manifest_key() && work.others_at_work()) {
    throw Error(ErrorCode::kBusy, work.path(),
                ": another part is being built from another manifest")
        .with_hint("all parts take the same manifest; wait for it to end, then start all again");
  }
  now["manifest"] = plan.manifest_key();
  write_file(path, dump_json(now, 2) + "\n");
}

}  // namespace kani
