// ranges.cc - see ranges.h.
#include "apps/kani/ranges.h"

#include <algorithm>

#include "apps/kani/flags.h"

namespace kani::cli {
namespace {

constexpr size_t kMaxNumbers = 64;

/// One part between commas: N, A-B, A-B+STEP, A-B*FACTOR.
void append_part(std::vector<int>& out, std::string_view flag, std::string_view part, int low,
                 int high) {
  const size_t dash = part.find('-');
  if (dash == std::string_view::npos) {
    out.push_back(static_cast<int>(integer_in(flag, part, low, high)));
    return;
  }
  const size_t by = part.find_first_of("+*", dash);
  const int64_t first = integer_in(flag, part.substr(0, dash), low, high);
  const int64_t last = integer_in(
      flag, part.substr(dash + 1, by == std::string_view::npos ? by : by - dash - 1), low, high);
  require(first <= last, flag, ": ", printable(part, 40), " goes down, expected first-last");
  const bool times = by != std::string_view::npos && part[by] == '*';
  const int64_t step =
      by == std::string_view::npos ? 1 : integer_in(flag, part.substr(by + 1), times ? 2 : 1, high);
  require(!times || first > 0, flag, ": ", printable(part, 40),
          " never grows, expected to begin above 0");
  for (int64_t value = first; value <= last; value = times ? value * step : value + step) {
    require(out.size() < kMaxNumbers, flag, " has more than ", kMaxNumbers, " numbers");
    out.push_back(static_cast<int>(value));
  }
}

}  // namespace

std::vector<int> parse_ranges(std::string_view flag, std::string_view text, int low, int high) {
  std::vector<int> out;
  size_t begin = 0;
  while (begin <= text.size()) {
    const size_t end = std::min(text.find(',', begin), text.size());
    append_part(out, flag, text.substr(begin, end - begin), low, high);
    begin = end + 1;
  }
  require(out.size() <= kMaxNumbers, flag, " has more than ", kMaxNumbers, " numbers");
  return out;
}

}  // namespace kani::cli
