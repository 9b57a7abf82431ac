// build_command.h - the commands `build` and `report` of the data program: flags to options, and
// what is told to people.
#pragma once

#include <cstdio>
#include <ostream>
#include <span>
#include <string>

#include "kani/base/cancel.h"

namespace kani {

/// build MANIFEST --model FOLDER --out FOLDER …; --help says the rest.  A summary goes to `out`,
/// progress and warnings to stderr.  Throws Error; Error(kCancelled) after an interruption, with a
/// hint that says how to go on.
void run_build(std::span<const std::string> args, const CancelToken& cancel, std::ostream& out);

/// report FOLDER: report.json and report.html of a finished set once more.  Throws Error.
void run_report(std::span<const std::string> args, std::ostream& out);

}  // namespace kani
