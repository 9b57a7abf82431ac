// cutting.h - long recordings with timed words or sentences become records of 3 to 30 s, before the
// work is planned: each is then made, found again and rejected as any stretch of a recording is.
// Source: training.md 15.5.
// Where a recording is cut depends on its sound, so it is decoded once; OUT/work/cuts-4f0c….json
// keeps what came out, with the recording's state (recording_state.h), for the next run and for
// other machines.  Not here: where to cut (pieces.h).
#pragma once

#include <functional>

#include "kani/base/cancel.h"
#include "kani/base/json.h"
#include "kani/dataset/build_work.h"
#include "kani/dataset/manifest.h"
#include "kani/dataset/pieces.h"
#include "kani/dataset/trim.h"
#include "kani/dataset/work_unit.h"

namespace kani {

struct CutOptions {
  bool on = false;
  PieceOptions pieces{};
};

struct Cutting {
  const CutOptions& options;
  const TrimOptions& trim;  // what is silent
  int rate_hz = 0;          // of the codec, at which trimming measures, too
  Part part{};              // where among the recordings this machine begins; it ends with all
  int workers = 1;
  const CancelToken* cancel = nullptr;
  /// As BuildWork's, with recordings in place of records.
  std::function<void(const WorkCounts&)> tell{};
};

/// Puts the pieces of each record that has segments in its place: audio and names are the record's,
/// so that all of them are of one split; stretch and text are the piece's.  What cannot be a piece
/// is a record with a problem, and so is a record whose sound cannot be read or that says a stretch
/// or codes beside its segments.  Records without segments stay as they are.
/// A function of manifest, recordings and options: the same for every machine and any number of
/// workers.  Throws Error(kCancelled), Error(kCannotWrite).
void cut_recordings(Manifest& manifest, const Cutting& cutting, const WorkFolder& work);

/// For set.json.
Json cut_settings(const CutOptions& options);

}  // namespace kani
