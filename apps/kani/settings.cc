// settings.cc - see settings.h.
#include "apps/kani/settings.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <set>
#include <system_error>

#include "apps/kani/directories.h"
#include "apps/kani/program.h"
#include "kani/base/file.h"
#include "kani/base/log.h"

namespace kani::cli {
namespace {

constexpr uint64_t kMaxConfigBytes = 1 << 20;

/// Keys may be written with underscores, as in many TOML files.
std::string as_flag(std::string key) {
  std::replace(key.begin(), key.end(), '_', '-');
  return key;
}

/// Flags that belong to one call and not to a setting.
bool is_setting(const CLI::Option& option) {
  if (option.get_lnames().empty()) return false;
  const std::string& name = option.get_lnames().front();
  return name != "help" && name != "config";
}

std::set<std::string> long_names(const CLI::App& app) {
  std::set<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    if (is_setting(*option)) names.insert(option->get_lnames().begin(), option->get_lnames().end());
  }
  return names;
}

struct Source {
  Origin origin = Origin::kDefault;
  std::string where;
  std::vector<std::string> values;
};

/// The entry of the command's own section, else the one before all sections.
const TomlEntry* find_entry(const ConfigFile& config, std::string_view command,
                            const CLI::Option& option) {
  const TomlEntry* found = nullptr;
  for (const TomlEntry& entry : config.entries) {
    const bool own = entry.section == command;
    if (!own && !entry.section.empty()) continue;
    const auto& names = option.get_lnames();
    if (std::find(names.begin(), names.end(), as_flag(entry.key)) == names.end()) continue;
    if (found == nullptr || own) found = &entry;
  }
  return found;
}

Source find_source(const ConfigFile& config, std::string_view command, const CLI::Option& option) {
  for (const std::string& name : option.get_lnames()) {
    const std::string variable = variable_name(name);
    std::string value = environment(variable);
    if (!value.empty()) return {Origin::kEnvironment, variable, {std::move(value)}};
  }
  if (const TomlEntry* entry = find_entry(config, command, option)) {
    return {Origin::kConfig, concat(config.path, ": line ", entry->line), entry->values};
  }
  return {};
}

/// As if the flag stood on the command line.
void give(CLI::Option& option, const Source& source) {
  const bool is_switch = option.get_items_expected_max() == 0;
  if (is_switch) {
    const std::string text = source.values.size() == 1 ? source.values[0] : "";
    const std::optional<bool> on = parse_switch(text);
    require(on.has_value(), "--", option.get_lnames().front(), " is ", printable(text, 40),
            ", expected true or false");
    if (!*on) return;
    option.add_result("true");
  } else {
    const bool list = option.get_multi_option_policy() == CLI::MultiOptionPolicy::TakeAll;
    require(list || source.values.size() == 1, "--", option.get_lnames().front(),
            " takes one value, found ", source.values.size());
    for (const std::string& value : source.values) option.add_result(value);
  }
  option.run_callback();
}

std::string shown_value(const CLI::Option& option) {
  if (option.count() == 0) return option.get_default_str();
  std::string text;
  for (const std::string& result : option.reduced_results())
    text += (text.empty() ? "" : ", ") + result;
  return text;
}

/// Applies one flag; `origins` holds the origin of every flag that has a value so far.
Setting apply_one(CLI::Option& option, const Source& source,
                  std::map<const CLI::Option*, Origin>& origins) {
  Setting setting;
  setting.flag = option.get_lnames().front();
  if (option.count() > 0) {
    setting.origin = Origin::kCommandLine;
  } else if (source.origin != Origin::kDefault) {
    for (const CLI::Option* other : option.get_excludes()) {
      const auto at = origins.find(other);
      if (at == origins.end()) continue;
      if (at->second != source.origin) return setting;  // the other one stands on a higher level
      throw Error(ErrorCode::kInvalidArgument, "--", setting.flag, " and ", other->get_name(),
                  " exclude each other (", source.where, ")");
    }
    try {
      give(option, source);
    } catch (const Error& error) {
      throw Error(error.code(), error.what(), " (", source.where, ")").with_hint(error.hint());
    } catch (const CLI::ParseError& error) {
      throw Error(ErrorCode::kInvalidArgument, error.what(), " (", source.where, ")");
    }
    if (option.count() > 0) {
      setting.origin = source.origin;
      setting.where = source.where;
    }
  }
  setting.value = shown_value(option);
  return setting;
}

}  // namespace

ConfigFile read_config(const std::string& named) {
  ConfigFile config;
  config.path = named.empty() ? environment("KANI_CONFIG") : named;
  if (config.path.empty()) {
    std::error_code error;
    const std::filesystem::path path = user_config_path();
    if (path.empty() || !std::filesystem::exists(path, error)) return config;
    config.path = path;
  }
  config.entries = parse_toml(read_file(config.path, kMaxConfigBytes), config.path.string());
  return config;
}

std::string variable_name(std::string_view flag) {
  std::string name = "KANI_";
  for (const char c : flag) {
    name += c == '-' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  }
  return name;
}

std::vector<Setting> apply_settings(CLI::App& app, std::string_view command,
                                    const ConfigFile& config) {
  std::map<const CLI::Option*, Origin> origins;
  const std::vector<CLI::Option*> options =
      app.get_options([](CLI::Option* option) { return is_setting(*option); });
  for (const CLI::Option* option : options) {
    if (option->count() > 0) origins[option] = Origin::kCommandLine;
  }
  std::map<const CLI::Option*, Source> sources;
  for (const CLI::Option* option : options) sources[option] = find_source(config, command, *option);
  std::map<const CLI::Option*, Setting> settings;
  // The environment first as a whole, so that it can shut out what the file says about an excluded
  // flag.
  for (const Origin level : {Origin::kEnvironment, Origin::kConfig}) {
    for (CLI::Option* option : options) {
      const Source& source = sources[option];
      if (source.origin != level || option->count() > 0) continue;
      Setting setting = apply_one(*option, source, origins);
      if (setting.origin != Origin::kDefault) origins[option] = setting.origin;
      settings[option] = std::move(setting);
    }
  }
  std::vector<Setting> all;
  for (CLI::Option* option : options) {
    const auto at = settings.find(option);
    all.push_back(at != settings.end() ? at->second : apply_one(*option, {}, origins));
  }
  return all;
}

void warn_unknown_keys(const ConfigFile& config) {
  if (config.entries.empty()) return;
  std::set<std::string> every;
  std::map<std::string, std::set<std::string>> of_command;
  for (const CommandEntry& entry : commands()) {
    const ParsedCommand command(entry);
    of_command[std::string(entry.name)] = long_names(command.app());
    every.merge(long_names(command.app()));
  }
  for (const TomlEntry& entry : config.entries) {
    const auto section = of_command.find(entry.section);
    if (!entry.section.empty() && section == of_command.end()) {
      log_warning("settings", config.path, ": line ", entry.line, ": unknown section ",
                  printable(entry.section));
      continue;
    }
    const std::set<std::string>& known = entry.section.empty() ? every : section->second;
    if (!known.contains(as_flag(entry.key))) {
      log_warning("settings", config.path, ": line ", entry.line, ": unknown key ",
                  printable(entry.key));
    }
  }
}

}  // namespace kani::cli
