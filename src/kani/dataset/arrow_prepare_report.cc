// arrow_prepare_report.cc - what became of all rows, for people and for programs; see
// arrow_prepare.h.
#include "kani/base/json.h"
#include "kani/dataset/arrow_prepare.h"

namespace kani {

uint64_t PrepareReport::kept() const {
  uint64_t sum = 0;
  for (const SourceReport& source : sources) sum += source.kept;
  return sum;
}

std::string PrepareReport::text() const {
  std::string out;
  for (const std::string& warning : warnings) out += concat("warning: ", warning, "\n");
  for (const SourceReport& source : sources) {
    out +=
        concat(source.name, ": ", source.kept, " of ", source.rows, " rows kept, ", source.too_long,
               " too long, ", source.left_out, " left out by max_len, ", source.faults.rows(),
               " bad, ", source.frames_dropped, " repeated frames dropped\n");
    for (const auto& [fault, entry] : source.faults.reasons)
      out += concat("  ", fault_name(fault), ": ", entry.rows, ", the first: ", entry.first, "\n");
  }
  out += concat(kept(), " clips\n");
  return out;
}

std::string PrepareReport::json() const {
  nlohmann::ordered_json json;
  json["clips"] = kept();
  json["warnings"] = warnings;
  json["sources"] = nlohmann::ordered_json::array();
  for (const SourceReport& source : sources) {
    nlohmann::ordered_json one;
    one["name"] = source.name;
    one["rows"] = source.rows;
    one["kept"] = source.kept;
    one["too_long"] = source.too_long;
    one["left_out"] = source.left_out;
    one["frames_dropped"] = source.frames_dropped;
    one["bad"] = nlohmann::ordered_json::object();
    for (const auto& [fault, entry] : source.faults.reasons) {
      one["bad"][std::string(fault_name(fault))] = {{"rows", entry.rows}, {"first", entry.first}};
    }
    json["sources"].push_back(one);
  }
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace kani
