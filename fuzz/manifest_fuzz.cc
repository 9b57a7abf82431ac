// manifest_fuzz.cc - C1: bytes as a manifest of recordings.  The first byte says which form: 'j'
// JSON lines, 't' TSV, else CSV (LJSpeech's among them).  Refused with kani::Error or records, at
// most one a line, the same each time, whose times are numbers.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "kani/base/error.h"
#include "kani/base/utf8.h"
#include "kani/dataset/manifest_parts.h"

namespace {

void expect(bool holds) {
  if (!holds) std::abort();
}

std::vector<kani::SourceRecord> read(char form, std::string_view text) {
  if (form == 'j') return kani::read_json_lines(text, "fuzz");
  return kani::read_table(text, "fuzz", /*tabs=*/form == 't');
}

bool same(const kani::SourceRecord& a, const kani::SourceRecord& b) {
  return a.audio == b.audio && a.text == b.text && a.language == b.language &&
         a.speaker == b.speaker && a.source == b.source && a.licence == b.licence &&
         a.start_s == b.start_s && a.end_s == b.end_s &&
         a.problem.has_value() == b.problem.has_value();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (input.empty()) return 0;
  const std::string_view text = kani::without_mark(input.substr(1));
  try {
    const std::vector<kani::SourceRecord> records = read(input[0], text);
    const auto lines = static_cast<size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
    expect(records.size() <= lines);
    const std::vector<kani::SourceRecord> again = read(input[0], text);
    expect(again.size() == records.size());
    for (size_t i = 0; i < records.size(); ++i) {
      expect(same(records[i], again[i]));
      expect(std::isfinite(records[i].start_s) && std::isfinite(records[i].end_s));
      kani::SourceRecord named = records[i];
      kani::check_names(named);
      expect(!kani::find_invalid_utf8(
          kani::concat(named.audio, named.language, named.speaker, named.source, named.licence)));
    }
  } catch (const kani::Error&) {
  }
  return 0;
}
