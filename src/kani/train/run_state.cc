// run_state.cc - see run_state.h.
#include "kani/train/run_state.h"

#include "kani/base/json.h"
#include "kani/train/state_fields.h"

namespace kani::train {
namespace {

constexpr const char* kFormat = "kani-train-state";
constexpr int kVersion = 1;

}  // namespace

std::string state_text(const RunState& s) {
  return dump_json(Json{{"format", kFormat},
                        {"version", kVersion},
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
                        {"program", s.program}},
                   2) +
         "\n";
}

RunState parse_state(std::string_view text, std::string_view source) {
  const StateFields fields(text, source, "state of a training run");
  fields.require_format(kFormat, kVersion);
  RunState s;
  s.update = fields.number("update");
  s.epoch = fields.number("epoch");
  s.row = fields.number("row");
  s.elements = fields.number("elements");
  s.skipped = fields.number("skipped");
  s.skipped_in_row = fields.number("skipped_in_row");
  s.recent_norms = fields.reals("recent_norms");
  s.recent_losses = fields.reals("recent_losses");
  s.best_loss = fields.real("best_loss");
  if (s.best_loss) s.best_update = fields.number("best_update");
  s.data_hash = fields.word("data_hash");  // older programs did not write all of these
  s.valid_hash = fields.word("valid_hash");
  s.base_hash = fields.word("base_hash");
  s.config_hash = fields.word("config_hash");
  s.program = fields.word("program");
  return s;
}

}  // namespace kani::train
