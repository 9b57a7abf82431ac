// steps_flag.h - what --steps takes, the same for all that kani-train trains.
#pragma once

#include <string>

#include "kani/base/error.h"

namespace kani::train {

/// What is wrong with a number of updates, or nothing.
inline std::string check_steps(const std::string& text) {
  const bool digits =
      !text.empty() && text.size() <= 18 && text.find_first_not_of("0123456789") == text.npos;
  if (digits && text.find_first_not_of('0') != text.npos) return "";
  return concat("is \"", text, "\", must be a whole number of 1 or more");
}

}  // namespace kani::train
