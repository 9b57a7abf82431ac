// run_state.cc - see run_state.h.
#include "kani/train/run_state.h"

#include "kani/base/error.h"
#include "kani/base/json.h"

namespace kani::train {

std::string state_text(const RunState& s) {
  return Json{{"format", "kani-train-state"},
              {"version", 1},
              {"update", s.update},
              {"epoch", s.epoch},
              {"row", s.row},
              {"elements", s.elements},
              {"skipped", s.skipped},
              {"skipped_in_row", s.skipped_in_row},
              {"recent_norms", s.recent_norms},
              {"recent_losses", s.recent_losses},
              {"best_loss", s.best_loss ? Json(*s.best_loss) : Json()},
              {"best_update", s.best_update},
              {"data_hash", s.data_hash},
              {"valid_hash", s.valid_hash},
              {"base_hash", s.base_hash},
              {"config_hash", s.config_hash},
              {"program", s.program}}
             .dump(2) +
         "\n";
}

RunState parse_state(std::string_view text, std::string_view source) {
  const Json json = parse_json(text, source);
  const auto refuse = [&](const auto&... what) {
    throw Error(ErrorCode::kBadInput, source, ": ", what...);
  };
  const auto value = [&](const char* key) {
    const auto found = json.find(key);
    return found == json.end() ? Json() : *found;
  };
  if (!json.is_object() || value("format") != "kani-train-state" || value("version") != 1)
    refuse("is no state of a training run that this program knows");
  const auto number = [&](const char* key) {
    const Json found = value(key);
    // Above 2^63 a number is unsigned and no int64_t.
    if (!found.is_number_integer() || found < 0 || found > INT64_MAX)
      refuse(key, " is missing or no number of 0 or more");
    return found.get<int64_t>();
  };
  const auto numbers = [&](const char* key) {
    std::vector<double> out;
    const Json list = value(key);
    if (!list.is_null() && !list.is_array()) refuse(key, " is no list");
    for (const Json& one : list) {
      if (!one.is_number()) refuse(key, " holds something that is no number");
      out.push_back(one.get<double>());
    }
    return out;
  };
  const auto word = [&](const char* key) {  // older programs did not write all of them
    const Json found = value(key);
    if (!found.is_null() && !found.is_string()) refuse(key, " is no text");
    return found.is_null() ? std::string() : found.get<std::string>();
  };
  RunState s;
  s.update = number("update");
  s.epoch = number("epoch");
  s.row = number("row");
  s.elements = number("elements");
  s.skipped = number("skipped");
  s.skipped_in_row = number("skipped_in_row");
  s.recent_norms = numbers("recent_norms");
  s.recent_losses = numbers("recent_losses");
  if (const Json best = value("best_loss"); best.is_number()) {
    s.best_loss = best.get<double>();
    s.best_update = number("best_update");
  } else if (!best.is_null()) {
    refuse("best_loss is no number");
  }
  s.data_hash = word("data_hash");
  s.valid_hash = word("valid_hash");
  s.base_hash = word("base_hash");
  s.config_hash = word("config_hash");
  s.program = word("program");
  return s;
}

}  // namespace kani::train
