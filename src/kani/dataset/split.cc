// split.cc - see split.h.
#include "kani/dataset/split.h"

#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/base/sha256.h"
#include "kani/dataset/manifest_parts.h"

namespace kani {
namespace {

constexpr uint64_t kMostListBytes = uint64_t{1} << 28;
constexpr std::string_view kSpeakerMark = "speaker:";

/// In [0, 1), the same for the same words everywhere.
double place_of(std::initializer_list<std::string_view> words) {
  Sha256 hash;
  for (const std::string_view word : words) {
    hash.update(std::as_bytes(std::span(word)));
    hash.update(std::as_bytes(std::span("", 1)));
  }
  const Sha256::Digest digest = hash.finish();
  uint64_t bits = 0;
  for (size_t i = 0; i < 8; ++i) bits = bits << 8 | static_cast<uint64_t>(digest[i]);
  return static_cast<double>(bits >> 11) * 0x1p-53;
}

}  // namespace

std::string_view split_name(Split split) {
  return split == Split::kTrain ? "train" : split == Split::kValid ? "valid" : "test";
}

TestList::TestList(const std::filesystem::path& path) : path_(path) {
  const std::string content = read_file(path, kMostListBytes);
  std::string_view text = without_mark(content);
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.starts_with(kSpeakerMark)) {
      speakers_.emplace(trimmed(line.substr(kSpeakerMark.size())));
    } else if (!line.empty()) {
      audio_.emplace(line);
    }
  }
  if (empty()) throw Error(ErrorCode::kBadInput, path, ": no line in it");
}

std::vector<std::string> TestList::lines() const {
  std::vector<std::string> lines(audio_.begin(), audio_.end());
  for (const std::string& speaker : speakers_) lines.push_back(concat(kSpeakerMark, speaker));
  return lines;
}

bool TestList::holds(const RecordFacts& facts) const {
  return audio_.contains(facts.audio) || speakers_.contains(facts.speaker);
}

void TestList::check(const std::vector<RecordFacts>& facts) const {
  std::set<std::string> audio = audio_, speakers = speakers_;
  for (const RecordFacts& one : facts) {
    audio.erase(one.audio);
    speakers.erase(one.speaker);
  }
  if (!audio.empty())
    throw Error(ErrorCode::kBadInput, path_, ": no record has the audio ",
                printable(*audio.begin()))
        .with_hint("a line is the audio as the manifest names it, or speaker:NAME");
  if (!speakers.empty())
    throw Error(ErrorCode::kBadInput, path_, ": no record has the speaker ",
                printable(*speakers.begin()));
}

Split split_of(const RecordFacts& facts, const SplitOptions& options) {
  if (options.test.holds(facts)) return Split::kTest;
  const double place = facts.speaker.empty() || options.by_recording
                           ? place_of({"recording", facts.source, facts.audio})
                           : place_of({"speaker", facts.speaker});
  return place < options.valid_share ? Split::kValid : Split::kTrain;
}

}  // namespace kani
