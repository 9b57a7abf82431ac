// manifest_json.cc - a manifest of JSON objects, one a line.
#include <cmath>

#include "kani/base/error.h"
#include "kani/base/json.h"
#include "kani/dataset/manifest_parts.h"

namespace kani {
namespace {

constexpr size_t kMostSegments = 200'000;  // words of a day
constexpr double kMostSegmentSeconds = 24 * 3600;

// A list for each codebook becomes frames.
void read_codes(const Json& lists, std::string_view name, SourceRecord& record) {
  const auto refuse = [&](const std::string& what) {
    throw Error(ErrorCode::kBadInput, name, ": codes ", what);
  };
  if (!lists.is_array() || lists.empty()) refuse("must be a list for each codebook");
  const size_t books = lists.size(), frames = lists[0].is_array() ? lists[0].size() : 0;
  if (frames == 0) refuse("must be lists of numbers");
  record.codes.resize(books * frames);
  for (size_t k = 0; k < books; ++k) {
    if (!lists[k].is_array() || lists[k].size() != frames) refuse("differ in length");
    for (size_t t = 0; t < frames; ++t) {
      const Json& code = lists[k][t];
      if (!code.is_number_integer() || code < 0 || code > 1'000'000)
        refuse(concat("hold ", printable(dump_json(code), 20), ", which is no code"));
      record.codes[t * books + k] = code.get<int32_t>();
    }
  }
  record.codebooks = static_cast<int>(books);
}

/// What is wrong with one of the list, or nothing.
std::string read_segment(const Json& item, std::vector<TimedText>& segments) {
  if (!item.is_object()) return "is no object";
  TimedText one;
  for (const auto& [key, seconds] : {std::pair{"start", &one.start_s}, {"end", &one.end_s}}) {
    const auto at = item.find(key);
    if (at == item.end() || !at->is_number()) return concat("has no number ", key);
    *seconds = at->get<double>();
    if (!(*seconds >= 0 && *seconds <= kMostSegmentSeconds))
      return concat(key, " is ", printable(at->dump(), 30), ", expected seconds of a day");
  }
  if (one.end_s < one.start_s) return "ends before it starts";
  if (!segments.empty() && one.start_s < segments.back().start_s)
    return "starts before the one in front of it";
  const auto text = item.contains("text") ? item.find("text") : item.find("word");
  if (text == item.end() || !text->is_string()) return "has no text";
  one.text = text->get<std::string>();
  segments.push_back(std::move(one));
  return {};
}

void read_segments(const Json& list, const std::string& key, SourceRecord& record) {
  if (!list.is_array() || list.empty() || list.size() > kMostSegments) {
    record.segments_fault =
        concat(key, " must be a list of 1 to ", kMostSegments, " {start, end, text}");
    return;
  }
  for (size_t i = 0; i < list.size() && record.segments_fault.empty(); ++i) {
    const std::string fault = read_segment(list[i], record.segments);
    if (!fault.empty()) record.segments_fault = concat(key, " ", i + 1, " ", fault);
  }
  if (!record.segments_fault.empty()) record.segments.clear();
}

}  // namespace

void read_json_record(std::string_view json, std::string_view name, SourceRecord& record) {
  const Json object = parse_json(json, name, {.depth = 16, .values = 2'000'000});
  if (!object.is_object()) throw Error(ErrorCode::kBadInput, name, ": no JSON object");
  RecordTimes times;
  for (const auto& [key, value] : object.items()) {
    if (key == "codes" && !value.is_null()) {
      read_codes(value, name, record);
      continue;
    }
    if (key == "segments" || (key == "words" && !object.contains("segments"))) {
      if (!value.is_null()) read_segments(value, key, record);
      continue;
    }
    const ManifestField field = manifest_field(key);
    if (field == ManifestField::kNone || value.is_null()) continue;
    if (value.is_string()) {
      set_field(record, times, field, value.get_ref<const std::string&>());
    } else if (value.is_number()) {
      // Speakers are often numbers.
      set_field(record, times, field, dump_json(value));
    } else {
      throw Error(ErrorCode::kBadInput, name, ": ", key, " is ", value.type_name(),
                  ", expected a string or a number");
    }
  }
  finish_times(record, times);
}

std::vector<SourceRecord> read_json_lines(std::string_view text, std::string_view name) {
  std::vector<SourceRecord> records;
  for (size_t line = 1; !text.empty(); ++line) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view content = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (content.empty()) continue;
    SourceRecord record;
    try {
      read_json_record(content, concat(name, ": line ", line), record);
    } catch (const Error& error) {
      record.problem = Reject{RejectReason::kManifest, {}, error.what()};
    }
    records.push_back(std::move(record));
  }
  return records;
}

}  // namespace kani
