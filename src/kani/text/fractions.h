// fractions.h - "1/2", "3 1/2", "½".
#pragma once

#include "kani/text/scan.h"

namespace kani {

/// A fraction below one whose name the language knows, alone or behind a whole number; "24/7" and
/// "9/2" are none.
Match match_fraction(const Scan& scan);

}  // namespace kani
