// manifest_json.cc - a manifest of JSON objects, one a line.
#include "kani/base/error.h"
#include "kani/base/json.h"
#include "kani/dataset/manifest_parts.h"

namespace kani {

void read_json_record(std::string_view json, std::string_view name, SourceRecord& record) {
  const Json object = parse_json(json, name, {.depth = 16, .values = 100'000});
  if (!object.is_object()) throw Error(ErrorCode::kBadInput, name, ": no JSON object");
  RecordTimes times;
  for (const auto& [key, value] : object.items()) {
    const ManifestField field = manifest_field(key);
    if (field == ManifestField::kNone || value.is_null()) continue;
    if (value.is_string()) {
      set_field(record, times, field, value.get_ref<const std::string&>());
    } else if (value.is_number()) {
      // Speakers are often numbers.
      set_field(record, times, field, value.dump());
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
