// ranges.h - lists of numbers as llama-bench writes them: 1,2,8-16, 0-30+10, 1-64*2.
// interfaces.md 2.5.
#pragma once

#include <string_view>
#include <vector>

namespace kani::cli {

/// Numbers from `low` to `high`, at most 64 of them.  Throws Error(kInvalidArgument) naming `flag`.
std::vector<int> parse_ranges(std::string_view flag, std::string_view text, int low, int high);

}  // namespace kani::cli
