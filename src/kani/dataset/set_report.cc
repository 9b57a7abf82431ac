// set_report.cc - see set_report.h.
#include "kani/dataset/set_report.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/dataset/clip_maker.h"
#include "kani/dataset/report_page.h"
#include "kani/dataset/set_clip.h"

namespace kani {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMostJsonBytes = uint64_t{1} << 26;
constexpr size_t kMostNames = 200;           // speakers in the report: those with most hours
constexpr size_t kMostExamples = 5;          // of a reason
constexpr double kNarrowHz = 5000;           // a telephone has less
constexpr double kUpdateElements = 131'072;  // the trainer's default
constexpr double kFill = 0.99;               // of its rows
constexpr size_t kElementsBesides = 8;       // marks of text and sound, and the voice

/// A line at a time: the lists may be larger than memory.
void for_lines(const fs::path& path, const std::function<void(const std::string&)>& take) {
  constexpr size_t kBlock = 1 << 16;
  const InputFile file(path);
  std::string line, block(kBlock, '\0');
  const auto end_line = [&] {
    if (!line.empty()) take(line);
    line.clear();
  };
  for (uint64_t at = 0;;) {
    const size_t got = file.read_at(at, std::as_writable_bytes(std::span(block)));
    if (got == 0) return end_line();
    at += got;
    std::string_view rest(block.data(), got);
    for (size_t end; (end = rest.find('\n')) != std::string_view::npos;) {
      line += rest.substr(0, end);
      rest.remove_prefix(end + 1);
      end_line();
    }
    line += rest;
  }
}

class Histogram {
 public:
  Histogram(double from, double step, size_t bins) : from_(from), step_(step), counts_(bins) {}
  /// What lies outside counts at the ends.
  void add(double value) {
    const double place = std::floor((value - from_) / step_);
    const auto last = static_cast<double>(counts_.size() - 1);
    ++counts_[static_cast<size_t>(std::clamp(std::isnan(place) ? 0 : place, 0.0, last))];
  }
  /// Without empty bins at the ends.
  Json json() const {
    size_t first = 0, last = counts_.size();
    while (first + 1 < last && counts_[first] == 0) ++first;
    while (last > first + 1 && counts_[last - 1] == 0) --last;
    return {{"from", rounded(from_ + step_ * static_cast<double>(first), 3)},
            {"step", step_},
            {"counts", std::vector<uint64_t>(counts_.begin() + static_cast<std::ptrdiff_t>(first),
                                             counts_.begin() + static_cast<std::ptrdiff_t>(last))}};
  }

 private:
  double from_, step_;
  std::vector<uint64_t> counts_;
};

struct Group {
  uint64_t clips = 0, rejected = 0, errors = 0;
  double seconds = 0;
  std::set<std::string> licences{};
};

class Report {
 public:
  explicit Report(const fs::path& folder) {
    const fs::path path = folder / "set.json";
    set_ = parse_json(read_file(path, kMostJsonBytes), path.string());
    for_lines(folder / "clips.jsonl",
              [&](const std::string& line) { add_clip(parse_clip_line(line, "clips.jsonl")); });
    for_lines(folder / "rejects.jsonl",
              [&](const std::string& line) { add_reject(parse_json(line, "rejects.jsonl")); });
    lengths_ = parse_json(read_file(folder / "audio_length_statistics.json", kMostJsonBytes),
                          "audio_length_statistics.json");
  }

  Json json() const {
    Json splits = Json::object();
    for (const Split split : kSplits) {
      const Group& one = splits_[static_cast<size_t>(split)];
      splits[std::string(split_name(split))] = {{"clips", one.clips},
                                                {"hours", hours(one.seconds)}};
    }
    const auto count = [&](const char* reason) {
      const auto found = reasons_.find(reason);
      return found == reasons_.end() ? uint64_t{0} : found->second.records;
    };
    return {{"records", clips_ + rejected_},
            {"splits", splits},
            {"rejected", {{"records", rejected_}, {"reasons", reasons_json()}}},
            {"languages", groups_json(languages_)},
            {"sources", groups_json(sources_)},
            {"speakers", groups_json(speakers_)},
            {"speakers_in_all", speakers_.size() - speakers_.count("")},
            {"trimmed_hours", hours(trimmed_s_)},
            {"narrow_clips", narrow_},
            {"duplicates",
             {{"sound", count("duplicate_sound")},
              {"codes", count("near_duplicate")},
              {"text", count("duplicate_text")},
              {"other_split", count("split_leak")}}},
            {"training",
             {{"text_ids", text_ids_},
              {"frames", frames_},
              {"elements", elements_},
              {"elements_per_update", kUpdateElements},
              {"updates_per_epoch",
               std::ceil(static_cast<double>(elements_) / kFill / kUpdateElements)}}},
            {"histograms",
             {{"seconds", seconds_.json()},
              {"characters_per_second", rate_.json()},
              {"loudness_lufs", loudness_.json()},
              {"noise_distance_db", noise_.json()}}},
            {"lengths", lengths_},
            {"settings", set_.value("settings", Json::object())},
            {"made_from", set_.value("made_from", Json::object())},
            {"samples", set_.value("samples", Json::array())}};
  }

 private:
  struct Reason {
    uint64_t records = 0;
    std::vector<Json> worst{};  // records with the largest values, or the first ones
  };

  static double hours(double seconds) { return rounded(seconds / 3600, 4); }

  void add_clip(const SetClip& clip) {
    ++clips_;
    for (Group* group : {&splits_[static_cast<size_t>(clip.split)], &languages_[clip.language],
                         &sources_[clip.source], &speakers_[clip.speaker]}) {
      ++group->clips;
      group->seconds += clip.seconds;
    }
    if (!clip.licence.empty()) sources_[clip.source].licences.insert(clip.licence);
    trimmed_s_ += clip.trimmed_s;
    narrow_ += clip.bandwidth_hz < kNarrowHz ? 1 : 0;
    seconds_.add(clip.seconds);
    rate_.add(clip.characters_per_second);
    loudness_.add(clip.loudness_lufs);
    noise_.add(clip.noise_distance_db);
    if (clip.split != Split::kTrain) return;
    text_ids_ += clip.text_ids;
    frames_ += static_cast<uint64_t>(clip.frames);
    elements_ += clip.text_ids + 4 * static_cast<uint64_t>(clip.frames) + kElementsBesides;
  }

  void add_reject(const Json& line) {
    ++rejected_;
    const auto text = [&](const char* key) {
      const auto found = line.find(key);
      return found != line.end() && found->is_string() ? found->get<std::string>() : std::string();
    };
    const auto known = reject_from_name(text("reason"));
    if (!known) throw Error(ErrorCode::kBadInput, "rejects.jsonl: no reason ", text("reason"));
    for (Group* group :
         {&sources_[text("source")], &speakers_[text("speaker")], &languages_[text("language")]}) {
      ++group->rejected;
      group->errors += is_record_error(*known) ? 1 : 0;
    }
    Reason& reason = reasons_[text("reason")];
    ++reason.records;
    Json example = {{"audio", text("audio")}};
    for (const char* key : {"value", "detail", "source"}) {
      if (line.contains(key)) example[key] = line[key];
    }
    reason.worst.push_back(std::move(example));
    if (reason.worst.size() < 2 * kMostExamples) return;
    keep_worst(reason.worst);
  }

  static void keep_worst(std::vector<Json>& examples) {
    std::stable_sort(examples.begin(), examples.end(), [](const Json& a, const Json& b) {
      return a.value("value", 0.0) > b.value("value", 0.0);
    });
    examples.resize(std::min(examples.size(), kMostExamples));
  }

  Json reasons_json() const {
    std::vector<std::pair<std::string, Reason>> sorted(reasons_.begin(), reasons_.end());
    std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
      return a.second.records > b.second.records;
    });
    Json list = Json::array();
    for (auto& [name, reason] : sorted) {
      keep_worst(reason.worst);
      list.push_back({{"reason", name}, {"records", reason.records}, {"worst", reason.worst}});
    }
    return list;
  }

  static Json groups_json(const std::map<std::string, Group>& groups) {
    std::vector<std::pair<std::string, Group>> sorted(groups.begin(), groups.end());
    std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
      return a.second.seconds > b.second.seconds;
    });
    sorted.resize(std::min(sorted.size(), kMostNames));
    Json list = Json::array();
    for (const auto& [name, group] : sorted) {
      const auto records = static_cast<double>(group.clips + group.rejected);
      Json one = {{"name", name},
                  {"clips", group.clips},
                  {"hours", hours(group.seconds)},
                  {"rejected", group.rejected},
                  {"error_share", rounded(static_cast<double>(group.errors) / records, 4)}};
      if (!group.licences.empty()) one["licences"] = group.licences;
      list.push_back(std::move(one));
    }
    return list;
  }

  Json set_, lengths_;
  uint64_t clips_ = 0, rejected_ = 0, text_ids_ = 0, frames_ = 0, elements_ = 0, narrow_ = 0;
  double trimmed_s_ = 0;
  std::array<Group, 3> splits_{};
  std::map<std::string, Group> languages_, sources_, speakers_;
  std::map<std::string, Reason> reasons_;
  Histogram seconds_{0, 1, 41}, rate_{0, 1, 40}, loudness_{-70, 2, 40}, noise_{0, 2, 50};
};

}  // namespace

Json read_report(const fs::path& folder) { return Report(folder).json(); }

std::map<std::string, std::string> make_report(const fs::path& folder) {
  const Json report = read_report(folder);
  return {{"report.json", dump_json(report, 2) + "\n"}, {"report.html", report_page(report)}};
}

}  // namespace kani
