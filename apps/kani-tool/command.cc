// command.cc - see command.h.
#include "command.h"

#include <CLI/CLI.hpp>
#include <cstdint>
#include <filesystem>
#include <optional>

namespace kani::tool {

Command::Command(CLI::App& app, const char* name, const char* help)
    : app_(app.add_subcommand(name, help)) {}

template <class T>
void Command::need(const char* names, T& target, const char* help) {
  app_->add_option(names, target, help)->required();
}

template <class T>
void Command::take(const char* names, T& target, const char* help) {
  app_->add_option(names, target, help);
}

void Command::toggle(const char* names, bool& target, const char* help) {
  app_->add_flag(names, target, help);
}

void Command::choice(const char* names, std::string& target, std::vector<std::string> choices,
                     const char* help) {
  app_->add_option(names, target, help)->check(CLI::IsMember(std::move(choices)));
}

void Command::runs(Action& action, Action what) {
  app_->callback([&action, what = std::move(what)] { action = what; });
}

using std::filesystem::path;
template void Command::need(const char*, path&, const char*);
template void Command::need(const char*, std::vector<path>&, const char*);
template void Command::take(const char*, path&, const char*);
template void Command::take(const char*, std::string&, const char*);
template void Command::take(const char*, int&, const char*);
template void Command::take(const char*, uint64_t&, const char*);
template void Command::take(const char*, double&, const char*);
template void Command::take(const char*, std::optional<double>&, const char*);
template void Command::take(const char*, std::optional<bool>&, const char*);

}  // namespace kani::tool
