// help.cc - see help.h.  CLI11's own formatter does not wrap lines and shows names and defaults in
// one lump.
#include "apps/kani/help.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "apps/kani/other_programs.h"
#include "apps/kani/program.h"
#include "kani/base/utf8.h"

namespace kani::cli {
namespace {

constexpr size_t kColumns = 80;
constexpr size_t kIndent = 30;

/// Appends `text` word by word, beginning at `column`; new lines start at kIndent.
void append_wrapped(std::string& out, size_t column, std::string_view text) {
  bool first = true;
  while (!text.empty()) {
    const size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    const size_t width = utf8_length(word);
    if (!first && column + 1 + width > kColumns) {
      out += "\n" + std::string(kIndent, ' ');
      column = kIndent;
    } else if (!first) {
      out += ' ';
      ++column;
    }
    out += word;
    column += width;
    first = false;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  out += '\n';
}

/// "  left side      right side, wrapped".
void append_row(std::string& out, std::string_view left, std::string_view right) {
  out += "  ";
  out += left;
  const size_t width = 2 + utf8_length(left);
  out += width + 2 > kIndent ? "\n" + std::string(kIndent, ' ') : std::string(kIndent - width, ' ');
  append_wrapped(out, kIndent, right);
}

std::string flag_names(const CLI::Option& option) {
  std::string names;
  for (const std::string& name : option.get_snames()) names += (names.empty() ? "-" : ", -") + name;
  for (const std::string& name : option.get_lnames())
    names += (names.empty() ? "--" : ", --") + name;
  const bool takes_value = option.get_items_expected_max() > 0;
  return takes_value ? names + " " + option.get_type_name() : names;
}

std::string flag_description(const CLI::Option& option) {
  const std::string preset = option.get_default_str();
  return preset.empty() ? option.get_description() : option.get_description() + " [" + preset + "]";
}

}  // namespace

std::string command_help(const CommandEntry& entry) {
  const ParsedCommand parsed(entry);
  const CLI::App& app = parsed.app();
  std::string out = concat("kani ", entry.name, ": ", entry.summary, "\n\nusage: kani ", entry.name,
                           " [flags]", entry.synopsis.empty() ? "" : " ", entry.synopsis, "\n");
  std::vector<std::string> groups;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional()) continue;
    const std::string& group = option->get_group();
    if (std::find(groups.begin(), groups.end(), group) == groups.end()) groups.push_back(group);
  }
  // CLI11 puts --help first, which belongs to the messages at the end.
  std::rotate(groups.begin(), groups.begin() + 1, groups.end());
  for (const std::string& group : groups) {
    out += "\n" + group + "\n";
    for (const CLI::Option* option : app.get_options()) {
      if (option->get_positional() || option->get_group() != group) continue;
      append_row(out, flag_names(*option), flag_description(*option));
    }
  }
  out +=
      "\nEvery long flag has an environment variable (--top-p: KANI_TOP_P) and a key in\n"
      "kani.toml (top-p).\n";
  return out;
}

std::string program_help() {
  std::string out =
      "kani: text to speech\n\n"
      "usage: kani SUBCOMMAND [flags] [arguments]\n"
      "       kani say \"Good morning.\"\n\n"
      "Subcommands\n";
  for (const CommandEntry& entry : commands()) append_row(out, entry.name, entry.summary);
  for (const OtherProgram& program : other_programs())
    append_row(out, program.name, program.summary);
  out +=
      "\nFlags\n"
      "  -h, --help                  print this help and end\n"
      "      --version [--json]      print version and build and end\n\n"
      "kani help SUBCOMMAND tells the flags of one; the manual page is kani(1).\n";
  return out;
}

namespace {

class HelpCommand : public Command {
 public:
  void define(FlagSet& flags) override {
    flags.positional("SUBCOMMAND", words_, "the subcommand to tell about", /*required=*/false);
  }

  int run(Context& context) override {
    std::string name;
    for (const std::string& word : words_) name += (name.empty() ? "" : " ") + word;
    if (name.empty()) {
      context.out.write(program_help());
      return 0;
    }
    const CommandEntry* entry = find_command(name);
    if (entry == nullptr && find_group(name) != nullptr) {
      std::string text;
      for (const CommandEntry& member : commands()) {
        if (member.name.starts_with(name + " "))
          text += (text.empty() ? "" : "\n") + command_help(member);
      }
      context.out.write(text);
      return 0;
    }
    if (entry == nullptr) {
      throw Error(ErrorCode::kInvalidArgument, "no subcommand ", printable(name))
          .with_hint("kani help lists the subcommands");
    }
    context.out.write(command_help(*entry));
    return 0;
  }

 private:
  std::vector<std::string> words_;
};

}  // namespace

std::unique_ptr<Command> make_help() { return std::make_unique<HelpCommand>(); }

}  // namespace kani::cli
