// program_version.h - which trainer this is: checkpoints say what wrote them, processes of one run
// must be the same.
#pragma once

#include <string>

namespace kani::train {

/// "0.1.0 (1f2e3d4c5b6a)": version and commit, "-dirty" if files differed from it.
std::string program_version();

}  // namespace kani::train
