// manifest_json.cc - a manifest of JSON objects, one a line.
#include "kani/base/error.h"
#include "kani/base/json.h"
#include "kani/dataset/manifest_parts.h"

namespace kani {
namespace {

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
        refuse(concat("hold ", printable(code.dump(), 20), ", which is no code"));
      record.codes[t * books + k] = code.get<int32_t>();
    }
  }
  record.codebooks = static_cast<int>(books);
}

}  // namespace

void read_json_record(std::string_view json, std::string_view name, SourceRecord& record) {
  const Json object = parse_json(json, name, {.depth = 16, .values = 100'000});
  if (!object.is_object()) throw Error(ErrorCode::kBadInput, name, ": no JSON object");
  RecordTimes times;
  for (const auto& [key, value] : object.items()) {
    if (key == "codes" && !value.is_null()) {
      read_codes(value, name, record);
      continue;
    }
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
