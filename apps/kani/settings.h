// settings.h - values of flags that were not on the command line: environment, then kani.toml, then
// defaults. interfaces.md 1.4.  Not CLI11's own order, which puts the file before the environment.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "apps/kani/command.h"
#include "apps/kani/toml.h"

namespace kani::cli {

struct ConfigFile {
  std::filesystem::path path;  // empty = none was found
  std::vector<TomlEntry> entries;
};

/// --config, else KANI_CONFIG, else the user's kani.toml if it exists.  Throws Error(kNotFound) if
/// a file that was named is missing, Error(kBadInput) if it is no TOML.
ConfigFile read_config(const std::string& named);

/// "output-file" -> "KANI_OUTPUT_FILE".
std::string variable_name(std::string_view flag);

/// Gives every flag of `app` that the command line left alone its value from environment or file,
/// and tells where each value is from.  A flag that excludes one given on a higher level is left
/// alone.  Throws Error(kInvalidArgument).
std::vector<Setting> apply_settings(CLI::App& app, std::string_view command,
                                    const ConfigFile& config);

/// Logs a warning for each key that no subcommand knows, and each section that is no subcommand.
void warn_unknown_keys(const ConfigFile& config);

}  // namespace kani::cli
