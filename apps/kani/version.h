// version.h - kani --version [--json].
#pragma once

#include "apps/kani/standard_output.h"

namespace kani::cli {

void print_version(StandardOutput& out, bool json);

}  // namespace kani::cli
