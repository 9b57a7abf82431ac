// build_set.h - recordings to a set of shards: all records through the workers, and the set put
// together by whoever sees the last unit finished.  Source: training.md 15.
// Not here: flags and words for people (build_command.h).
#pragma once

#include <filesystem>
#include <functional>

#include "kani/base/cancel.h"
#include "kani/dataset/assembly.h"
#include "kani/dataset/build_work.h"
#include "kani/dataset/cutting.h"
#include "kani/dataset/model_parts.h"

namespace kani {

struct BuildOptions {
  std::filesystem::path manifest;  // or a folder
  ManifestDefaults defaults{};
  std::filesystem::path out;
  ModelNames model{};
  ClipOptions clips{};
  CutOptions cut{};
  AssemblyOptions assembly{};
  Part part{};
  int workers = 1;
  bool restart = false;  // throw finished work away; the set goes when another is there
};

enum class BuildEnd {
  kFinished,   // the set is there
  kWasThere,   // it was there before, of the same records and settings
  kPartDone,   // others have work left, or are putting the set together
  kCancelled,  // the same call goes on from there
};

struct BuildResult {
  BuildEnd end = BuildEnd::kFinished;
  WorkCounts work{};
};

/// Below out/ there are the set (assembly.h) with its MANIFEST, and work/ with the units.
/// Throws Error(kInvalidArgument) for a folder that holds something else (out_folder.h) or work of
/// other settings, Error(kBusy) while another process does the same part or, with `restart`, any,
/// and as the parts do.
BuildResult build_set(const BuildOptions& options, const CancelToken* cancel,
                      const std::function<void(const WorkCounts&)>& tell);

}  // namespace kani
