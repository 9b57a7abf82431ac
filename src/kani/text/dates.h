// dates.h - groups of digits that are no quantities: dates, times, telephone numbers, versions.
#pragma once

#include "kani/text/scan.h"

namespace kani {

/// 2024-03-15, 15.03.2024, 3/15/2024; the order of day and month with "/" and "-" is the language's
/// unless it is impossible.  A "T" before a time goes with the date.
Match match_date(const Scan& scan);

/// 10:30, 10:30:15, "5 pm", 10h30, "10.30 Uhr".
Match match_time(const Scan& scan);

/// +1 555-123-4567, (555) 123-4567, 555-1234, 030 1234567: digit by digit, groups apart.
Match match_phone(const Scan& scan);

/// 1.2.3, 192.168.1.1.
Match match_version(const Scan& scan);

/// How a language says the ordinal `day` at `at`: the word before may decide its ending.
std::string_view rules_after(const Scan& scan, size_t at, std::string_view otherwise);

}  // namespace kani
