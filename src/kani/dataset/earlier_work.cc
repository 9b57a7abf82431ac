// earlier_work.cc - see earlier_work.h.
#include "kani/dataset/earlier_work.h"

namespace kani {

EarlierWork::EarlierWork(const WorkFolder& work) : work_(work) {
  for (const UnitFiles& files : work.other_files()) {
    if (!work.is_intact(files)) continue;
    const std::vector<RecordFacts> facts = work.facts(files);
    for (size_t line = 0; line < facts.size(); ++line)
      places_[facts[line].key] = {files_.size(), line};
    files_.push_back(files);
  }
}

std::optional<EarlierWork::Place> EarlierWork::find(const RecordKey& key) const {
  const auto found = places_.find(key);
  if (found == places_.end()) return std::nullopt;
  return found->second;
}

void EarlierRecords::open(const UnitFiles& files) {
  if (files == open_) return;
  facts_ = earlier_.work().facts(files);
  shard_.reset();
  if (!files.shard.empty()) shard_.emplace(earlier_.work().shard_path(files));
  open_ = files;
}

std::optional<MadeRecord> EarlierRecords::take(const RecordKey& key, const Manifest& manifest,
                                               const SourceRecord& record,
                                               RecordingStates& states) {
  const auto place = earlier_.find(key);
  if (!place) return std::nullopt;
  open(earlier_.files(*place));
  MadeRecord made;
  made.facts = facts_.at(place->line);
  if (!states.is_same(manifest, record, made.facts.recording)) return std::nullopt;
  if (!made.facts.reject) made.clip = shard_.value().clip(made.facts.place);
  return made;
}

}  // namespace kani
