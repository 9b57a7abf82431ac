// assembly.h - finished units become one set: what is kept goes into shards of each split, with the
// lists that trace every clip and every rejected record.  Source: training.md 15.8 to 15.12.
// Memory grows with the number of records (their facts), not with their codes: these are read unit
// by unit.  The same units and options give the same bytes.
//
// Files: train-00000-of-00002.kshard, … and likewise valid-, test-; the same names with .parquet
// and dataset_info.json; clips.jsonl (set_clip.h); rejects.jsonl; audio_length_statistics.json of
// the training split (5.5); set.json (settings, counts, shards); report/sample-1.wav, …;
// report.json and report.html.
#pragma once

#include <filesystem>

#include "kani/dataset/build_plan.h"
#include "kani/dataset/selection.h"
#include "kani/dataset/speaker_voices.h"

namespace kani {

struct AssemblyOptions {
  SelectionOptions selection{};
  SpeakerVector voices = SpeakerVector::kMean;
  bool kshard = true;
  bool parquet = false;
  size_t shard_clips = 20'000;
  size_t samples = 6;  // listening samples
};

/// What set.json says of the settings: with the same ones a set that is there need not be made
/// again.
Json assembly_settings(const AssemblyOptions& options);

/// Writes the files into `stage`, which is made anew.  Throws Error(kBadInput) if nothing is left
/// to train on, Error(kCannotWrite), Error(kCancelled), Error(kUnsupported) for Parquet without
/// Arrow.
void assemble_set(const WorkFolder& work, const BuildPlan& plan, const ClipRules& rules,
                  const AssemblyOptions& options, const Json& origin,
                  const std::filesystem::path& stage, const CancelToken* cancel);

}  // namespace kani
