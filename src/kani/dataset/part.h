// part.h - which of several machines this process is, as the flag or the launcher says.
// Source: training.md 16.4: flag, torchrun, Open MPI, PMI, Slurm, single.
#pragma once

#include <functional>
#include <string>

#include "kani/dataset/work_unit.h"

namespace kani {

/// "2/4" is the second of four.  Throws Error(kInvalidArgument).
Part parse_part(const std::string& text);

/// `look_up` gives a variable's value, nullptr if it is not set (std::getenv).  The first launcher
/// of which both variables are set counts.  Throws Error(kInvalidArgument) if they are no numbers
/// or the rank is not below the size.
Part part_from_environment(const std::function<const char*(const char*)>& look_up);

}  // namespace kani
