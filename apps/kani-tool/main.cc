// main.cc - kani-tool: parity, inspection and test models.  Exit statuses and messages:
// interfaces.md 1.3.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>
#include <new>

#include "kani/base/error.h"
#include "kani/base/log.h"
#include "tool.h"

namespace {

int fail(int status, const std::string& message, const std::string& hint = "") {
  std::fprintf(stderr, "kani-tool: error: %s\n", message.c_str());
  if (!hint.empty()) std::fprintf(stderr, "hint: %s\n", hint.c_str());
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("One step of the pipeline alone: numbers in, numbers out.", "kani-tool");
  app.require_subcommand(1);
  bool verbose = false;
  app.add_flag("-v,--verbose", verbose, "log lines on stderr");
  kani::tool::Action action;
  kani::tool::add_tokenize(app, action);
  kani::tool::add_logits(app, action);
  kani::tool::add_generate(app, action);
  kani::tool::add_decode(app, action);
  kani::tool::add_embed(app, action);
  kani::tool::add_encode(app, action);
  kani::tool::add_voice(app, action);
  kani::tool::add_random_model(app, action);
  kani::tool::add_train_tokenizer(app, action);
  kani::tool::add_inspect(app, action);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    return fail(2, error.what(), "kani-tool --help lists the commands and flags");
  }
  kani::set_log_sink(
      [](kani::LogLevel, std::string_view area, std::string_view message) {
        std::fprintf(stderr, "kani-tool: %.*s: %.*s\n", static_cast<int>(area.size()), area.data(),
                     static_cast<int>(message.size()), message.data());
      },
      verbose ? kani::LogLevel::kInfo : kani::LogLevel::kWarning);
  try {
    action();
    std::cout.flush();
    if (!std::cout) return fail(5, "cannot write to standard output");
    return 0;
  } catch (const kani::Error& error) {
    return fail(kani::exit_status(error.code()), error.what(), error.hint());
  } catch (const std::bad_alloc&) {
    return fail(1, "out of memory");
  } catch (const std::exception& error) {
    return fail(1, error.what());
  }
}
