// quantity.h - a number with what belongs to it: sign, currency, unit, magnitude, ordinal suffix,
// the noun behind it, a second number to which it reaches.
#pragma once

#include "kani/text/scan.h"

namespace kani {

/// "-5 °C", "$3.50", "5 Mio. €", "10-20 km", "3rd", "1980s", "50 %", "3. Mai", "2024年", "7".
/// Begins at a digit, a sign or a currency.  `attached`: a letter stands directly before ("A4",
/// "mp3"): then only the number itself is taken.
Match match_quantity(const Scan& scan, bool attached);

/// Whether a quantity can begin with this code point.
bool begins_quantity(const Scan& scan, size_t at);

}  // namespace kani
