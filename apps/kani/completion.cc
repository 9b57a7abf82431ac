// completion.cc - see completion.h.  The three shells get the same facts in their own languages.
#include "apps/kani/completion.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <vector>

#include "apps/kani/other_programs.h"
#include "apps/kani/program.h"

namespace kani::cli {
namespace {

/// What may follow: nothing (a switch), one of some words, a file, a folder, or anything.
enum class Follow { kNothing, kWords, kFile, kFolder, kAnything };

struct Flag {
  std::vector<std::string> shorts, longs;
  std::string help;
  Follow follow = Follow::kNothing;
  std::string words;  // separated by blanks
  bool repeats = false;
};

struct Completed {
  std::string name;
  std::string summary;
  std::vector<Flag> flags;
  Flag argument;  // what stands without a dash
};

std::string spaced(std::string text) {
  std::replace(text.begin(), text.end(), '|', ' ');
  return text;
}

void set_follow(Flag& flag, const std::string& value) {
  if (value.find('|') != std::string::npos) {
    flag.follow = Follow::kWords;
    flag.words = spaced(value);
  } else if (value == "FILE" || value == "PATH" || value == "VOICE") {
    flag.follow = Follow::kFile;
  } else if (value == "FOLDER" || value == "MODEL") {
    flag.follow = Follow::kFolder;
  } else {
    flag.follow = Follow::kAnything;
  }
}

std::vector<Completed> collect() {
  std::vector<Completed> all;
  for (const CommandEntry& entry : commands()) {
    const ParsedCommand parsed(entry);
    Completed command;
    command.name = entry.name;
    command.summary = entry.summary;
    for (const CLI::Option* option : parsed.app().get_options()) {
      Flag flag;
      flag.help = option->get_description();
      if (option->get_positional()) {
        // The synopsis knows more than the argument's name: bash|zsh|fish.
        const std::string synopsis(entry.synopsis);
        set_follow(flag, synopsis.find('|') != std::string::npos ? synopsis
                                                                 : option->get_name(true, false));
        command.argument = flag;
        continue;
      }
      flag.shorts = option->get_snames();
      flag.longs = option->get_lnames();
      flag.repeats = option->get_multi_option_policy() == CLI::MultiOptionPolicy::TakeAll;
      if (option->get_items_expected_max() > 0) set_follow(flag, option->get_type_name());
      command.flags.push_back(std::move(flag));
    }
    if (command.name == "help") {
      command.argument.follow = Follow::kWords;
      for (const CommandEntry& other : commands()) {
        if (other.name.find(' ') == std::string::npos)
          command.argument.words += concat(other.name, " ");
      }
      for (const CommandGroup& group : command_groups())
        command.argument.words += concat(group.name, " ");
      for (const OtherProgram& program : other_programs())
        command.argument.words += concat(program.name, " ");
    }
    all.push_back(std::move(command));
  }
  // Of these the flags are not known here, but most of their arguments are files.
  for (const OtherProgram& program : other_programs()) {
    Completed command;
    command.name = program.name;
    command.summary = program.summary;
    command.argument.follow = Follow::kFile;
    all.push_back(std::move(command));
  }
  return all;
}

/// First words of all subcommands, each once.
std::string first_words(const std::vector<Completed>& all) {
  std::string words;
  std::string last;
  for (const Completed& command : all) {
    const std::string word = command.name.substr(0, command.name.find(' '));
    if (word != last) words += (words.empty() ? "" : " ") + word;
    last = word;
  }
  return words;
}

/// What follows the first word, separated by blanks.
std::string group_words(std::string_view group) {
  std::string words;
  for (const CommandEntry& entry : commands()) {
    if (entry.name.starts_with(concat(group, " ")))
      words += concat(words.empty() ? "" : " ", entry.name.substr(group.size() + 1));
  }
  return words;
}

/// For people: of a group, or of the one subcommand with this name.
std::string summary_of(const std::string& first_word, const Completed& command) {
  const CommandGroup* group = find_group(first_word);
  return group == nullptr ? command.summary : std::string(group->summary);
}

std::string names(const Flag& flag, const char* separator) {
  std::string text;
  for (const std::string& name : flag.shorts)
    text += (text.empty() ? "-" : concat(separator, "-")) + name;
  for (const std::string& name : flag.longs)
    text += (text.empty() ? "--" : concat(separator, "--")) + name;
  return text;
}

std::string bash_reply(const Flag& flag) {
  switch (flag.follow) {
    case Follow::kWords:
      return "COMPREPLY=($(compgen -W '" + flag.words + "' -- \"$cur\"))";
    case Follow::kFile:
      return "compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- \"$cur\"))";
    case Follow::kFolder:
      return "compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -d -- \"$cur\"))";
    case Follow::kNothing:
    case Follow::kAnything:
      return "COMPREPLY=()";
  }
  return {};
}

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  for (size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size())
    text.replace(at, what.size(), with);
  return text;
}

/// Inside single quotes of sh, bash and zsh.
std::string quoted(const std::string& text) { return "'" + replaced(text, "'", "'\\''") + "'"; }

std::string zsh_action(const Flag& flag) {
  switch (flag.follow) {
    case Follow::kNothing:
      return {};
    case Follow::kWords:
      return ":value:(" + flag.words + ")";
    case Follow::kFile:
      return ":file:_files";
    case Follow::kFolder:
      return ":folder:_files -/";
    case Follow::kAnything:
      return ":value: ";
  }
  return {};
}

std::string zsh_flag(const Flag& flag) {
  // '(-o --output-file)'{-o,--output-file}'[what it does]:file:_files'
  std::string help = replaced(flag.help, "[", "\\[");
  help = replaced(replaced(help, "]", "\\]"), ":", "\\:");
  const std::string tail = quoted("[" + help + "]" + zsh_action(flag));
  const std::string group = flag.repeats ? "'*'" : quoted("(" + names(flag, " ") + ")");
  const bool single = flag.shorts.size() + flag.longs.size() == 1;
  return group + (single ? names(flag, ",") : "{" + names(flag, ",") + "}") + tail;
}

}  // namespace

std::string bash_completion() {
  const std::vector<Completed> all = collect();
  std::string out =
      "# bash completion of kani, made by `kani completion bash`.\n"
      "_kani() {\n"
      "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} "
      "name=${COMP_WORDS[1]}\n"
      "  COMPREPLY=()\n"
      "  [[ $prev == = ]] && prev=${COMP_WORDS[COMP_CWORD-2]}\n"
      "  [[ $cur == = ]] && cur= && prev=${COMP_WORDS[COMP_CWORD-1]}\n"
      "  if [[ $COMP_CWORD -eq 1 ]]; then\n"
      "    COMPREPLY=($(compgen -W '" +
      first_words(all) +
      " --help --version' -- \"$cur\"))\n"
      "    return\n"
      "  fi\n";
  for (const CommandGroup& group : command_groups()) {
    out += concat("  if [[ $name == ", group.name,
                  " ]]; then\n"
                  "    if [[ $COMP_CWORD -eq 2 ]]; then\n"
                  "      COMPREPLY=($(compgen -W '",
                  group_words(group.name),
                  "' -- \"$cur\"))\n"
                  "      return\n"
                  "    fi\n"
                  "    name=\"",
                  group.name, " ${COMP_WORDS[2]}\"\n  fi\n");
  }
  out += "  case $name in\n";
  for (const Completed& command : all) {
    std::string every;
    out += "    '" + command.name + "')\n      case $prev in\n";
    for (const Flag& flag : command.flags) {
      every += (every.empty() ? "" : " ") + names(flag, " ");
      if (flag.follow != Follow::kNothing)
        out += "        " + names(flag, "|") + ") " + bash_reply(flag) + "; return ;;\n";
    }
    out += "      esac\n      if [[ $cur == -* ]]; then\n        COMPREPLY=($(compgen -W '" +
           every + "' -- \"$cur\"))\n      else\n        " + bash_reply(command.argument) +
           "\n      fi ;;\n";
  }
  return out + "  esac\n}\ncomplete -F _kani kani\n";
}

std::string zsh_completion() {
  const std::vector<Completed> all = collect();
  std::string out =
      "#compdef kani\n"
      "# zsh completion of kani, made by `kani completion zsh`; put it into a file _kani of a "
      "folder of $fpath.\n"
      "_kani() {\n"
      "  local name=$words[2]\n"
      "  if (( CURRENT == 2 )); then\n"
      "    local -a commands\n"
      "    commands=(\n";
  std::string last;
  for (const Completed& command : all) {
    const std::string word = command.name.substr(0, command.name.find(' '));
    if (word != last)
      out += "      " + quoted(word + ":" + replaced(summary_of(word, command), ":", "\\:")) + "\n";
    last = word;
  }
  out +=
      "    )\n"
      "    _describe subcommand commands\n"
      "    return\n"
      "  fi\n";
  for (const CommandGroup& group : command_groups()) {
    out += concat("  if [[ $name == ", group.name,
                  " ]]; then\n"
                  "    if (( CURRENT == 3 )); then\n"
                  "      compadd ",
                  group_words(group.name),
                  "\n"
                  "      return\n"
                  "    fi\n"
                  "    name=\"",
                  group.name,
                  " $words[3]\"\n"
                  "    shift words; (( CURRENT-- ))\n"
                  "  fi\n");
  }
  out +=
      "  shift words; (( CURRENT-- ))\n"
      "  case $name in\n";
  for (const Completed& command : all) {
    out += "    '" + command.name + "')\n      _arguments -s -S";
    for (const Flag& flag : command.flags) out += " \\\n        " + zsh_flag(flag);
    if (command.argument.follow != Follow::kNothing)
      out += " \\\n        " + quoted("*" + zsh_action(command.argument));
    out += " ;;\n";
  }
  // As a file of $fpath this text is the function's first call; sourced it only registers it.
  return out +
         "  esac\n}\nif [[ $funcstack[1] == _kani ]]; then _kani \"$@\"; else compdef _kani kani; "
         "fi\n";
}

std::string fish_completion() {
  const std::vector<Completed> all = collect();
  std::string out =
      "# fish completion of kani, made by `kani completion fish`.\n"
      "function __kani_is\n"
      "    set -l words (commandline -opc)\n"
      "    test (count $words) -gt (count $argv); or return 1\n"
      "    set -l last (math 1 + (count $argv))\n"
      "    test \"$words[2..$last]\" = \"$argv\"\n"
      "end\n"
      "function __kani_needs_command\n"
      "    test (count (commandline -opc)) -eq 1\n"
      "end\n"
      "function __kani_needs_second\n"
      "    test (count (commandline -opc)) -eq 2; and __kani_is $argv\n"
      "end\n"
      "complete -c kani -f\n"
      "complete -c kani -n __kani_needs_command -l version -d 'print version and build and end'\n";
  const auto escaped = [](const std::string& text) {
    return "'" + replaced(replaced(text, "\\", "\\\\"), "'", "\\'") + "'";
  };
  std::string last;
  for (const Completed& command : all) {
    const std::string word = command.name.substr(0, command.name.find(' '));
    const std::string summary = summary_of(word, command);
    if (word != last)
      out +=
          "complete -c kani -n __kani_needs_command -a " + word + " -d " + escaped(summary) + "\n";
    last = word;
    const std::string condition = " -n '__kani_is " + command.name + "'";
    if (word != command.name) {
      out += "complete -c kani -n '__kani_needs_second " + word + "' -a " +
             command.name.substr(word.size() + 1) + " -d " + escaped(command.summary) + "\n";
    }
    for (const Flag& flag : command.flags) {
      out += "complete -c kani" + condition;
      for (const std::string& name : flag.shorts) out += " -s " + name;
      for (const std::string& name : flag.longs) out += " -l " + name;
      if (flag.follow == Follow::kWords) out += " -x -a " + escaped(flag.words);
      if (flag.follow == Follow::kFile) out += " -r -F";
      if (flag.follow == Follow::kFolder) out += " -x -a '(__fish_complete_directories)'";
      if (flag.follow == Follow::kAnything) out += " -x";
      out += " -d " + escaped(flag.help) + "\n";
    }
    const Flag& argument = command.argument;
    if (argument.follow == Follow::kWords)
      out += "complete -c kani" + condition + " -a " + escaped(argument.words) + "\n";
    if (argument.follow == Follow::kFile) out += "complete -c kani" + condition + " -F\n";
    if (argument.follow == Follow::kFolder)
      out += "complete -c kani" + condition + " -a '(__fish_complete_directories)'\n";
  }
  return out;
}

namespace {

class CompletionCommand : public Command {
 public:
  void define(FlagSet& flags) override {
    flags.positional("SHELL", shells_, "bash, zsh or fish", /*required=*/true);
  }

  int run(Context& context) override {
    require(shells_.size() == 1, "kani completion takes one shell, found ", shells_.size());
    const std::string& shell = shells_[0];
    require(shell == "bash" || shell == "zsh" || shell == "fish", "no completion for ",
            printable(shell, 40), ", expected bash, zsh or fish");
    context.out.write(shell == "bash"  ? bash_completion()
                      : shell == "zsh" ? zsh_completion()
                                       : fish_completion());
    return 0;
  }

 private:
  std::vector<std::string> shells_;
};

}  // namespace

std::unique_ptr<Command> make_completion() { return std::make_unique<CompletionCommand>(); }

}  // namespace kani::cli
