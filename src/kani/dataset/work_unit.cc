// work_unit.cc - see work_unit.h.
#include "kani/dataset/work_unit.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/base/log.h"
#include "kani/base/sha256.h"

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

std::string hex(const std::array<std::byte, 32>& digest) { return hex_text(digest); }

std::array<std::byte, 32> from_hex(const std::string& text) {
  std::array<std::byte, 32> digest{};
  const auto value = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  if (text.size() != 64 || text.find_first_not_of("0123456789abcdef") != std::string::npos)
    throw Error(ErrorCode::kBadInput, "\"", printable(text), "\" is no hash");
  for (size_t i = 0; i < digest.size(); ++i)
    digest[i] = static_cast<std::byte>(value(text[2 * i]) * 16 + value(text[2 * i + 1]));
  return digest;
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

Json facts_json(uint64_t index, const SourceRecord& record, const ClipResult& result) {
  Json line = {{"index", index}, {"audio", record.audio}};
  if (!record.source.empty()) line["source"] = record.source;
  if (!record.speaker.empty()) line["speaker"] = record.speaker;
  if (!record.language.empty()) line["language"] = record.language;
  if (result.reject) {
    line["reason"] = reject_name(result.reject->reason);
    if (result.reject->value) line["value"] = rounded(*result.reject->value, 6);
    if (!result.reject->detail.empty()) line["detail"] = printable(result.reject->detail, 500);
  } else {
    line["seconds"] = result.clip.duration_s;
    line["sound"] = hex(result.sound);
    line["record"] = hex(result.clip.record);
    line["text"] = text_key(record, result.normalized);
  }
  return line;
}

RecordFacts facts_of(const Json& line) {
  RecordFacts facts;
  facts.index = line.at("index").get<uint64_t>();
  facts.audio = line.at("audio").get<std::string>();
  facts.source = line.value("source", "");
  facts.speaker = line.value("speaker", "");
  facts.language = line.value("language", "");
  if (const auto reason = line.find("reason"); reason != line.end()) {
    Reject reject;
    reject.reason = reject_from_name(reason->get<std::string>()).value_or(RejectReason::kManifest);
    if (const auto value = line.find("value"); value != line.end() && value->is_number())
      reject.value = value->get<double>();
    reject.detail = line.value("detail", "");
    facts.reject = std::move(reject);
  } else {
    facts.seconds = line.at("seconds").get<double>();
    facts.sound = from_hex(line.at("sound").get<std::string>());
    facts.record = from_hex(line.at("record").get<std::string>());
    facts.text_key = line.at("text").get<uint64_t>();
  }
  return facts;
}

}  // namespace

std::string unit_name(size_t unit) {
  char name[40];
  std::snprintf(name, sizeof name, "unit-%05zu", unit);
  return name;
}

Json reject_json(const RecordFacts& facts) {
  Json line = {{"index", facts.index}, {"audio", facts.audio}};
  if (!facts.source.empty()) line["source"] = facts.source;
  if (!facts.speaker.empty()) line["speaker"] = facts.speaker;
  if (!facts.language.empty()) line["language"] = facts.language;
  if (!facts.reject) return line;
  line["reason"] = reject_name(facts.reject->reason);
  if (facts.reject->value) line["value"] = rounded(*facts.reject->value, 6);
  if (!facts.reject->detail.empty()) line["detail"] = facts.reject->detail;
  return line;
}

WorkFolder::WorkFolder(fs::path folder, Part part) : folder_(std::move(folder)) {
  std::error_code error;
  fs::create_directories(folder_, error);
  if (error) throw_cannot_write(folder_, error.value());
  const std::string name = concat(part.index, "-of-", part.count);
  lock_ = open_file(folder_ / concat("lock-", name), O_RDWR);
  if (flock(lock_, LOCK_EX | LOCK_NB) != 0) {
    throw Error(ErrorCode::kBusy, folder_, ": part ", part.index, " of ", part.count,
                " is being built by another process");
  }
  // AtomicFile's names, of a process that was killed.  With several machines they stay until the
  // folder is removed: they may be of another one that is at work.
  if (part.count == 1) {
    for (const fs::directory_entry& entry : fs::directory_iterator(folder_, error)) {
      const std::string left = entry.path().filename().string();
      if (left.starts_with('.') && left.ends_with(".tmp")) fs::remove(entry.path(), error);
    }
  }
  journal_path_ = folder_ / concat("journal-", name, ".jsonl");
  read_journals();
  journal_ = open_file(journal_path_, O_WRONLY | O_APPEND);
  // What was cut off by a kill becomes a line of its own, which no reader takes.
  if (fs::file_size(journal_path_, error) > 0) append_line(journal_, journal_path_, "");
}

WorkFolder::~WorkFolder() {
  for (const int descriptor : {journal_, assembly_lock_, lock_}) {
    if (descriptor >= 0) close(descriptor);
  }
}

bool WorkFolder::is_intact(size_t unit, const Entry& entry) const {
  try {
    return sha256_hex(folder_ / (unit_name(unit) + ".jsonl")) == entry.lines &&
           (entry.shard.empty() || sha256_hex(shard_path(unit)) == entry.shard);
  } catch (const Error&) {
    return false;
  }
}

void WorkFolder::read_journals() {
  std::vector<fs::path> journals;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder_)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("journal-") && name.ends_with(".jsonl")) journals.push_back(entry.path());
  }
  for (const fs::path& path : journals) {
    const std::string content = read_file(path, kMostLinesBytes);
    std::string_view text = content;
    while (!text.empty()) {
      const size_t end = text.find('\n');
      if (end == std::string_view::npos) break;  // not whole
      const Json line = Json::parse(text.substr(0, end), nullptr, /*allow_exceptions=*/false);
      text.remove_prefix(end + 1);
      if (!line.is_object() || !line.contains("unit") || !line["unit"].is_number_unsigned() ||
          !line.contains("shard") || !line["shard"].is_string() || !line.contains("lines") ||
          !line["lines"].is_string())
        continue;
      const auto unit = line["unit"].get<size_t>();
      const Entry found{line["shard"].get<std::string>(), line["lines"].get<std::string>()};
      if (finished_.contains(unit)) continue;
      if (is_intact(unit, found)) {
        finished_.emplace(unit, found);
      } else {
        log_warning("dataset", folder_ / unit_name(unit),
                    ": not as the journal says; it is made again");
      }
    }
  }
}

bool WorkFolder::is_finished(size_t unit) const {
  const std::lock_guard lock(mutex_);
  return finished_.contains(unit);
}

size_t WorkFolder::finished() const {
  const std::lock_guard lock(mutex_);
  return finished_.size();
}

bool WorkFolder::all_finished(size_t units) {
  const std::lock_guard lock(mutex_);
  const auto all = [&] {
    for (size_t unit = 0; unit < units; ++unit) {
      if (!finished_.contains(unit)) return false;
    }
    return true;
  };
  if (all()) return true;
  read_journals();
  return all();
}

void WorkFolder::finish(size_t unit, uint64_t first, const std::vector<SourceRecord>& records,
                        const std::vector<ClipResult>& results, const ShardInfo& info) {
  ShardWriter shard(info);
  std::string lines;
  for (size_t i = 0; i < results.size(); ++i) {
    lines += json_line(facts_json(first + i, records[first + i], results[i])) + "\n";
    if (!results[i].reject) shard.add(results[i].clip);
  }
  Entry entry;
  if (shard.clips() > 0) entry.shard = shard.write(shard_path(unit));
  write_file(folder_ / (unit_name(unit) + ".jsonl"), lines);
  entry.lines = sha256_hex(std::as_bytes(std::span(lines)));
  const std::lock_guard lock(mutex_);
  append_line(journal_, journal_path_,
              json_line({{"unit", unit}, {"shard", entry.shard}, {"lines", entry.lines}}));
  finished_.emplace(unit, std::move(entry));
}

fs::path WorkFolder::shard_path(size_t unit) const {
  return folder_ / (unit_name(unit) + ".kshard");
}

std::vector<RecordFacts> WorkFolder::facts(size_t unit) const {
  const fs::path path = folder_ / (unit_name(unit) + ".jsonl");
  const std::string content = read_file(path, kMostLinesBytes);
  std::vector<RecordFacts> all;
  size_t place = 0;
  try {
    for (std::string_view text = content; !text.empty();) {
      const size_t end = std::min(text.find('\n'), text.size());
      RecordFacts facts = facts_of(parse_json(text.substr(0, end), path.string()));
      text.remove_prefix(std::min(end + 1, text.size()));
      facts.unit = unit;
      if (!facts.reject) facts.place = place++;
      all.push_back(std::move(facts));
    }
  } catch (const Json::exception& error) {
    throw Error(ErrorCode::kBadInput, path, ": ", error.what());
  }
  return all;
}

bool WorkFolder::lock_assembly() {
  if (assembly_lock_ < 0) assembly_lock_ = open_file(folder_ / "lock-assembly", O_RDWR);
  return flock(assembly_lock_, LOCK_EX | LOCK_NB) == 0;
}

}  // namespace kani
