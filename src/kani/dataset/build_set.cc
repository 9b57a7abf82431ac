// build_set.cc - see build_set.h.
#include "kani/dataset/build_set.h"

#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/base/log.h"
#include "kani/dataset/parquet_output.h"
#include "kani/dataset/set_files.h"

namespace kani {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMostSetBytes = uint64_t{1} << 26;

void make_out(const fs::path& out, bool restart) {
  std::error_code error;
  if (fs::exists(out, error) && !fs::is_directory(out, error))
    throw Error(ErrorCode::kCannotWrite, out, ": is no folder");
  if (fs::exists(out, error) && !fs::is_empty(out, error) && !fs::exists(out / "work", error) &&
      !fs::exists(out / "MANIFEST", error)) {
    throw Error(ErrorCode::kInvalidArgument, out, ": exists and is not empty")
        .with_hint("name another folder or remove this one");
  }
  fs::create_directories(out, error);
  if (error) throw_cannot_write(out, error.value());
  if (!restart) return;
  fs::remove_all(out / "work", error);
  if (error) throw_cannot_write(out / "work", error.value());
}

/// True for a finished set of this origin and these settings.
bool is_there(const fs::path& out, const Json& origin, const Json& settings) {
  std::error_code error;
  if (!fs::exists(out / "MANIFEST", error)) return false;
  try {
    const Json set = parse_json(read_file(out / "set.json", kMostSetBytes), "set.json");
    verify_set(out);
    return set.value("made_from", Json()) == origin && set.value("settings", Json()) == settings;
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
  const Manifest manifest = read_manifest(options.manifest, options.defaults);
  make_out(options.out, options.restart);
  const Json origin = plan_of(rules, manifest), settings = assembly_settings(options.assembly);
  BuildResult result;
  if (!options.restart && is_there(options.out, origin, settings)) {
    result.end = BuildEnd::kWasThere;
    return result;
  }
  WorkFolder work(options.out / "work", options.part);
  settle_plan(work.path(), origin);
  const BuildPlan plan(manifest.records.size());
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
  } else if (!work.all_finished(plan.units()) || !work.lock_assembly()) {
    result.end = BuildEnd::kPartDone;
  } else if (options.restart || !is_there(options.out, origin, settings)) {
    try {
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
