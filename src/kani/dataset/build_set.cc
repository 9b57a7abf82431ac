// build_set.cc - see build_set.h.
#include "kani/dataset/build_set.h"

#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/base/log.h"
#include "kani/dataset/out_folder.h"
#include "kani/dataset/parquet_output.h"
#include "kani/dataset/recording_state.h"
#include "kani/dataset/set_files.h"

namespace kani {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMostSetBytes = uint64_t{1} << 26;

/// Whether a unit's facts are of these records, and their recordings as they were then.
bool is_current(const Manifest& manifest, const BuildPlan& plan, size_t unit,
                const std::vector<RecordFacts>& facts, RecordingStates& states) {
  if (facts.size() != plan.size(unit)) return false;
  for (size_t i = 0; i < facts.size(); ++i) {
    const size_t record = plan.first(unit) + i;
    if (facts[i].key != plan.key(record) ||
        !states.is_same(manifest, manifest.records[record], facts[i].recording))
      return false;
  }
  return true;
}

/// As WorkFolder's, where the finished work was removed: all recordings are read.
std::string read_recordings_key(const Manifest& manifest, const BuildPlan& plan) {
  RecordingStates states;
  std::vector<Sha256::Digest> units;
  for (size_t unit = 0; unit < plan.units(); ++unit) {
    std::vector<RecordingState> recordings;
    for (size_t i = plan.first(unit); i < plan.first(unit + 1); ++i)
      recordings.push_back(states.state(manifest, manifest.records[i]));
    units.push_back(recordings_digest(recordings));
  }
  return recordings_key(units);
}

/// What a set was made from, but for the contents of the recordings.
Json origin_of(const ClipRules& rules, const CutOptions& cut, const BuildPlan& plan) {
  Json origin = plan_of(rules);
  if (cut.on) origin["segment"] = cut_settings(cut);
  origin["manifest"] = plan.manifest_key();
  origin["records"] = plan.records();
  return origin;
}

/// True for a finished set of this origin and these settings.
bool is_there(const BuildOptions& options, const Json& origin, const Manifest& manifest,
              const BuildPlan& plan, WorkFolder& work) {
  const fs::path& out = options.out;
  std::error_code error;
  if (!fs::exists(out / "MANIFEST", error)) return false;
  try {
    const Json set = parse_json(read_file(out / "set.json", kMostSetBytes), "set.json");
    verify_set(out);
    if (set.value("settings", Json()) != assembly_settings(options.assembly)) return false;
    Json before = set.value("made_from", Json());
    const Json recordings = before.is_object() ? before.value("recordings", Json()) : Json();
    if (before.is_object()) before.erase("recordings");
    if (before != origin) return false;
    if (work.all_finished()) return recordings == work.recordings_key();
    return work.is_empty() && recordings == read_recordings_key(manifest, plan);
  } catch (const Error& reason) {
    log_warning("dataset", reason.what(), "; the set is put together again");
    return false;
  }
}

}  // namespace

BuildResult build_set(const BuildOptions& options, const CancelToken* cancel,
                      const std::function<void(const WorkCounts&)>& tell) {
  if (options.assembly.parquet && !parquet_supported()) {
    throw Error(ErrorCode::kUnsupported, "Parquet: this program was built without Arrow")
        .with_hint("run tools/arrow.sh, then configure and build again");
  }
  const ClipRules rules(find_model_parts(options.model), options.clips);
  Manifest manifest = read_manifest(options.manifest, options.defaults);
  take_out_folder(options.out, options.manifest);
  WorkFolder work(options.out / "work", options.part,
                  options.restart ? WorkStart::kAnew : WorkStart::kGoOn);
  try {
    if (options.cut.on) {
      cut_recordings(manifest,
                     {.options = options.cut,
                      .trim = rules.options().sound.trim,
                      .rate_hz = rules.codec().sample_rate_hz,
                      .part = options.part,
                      .workers = options.workers,
                      .cancel = cancel,
                      .tell = tell},
                     work);
    }
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kCancelled) throw;
    return {.end = BuildEnd::kCancelled, .work = {.records = manifest.records.size()}};
  }
  const BuildPlan plan(manifest.records);
  Json origin = origin_of(rules, options.cut, plan);
  settle_plan(work, plan_of(rules), plan);
  RecordingStates states;
  work.expect(plan.unit_keys(), [&](size_t unit, const std::vector<RecordFacts>& facts) {
    return is_current(manifest, plan, unit, facts, states);
  });
  BuildResult result;
  if (!options.restart && is_there(options, origin, manifest, plan, work)) {
    result.end = BuildEnd::kWasThere;
    return result;
  }
  result.work = work_through({.manifest = manifest,
                              .rules = rules,
                              .plan = plan,
                              .part = options.part,
                              .workers = options.workers,
                              .cancel = cancel,
                              .tell = tell},
                             work);
  if (!result.work.complete()) {
    result.end = BuildEnd::kCancelled;
  } else if (!work.all_finished() || !work.lock_assembly()) {
    result.end = BuildEnd::kPartDone;
  } else if (options.restart || !is_there(options, origin, manifest, plan, work)) {
    try {
      origin["recordings"] = work.recordings_key();
      const fs::path stage = work.path() / "set";
      assemble_set(work, plan, rules, options.assembly, origin, stage, cancel);
      publish_set(stage, options.out);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kCancelled) throw;
      result.end = BuildEnd::kCancelled;
    }
  }
  return result;
}

}  // namespace kani
