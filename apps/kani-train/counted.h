// counted.h - numbers of things as people write them.
#pragma once

#include <concepts>
#include <string>

#include "kani/base/error.h"

namespace kani::train {

/// "1 clip", "2 clips".
std::string counted(std::integral auto count, const char* thing) {
  return concat(count, " ", thing, count == 1 ? "" : "s");
}

}  // namespace kani::train
