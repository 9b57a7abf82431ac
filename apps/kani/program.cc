// program.cc - see program.h.
#include "apps/kani/program.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <new>
#include <numeric>

#include "apps/kani/help.h"
#include "apps/kani/json_text.h"
#include "apps/kani/other_programs.h"
#include "apps/kani/settings.h"
#include "apps/kani/signals.h"
#include "apps/kani/version.h"

namespace kani::cli {
namespace {

// Subcommands of the full program that come with later parts of it.
constexpr std::string_view kLater[] = {"serve", "pull", "book"};

size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i + 1;
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

/// "did you mean --voice" if a flag is nearly the one that was written.
std::string nearest_flag(const CLI::App& app, std::string_view written) {
  written = written.substr(0, written.find('='));
  size_t best = 3;
  std::string hint;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      const size_t distance = edit_distance(written, "--" + name);
      if (distance >= best) continue;
      best = distance;
      hint = "did you mean --" + name;
    }
  }
  return hint;
}

Error usage_error(const CommandEntry& entry, const std::string& what, std::string hint = {}) {
  if (hint.empty()) hint = concat("kani ", entry.name, " --help lists the flags");
  return Error(ErrorCode::kInvalidArgument, what, " (kani ", entry.name, ")")
      .with_hint(std::move(hint));
}

Error unexpected_argument(const CommandEntry& entry, const CLI::App& app) {
  const std::vector<std::string> remaining = app.remaining();
  const std::string first = remaining.empty() ? std::string() : remaining.front();
  if (!first.starts_with('-'))
    return usage_error(entry, concat("unexpected argument ", printable(first)));
  return usage_error(entry, concat("unknown flag ", printable(first)), nearest_flag(app, first));
}

/// CLI11's messages in the words of this program.
Error translate(const CommandEntry& entry, const CLI::App& app, const CLI::ParseError& error) {
  const std::string text = error.what();
  const std::string first_word = text.substr(0, text.find_first_of(": "));
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr)
    return unexpected_argument(entry, app);
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr) {
    return usage_error(entry, first_word + " needs a value");
  }
  if (dynamic_cast<const CLI::RequiredError*>(&error) != nullptr) {
    return usage_error(entry, "argument " + first_word + " is missing");
  }
  if (dynamic_cast<const CLI::ExcludesError*>(&error) != nullptr) {
    const std::string other = text.substr(text.rfind(' ') + 1);
    return usage_error(entry, concat(first_word, " and ", other, " exclude each other"));
  }
  // What is left are switches with a value: "Could not convert: --stream = maybe".
  const size_t flag = std::min(text.find("--"), text.size());
  return usage_error(
      entry, text.substr(flag, text.find(' ', flag) - flag) + " takes no value but true or false");
}

bool asks_for_json(const std::vector<std::string>& arguments) {
  const auto end = std::find(arguments.begin(), arguments.end(), "--");
  return std::any_of(arguments.begin(), end, [](const std::string& argument) {
    return argument == "--json" || argument == "--jsonl";
  });
}

/// The entry whose name the arguments begin with; the name is taken off them.
const CommandEntry& take_command(std::vector<std::string>& arguments) {
  const std::string first = arguments.empty() ? "" : arguments[0];
  if (arguments.size() > 1) {
    if (const CommandEntry* entry = find_command(first + " " + arguments[1])) {
      arguments.erase(arguments.begin(), arguments.begin() + 2);
      return *entry;
    }
  }
  if (const CommandEntry* entry = find_command(first)) {
    arguments.erase(arguments.begin());
    return *entry;
  }
  const std::string hint = "kani --help lists the subcommands";
  if (first.empty())
    throw Error(ErrorCode::kInvalidArgument, "no subcommand given").with_hint(hint);
  if (std::find(std::begin(kLater), std::end(kLater), first) != std::end(kLater)) {
    throw Error(ErrorCode::kInvalidArgument, "kani ", first, " is not available in this build")
        .with_hint(hint);
  }
  if (find_group(first) != nullptr) {
    throw Error(ErrorCode::kInvalidArgument, "kani ", first, " needs ", second_words(first))
        .with_hint(hint);
  }
  throw Error(ErrorCode::kInvalidArgument,
              first.starts_with('-') ? "unknown flag " : "unknown subcommand ", printable(first))
      .with_hint("kani say \"some text\" speaks; " + hint);
}

struct Session {
  Console console;
  StandardOutput out;
  std::unique_ptr<LogOutput> log;
  ErrorPrinter errors{console, false};
};

int run_command(Session& session, std::vector<std::string> arguments) {
  const CommandEntry& entry = take_command(arguments);
  ParsedCommand parsed(entry);
  if (!parsed.parse(std::move(arguments))) {
    session.out.write(command_help(entry));
    return 0;
  }
  Command& command = parsed.command();
  const ConfigFile config = read_config(command.common.config);
  std::vector<Setting> settings = apply_settings(parsed.app(), entry.name, config);
  if (command.common.json_lines) command.common.json = true;
  session.errors.set_json(command.common.json);
  session.console.set_colours(command.common.colours());
  session.log = std::make_unique<LogOutput>(command.common.log(), session.console);
  session.errors.set_log(session.log.get());
  warn_unknown_keys(config);
  Context context{session.console, session.out, session.errors, std::move(settings)};
  return command.run(context);
}

/// `kani data …` and `kani help data`; returns if it is neither.
void try_other_program(const std::vector<std::string>& arguments) {
  const auto word = [&](size_t index) -> std::string_view {
    return index < arguments.size() ? std::string_view(arguments[index]) : std::string_view();
  };
  if (const OtherProgram* program = find_other_program(word(0)))
    become(*program, {arguments.begin() + 1, arguments.end()});
  if (word(0) != "help" || arguments.size() != 2) return;
  if (const OtherProgram* program = find_other_program(word(1))) become(*program, {"--help"});
}

int dispatch(Session& session, std::vector<std::string> arguments) {
  try_other_program(arguments);
  arguments = rewrite_arguments(std::move(arguments));
  session.errors.set_json(asks_for_json(arguments));
  if (!arguments.empty()) {
    if (arguments[0] == "--help" || arguments[0] == "-h") {
      session.out.write(program_help());
      return 0;
    }
    const auto version = std::find(arguments.begin(), arguments.end(), "--version");
    if (version != arguments.end() && (version == arguments.begin() || arguments[0] == "--json")) {
      require(arguments.size() <= (asks_for_json(arguments) ? 2u : 1u),
              "--version takes --json and nothing else");
      print_version(session.out, asks_for_json(arguments));
      return 0;
    }
  }
  return run_command(session, std::move(arguments));
}

/// Prints what went wrong; the exit status.
int report(Session& session, const Error& error) {
  session.console.clear_bar();
  if (session.out.reader_left()) return 0;
  // After a signal other errors are its consequences: an interrupted call, a player that is gone.
  if (error.code() == ErrorCode::kCancelled || cancel_token().cancelled()) {
    session.errors.print(error_name(ErrorCode::kCancelled),
                         concat("interrupted (", cancel_signal_name(), ")"), {});
    return cancel_status();
  }
  session.errors.print(error_name(error.code()), error.what(), error.hint());
  return exit_status(error.code());
}

}  // namespace

ParsedCommand::ParsedCommand(const CommandEntry& entry)
    : entry_(entry),
      app_(std::make_unique<CLI::App>(std::string(entry.summary),
                                      "kani " + std::string(entry.name))),
      command_(entry.make()) {
  app_->set_help_flag("-h,--help", "print this help and end")->group("Messages and settings");
  FlagSet flags(*app_);
  command_->define(flags);
  define_common(flags, command_->common);
}

ParsedCommand::~ParsedCommand() = default;

bool ParsedCommand::parse(std::vector<std::string> arguments) {
  std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them from the end
  try {
    app_->parse(std::move(arguments));
  } catch (const CLI::CallForHelp&) {
    return false;
  } catch (const CLI::ParseError& error) {
    throw translate(entry_, *app_, error);
  }
  return true;
}

void ErrorPrinter::print(std::string_view code, std::string_view message, std::string_view hint) {
  const std::string line = printable(message, 2000);
  if (log_ != nullptr) log_->to_file(LogLevel::kError, "kani", line);
  if (json_) {
    Json error = {{"code", code}, {"message", line}};
    if (!hint.empty()) error["hint"] = hint;
    console_.line(json_line({{"error", std::move(error)}}));
    return;
  }
  console_.line(Tone::kError, "kani: error:", line);
  if (!hint.empty()) console_.line(Tone::kPlain, "hint:", printable(hint, 1000));
}

int run_program(std::vector<std::string> arguments) noexcept {
  Session session;
  try {
    return dispatch(session, std::move(arguments));
  } catch (const Error& error) {
    return report(session, error);
  } catch (const std::bad_alloc&) {
    return report(session, Error(ErrorCode::kOutOfMemory, "out of memory"));
  } catch (const std::exception& error) {
    return report(session, Error(ErrorCode::kInternal, "internal error: ", error.what()));
  } catch (...) {
    return report(session, Error(ErrorCode::kInternal, "internal error"));
  }
}

}  // namespace kani::cli
