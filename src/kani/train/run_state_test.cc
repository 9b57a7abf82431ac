// run_state_test.cc - state.json of a checkpoint: read back as written, and what is wrong in it
// named.
#include "kani/train/run_state.h"

#include <gtest/gtest.h>

#include <string>

#include "kani/base/error.h"

namespace kani::train {
namespace {

RunState some_state() {
  RunState s;
  s.update = 7;
  s.epoch = 1;
  s.row = 3;
  s.elements = 4096;
  s.recent_norms = {1.5, 0.1};
  s.recent_losses = {3.25};
  s.best_loss = 3.5;
  s.best_update = 5;
  s.data_hash = "ab";
  s.program = "0.1.0";
  return s;
}

// The text with one value replaced, the message it is refused with; empty if it is taken.
std::string refusal(const std::string& from, const std::string& to) {
  std::string text = state_text(some_state());
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  if (at == std::string::npos) return "";
  text.replace(at, from.size(), to);
  try {
    parse_state(text, "state.json");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kBadInput);
    return error.what();
  }
  return "";
}

TEST(RunState, reads_what_it_writes) {
  const std::string text = state_text(some_state());
  const RunState again = parse_state(text, "state.json");
  EXPECT_EQ(again.best_loss, 3.5);
  EXPECT_EQ(again.recent_norms, (std::vector<double>{1.5, 0.1}));
  EXPECT_EQ(state_text(again), text);
}

TEST(RunState, refuses_wrong_types_by_name) {
  EXPECT_EQ(refusal("\"row\": 3", "\"row\": -3"),
            "state.json: row is missing or no number of 0 or more");
  EXPECT_EQ(refusal("\"row\": 3", "\"row\": 18446744073709551615"),
            "state.json: row is missing or no number of 0 or more");
  EXPECT_EQ(refusal("\"row\": 3", "\"other\": 3"),
            "state.json: row is missing or no number of 0 or more");
  EXPECT_EQ(refusal("\"data_hash\": \"ab\"", "\"data_hash\": 3"),
            "state.json: data_hash is no text");
  EXPECT_EQ(refusal("3.25", "\"x\""),
            "state.json: recent_losses holds something that is no number");
  EXPECT_EQ(refusal("\"best_loss\": 3.5", "\"best_loss\": true"),
            "state.json: best_loss is no number");
  EXPECT_EQ(refusal("\"kani-train-state\"", "3"),
            "state.json: is no state of a training run that this program knows");
  EXPECT_EQ(refusal("\"version\": 1", "\"version\": 2"),
            "state.json: is no state of a training run that this program knows");
}

}  // namespace
}  // namespace kani::train
