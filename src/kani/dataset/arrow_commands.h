// arrow_commands.h - the commands of the data program that need Arrow: `prepare` and `convert`.
// The program calls them with what stands behind the command's name; there is no Arrow header here.
#pragma once

#include <ostream>
#include <span>
#include <string>

namespace kani {

/// prepare --config FILE --tokenizer FOLDER --out FOLDER …; --help says the rest.
/// Results go to `out`, one "error: …" line (and a hint) to `err`.  Returns the exit status
/// (base/error.h); never throws.
int run_prepare(std::span<const std::string> args, std::ostream& out, std::ostream& err);

/// convert INPUT OUTPUT --to shards|parquet|processed …; the same rules.
int run_convert(std::span<const std::string> args, std::ostream& out, std::ostream& err);

}  // namespace kani
