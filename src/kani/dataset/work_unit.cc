// work_unit.cc - see work_unit.h.
#include "kani/dataset/work_unit.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>

#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/base/log.h"
#include "kani/base/sha256.h"
#include "kani/dataset/out_folder.h"

namespace kani {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMostLinesBytes = uint64_t{1} << 30;

int open_file(const fs::path& path, int flags) {
  const int descriptor = open(path.c_str(), flags | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor < 0) throw_cannot_write(path, errno);
  return descriptor;
}

void append_line(int descriptor, const fs::path& path, std::string line) {
  line += '\n';
  for (std::string_view rest = line; !rest.empty();) {
    const ssize_t done = write(descriptor, rest.data(), rest.size());
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) throw_cannot_write(path, errno);
    rest.remove_prefix(static_cast<size_t>(done));
  }
  if (fdatasync(descriptor) != 0) throw_cannot_write(path, errno);
}

void from_hex(const Json& value, std::span<std::byte> bytes) {
  const auto text = value.get<std::string>();
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  if (text.size() != 2 * bytes.size() ||
      text.find_first_not_of("0123456789abcdef") != std::string::npos)
    throw Error(ErrorCode::kBadInput, "\"", printable(text), "\" is no hash");
  for (size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<std::byte>(digit(text[2 * i]) * 16 + digit(text[2 * i + 1]));
}

uint64_t text_key(const SourceRecord& record, const std::string& normalized) {
  Sha256 hash;
  const char zero = 0;
  for (const std::string* part : {&record.source, &record.speaker, &normalized}) {
    hash.update(std::as_bytes(std::span(*part)));
    hash.update(std::as_bytes(std::span(&zero, 1)));
  }
  uint64_t key = 0;
  const Sha256::Digest digest = hash.finish();
  for (size_t i = 0; i < 8; ++i) key = key << 8 | static_cast<uint64_t>(digest[i]);
  return key;
}

/// What is the same in a unit and in rejects.jsonl.
void describe(const RecordFacts& facts, Json& line) {
  line["audio"] = facts.audio;
  if (!facts.source.empty()) line["source"] = facts.source;
  if (!facts.speaker.empty()) line["speaker"] = facts.speaker;
  if (!facts.language.empty()) line["language"] = facts.language;
  if (facts.start_s != 0 || facts.end_s != 0) {
    line["start"] = facts.start_s;
    line["end"] = facts.end_s;
  }
  if (!facts.reject) return;
  line["reason"] = reject_name(facts.reject->reason);
  if (facts.reject->value) line["value"] = rounded(*facts.reject->value, 6);
  if (!facts.reject->detail.empty()) line["detail"] = facts.reject->detail;
}

Json facts_json(const RecordFacts& facts) {
  Json line = {{"key", hex_text(facts.key)}};
  if (facts.recording.is_readable()) line["recording"] = recording_json(facts.recording);
  describe(facts, line);
  if (facts.reject) return line;
  line["seconds"] = facts.seconds;
  line["sound"] = hex_text(facts.sound);
  line["record"] = hex_text(facts.record);
  line["text"] = facts.text_key;
  return line;
}

RecordFacts facts_of(const Json& line) {
  RecordFacts facts;
  from_hex(line.at("key"), facts.key);
  if (const auto at = line.find("recording"); at != line.end()) facts.recording = recording_of(*at);
  facts.audio = line.at("audio").get<std::string>();
  facts.source = line.value("source", "");
  facts.speaker = line.value("speaker", "");
  facts.language = line.value("language", "");
  facts.start_s = line.value("start", 0.0);
  facts.end_s = line.value("end", 0.0);
  if (const auto reason = line.find("reason"); reason != line.end()) {
    Reject reject;
    reject.reason = reject_from_name(reason->get<std::string>()).value_or(RejectReason::kManifest);
    if (const auto value = line.find("value"); value != line.end() && value->is_number())
      reject.value = value->get<double>();
    reject.detail = line.value("detail", "");
    facts.reject = std::move(reject);
  } else {
    facts.seconds = line.at("seconds").get<double>();
    from_hex(line.at("sound"), facts.sound);
    from_hex(line.at("record"), facts.record);
    facts.text_key = line.at("text").get<uint64_t>();
  }
  return facts;
}

std::string unit_name(const UnitFiles& files) { return "unit-" + files.lines.substr(0, 16); }

bool is_hash(const Json& line, const char* key, bool may_be_empty) {
  const auto at = line.find(key);
  if (at == line.end() || !at->is_string()) return false;
  const auto& text = at->get_ref<const std::string&>();
  return (text.size() == 64 || (may_be_empty && text.empty())) &&
         text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

Sha256::Digest digest_of(const std::vector<RecordFacts>& facts) {
  std::vector<RecordingState> recordings;
  for (const RecordFacts& one : facts) recordings.push_back(one.recording);
  return recordings_digest(recordings);
}

}  // namespace

MadeRecord made_record(const SourceRecord& record, const RecordKey& key,
                       const RecordingState& recording, ClipResult result) {
  MadeRecord made;
  RecordFacts& facts = made.facts;
  facts.key = key;
  facts.recording = recording;
  facts.audio = record.audio;
  facts.source = record.source;
  facts.speaker = record.speaker;
  facts.language = record.language;
  facts.start_s = record.start_s;
  facts.end_s = record.end_s;
  facts.reject = std::move(result.reject);
  if (facts.reject) {
    facts.reject->detail = printable(facts.reject->detail, 500);
    return made;
  }
  facts.seconds = result.clip.duration_s;
  facts.sound = result.sound;
  facts.record = result.clip.record;
  facts.text_key = text_key(record, result.normalized);
  made.clip = std::move(result.clip);
  return made;
}

Json recording_json(const RecordingState& recording) {
  if (!recording.is_readable()) return {};
  return {{"bytes", recording.bytes},
          {"modified_ns", recording.modified_ns},
          {"changed_ns", recording.changed_ns},
          {"sha256", hex_text(recording.content)}};
}

RecordingState recording_of(const Json& json) {
  RecordingState recording;
  if (json.is_null()) return recording;
  recording.bytes = json.at("bytes").get<int64_t>();
  recording.modified_ns = json.at("modified_ns").get<int64_t>();
  recording.changed_ns = json.at("changed_ns").get<int64_t>();
  from_hex(json.at("sha256"), recording.content);
  return recording;
}

Json reject_json(const RecordFacts& facts) {
  Json line = {{"index", facts.index}};
  describe(facts, line);
  return line;
}

Sha256::Digest recordings_digest(std::span<const RecordingState> recordings) {
  Sha256 hash;
  for (const RecordingState& one : recordings) hash.update(one.content);
  return hash.finish();
}

std::string recordings_key(std::span<const Sha256::Digest> units) {
  Sha256 hash;
  for (const Sha256::Digest& one : units) hash.update(one);
  return hex_text(hash.finish());
}

WorkFolder::WorkFolder(fs::path folder, Part part, WorkStart start) : folder_(std::move(folder)) {
  std::error_code error;
  fs::create_directories(folder_, error);
  if (error) throw_cannot_write(folder_, error.value());
  {
    // So that nobody begins between the look for others and the deletion.
    const auto lock = lock_plan();
    take_part(part);
    clear(start);
  }
  journal_path_ = folder_ / concat("journal-", part.index, "-of-", part.count, ".jsonl");
  read_journals();
  journal_ = open_file(journal_path_, O_WRONLY | O_APPEND);
  // What was cut off by a kill becomes a line of its own, which no reader takes.
  if (fs::file_size(journal_path_, error) > 0) append_line(journal_, journal_path_, "");
}

WorkFolder::~WorkFolder() {
  if (journal_ >= 0) close(journal_);
}

void WorkFolder::take_part(Part part) {
  lock_name_ = concat("lock-", part.index, "-of-", part.count);
  lock_ = std::make_unique<FileLock>(folder_ / lock_name_);
  if (lock_->try_lock()) return;
  throw Error(ErrorCode::kBusy, folder_, ": part ", part.index + 1, " of ", part.count,
              " is being built by another process");
}

/// AtomicFile's names are of a process that was killed, unless another one is at work.
void WorkFolder::clear(WorkStart start) const {
  const bool alone = !others_at_work();
  if (start == WorkStart::kAnew && !alone) {
    throw Error(ErrorCode::kBusy, folder_, ": another process is at work in it")
        .with_hint("wait for it to end, or end it, before all is begun again");
  }
  std::vector<fs::path> old;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder_)) {
    const std::string name = entry.path().filename().string();
    const bool is_lock = name.starts_with("lock-") || name == "plan-lock";
    const bool is_half = name.starts_with('.') && name.ends_with(".tmp");
    if (start == WorkStart::kAnew ? is_work_name(name) && !is_lock : alone && is_half)
      old.push_back(entry.path());
  }
  for (const fs::path& path : old) {
    std::error_code error;
    fs::remove_all(path, error);
    if (error) throw_cannot_write(path, error.value());
  }
}

bool WorkFolder::is_intact(const UnitFiles& files) const {
  try {
    return sha256_hex(folder_ / (unit_name(files) + ".jsonl")) == files.lines &&
           (files.shard.empty() || sha256_hex(shard_path(files)) == files.shard);
  } catch (const Error&) {
    return false;
  }
}

void WorkFolder::read_journals() {
  files_.clear();
  by_key_.clear();
  std::vector<fs::path> journals;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder_)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("journal-") && name.ends_with(".jsonl")) journals.push_back(entry.path());
  }
  std::sort(journals.begin(), journals.end());
  for (const fs::path& path : journals) {
    const std::string content = read_file(path, kMostLinesBytes);
    std::string_view text = content;
    while (!text.empty()) {
      const size_t end = text.find('\n');
      if (end == std::string_view::npos) break;  // not whole
      const Json line = try_parse_json(text.substr(0, end));
      text.remove_prefix(end + 1);
      if (!line.is_object() || !line.contains("unit") || !line["unit"].is_string() ||
          !is_hash(line, "shard", /*may_be_empty=*/true) || !is_hash(line, "lines", false))
        continue;
      files_.push_back({line["shard"].get<std::string>(), line["lines"].get<std::string>()});
      by_key_[line["unit"].get<std::string>()].push_back(files_.back());
    }
  }
}

void WorkFolder::look_for(size_t unit) {
  const auto found = by_key_.find(unit_keys_[unit]);
  if (found == by_key_.end()) return;
  bool intact = false;
  for (auto files = found->second.rbegin(); files != found->second.rend(); ++files) {
    if (!is_intact(*files)) continue;
    intact = true;
    const std::vector<RecordFacts> all = facts(*files);
    if (!is_current_(unit, all)) continue;
    finished_.emplace(unit, Finished{*files, digest_of(all)});
    return;
  }
  if (!intact) {
    log_warning("dataset", folder_ / unit_name(found->second.back()),
                ": not as the journal says; it is made again");
  }
}

void WorkFolder::expect(std::vector<std::string> unit_keys, IsCurrent is_current) {
  const std::lock_guard lock(mutex_);
  unit_keys_ = std::move(unit_keys);
  is_current_ = std::move(is_current);
  finished_.clear();
  for (size_t unit = 0; unit < unit_keys_.size(); ++unit) look_for(unit);
}

bool WorkFolder::is_finished(size_t unit) const {
  const std::lock_guard lock(mutex_);
  return finished_.contains(unit);
}

bool WorkFolder::is_empty() const {
  const std::lock_guard lock(mutex_);
  return files_.empty() && finished_.empty();
}

std::vector<UnitFiles> WorkFolder::other_files() const {
  const std::lock_guard lock(mutex_);
  std::set<std::string> used;
  for (const auto& [unit, one] : finished_) used.insert(one.files.lines);
  std::vector<UnitFiles> others;
  for (const UnitFiles& files : files_) {
    if (!used.contains(files.lines)) others.push_back(files);
  }
  return others;
}

bool WorkFolder::all_finished() {
  const std::lock_guard lock(mutex_);
  if (finished_.size() == unit_keys_.size()) return true;
  read_journals();
  for (size_t unit = 0; unit < unit_keys_.size(); ++unit) {
    if (!finished_.contains(unit)) look_for(unit);
  }
  return finished_.size() == unit_keys_.size();
}

std::string WorkFolder::recordings_key() const {
  const std::lock_guard lock(mutex_);
  std::vector<Sha256::Digest> units;
  for (const auto& [unit, one] : finished_) units.push_back(one.recordings);
  return kani::recordings_key(units);
}

void WorkFolder::finish(size_t unit, const std::vector<MadeRecord>& records,
                        const ShardInfo& info) {
  ShardWriter shard(info);
  std::string lines;
  Finished made;
  std::vector<RecordingState> recordings;
  for (const MadeRecord& one : records) {
    lines += json_line(facts_json(one.facts)) + "\n";
    recordings.push_back(one.facts.recording);
    if (!one.facts.reject) shard.add(one.clip);
  }
  made.recordings = recordings_digest(recordings);
  made.files.lines = sha256_hex(std::as_bytes(std::span(lines)));
  if (shard.clips() > 0) made.files.shard = shard.write(shard_path(made.files));
  write_file(folder_ / (unit_name(made.files) + ".jsonl"), lines);
  const std::lock_guard lock(mutex_);
  append_line(journal_, journal_path_,
              json_line({{"unit", unit_keys_.at(unit)},
                         {"shard", made.files.shard},
                         {"lines", made.files.lines}}));
  finished_.insert_or_assign(unit, std::move(made));
}

fs::path WorkFolder::shard_path(const UnitFiles& files) const {
  return folder_ / (unit_name(files) + ".kshard");
}

fs::path WorkFolder::shard_path(size_t unit) const {
  const std::lock_guard lock(mutex_);
  return shard_path(finished_.at(unit).files);
}

std::vector<RecordFacts> WorkFolder::facts(const UnitFiles& files) const {
  const fs::path path = folder_ / (unit_name(files) + ".jsonl");
  const std::string content = read_file(path, kMostLinesBytes);
  std::vector<RecordFacts> all;
  size_t place = 0;
  try {
    for (std::string_view text = content; !text.empty();) {
      const size_t end = std::min(text.find('\n'), text.size());
      RecordFacts facts = facts_of(parse_json(text.substr(0, end), path.string()));
      text.remove_prefix(std::min(end + 1, text.size()));
      facts.index = all.size();
      if (!facts.reject) facts.place = place++;
      all.push_back(std::move(facts));
    }
  } catch (const Json::exception& error) {
    throw Error(ErrorCode::kBadInput, path, ": ", error.what());
  }
  return all;
}

std::vector<RecordFacts> WorkFolder::facts(size_t unit, uint64_t first) const {
  UnitFiles files;
  {
    const std::lock_guard lock(mutex_);
    files = finished_.at(unit).files;
  }
  std::vector<RecordFacts> all = facts(files);
  for (RecordFacts& one : all) {
    one.unit = unit;
    one.index += first;
  }
  return all;
}

std::unique_ptr<FileLock> WorkFolder::lock_plan() const {
  auto lock = std::make_unique<FileLock>(folder_ / "plan-lock");
  lock->wait();
  return lock;
}

bool WorkFolder::others_at_work() const {
  for (const fs::directory_entry& entry : fs::directory_iterator(folder_)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with("lock-") || name == "lock-assembly" || name == lock_name_) continue;
    if (FileLock(entry.path()).is_held_elsewhere()) return true;
  }
  return false;
}

bool WorkFolder::lock_assembly() {
  if (!assembly_lock_) assembly_lock_ = std::make_unique<FileLock>(folder_ / "lock-assembly");
  return assembly_lock_->try_lock();
}

}  // namespace kani
