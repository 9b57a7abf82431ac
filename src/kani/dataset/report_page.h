// report_page.h - the report of a set as one page: nothing is loaded from anywhere, no script, and
// it is readable on a telephone and in the dark.
#pragma once

#include <string>
#include <string_view>

#include "kani/base/json.h"

namespace kani {

/// `report` as set_report.h makes it.
std::string report_page(const Json& report);

/// A histogram as inline SVG.  `histogram` has from, step and counts.
std::string histogram_svg(const Json& histogram, std::string_view title, std::string_view unit);

/// "8.2 s", "12.5 min", "3.2 h", "1,234 h"
std::string length_text(double hours);

/// 1,234,567
std::string grouped(uint64_t number);

}  // namespace kani
