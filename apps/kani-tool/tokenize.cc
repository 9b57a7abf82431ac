// tokenize.cc - `kani-tool tokenize`: JSON strings on stdin, one a line, to JSON arrays of ids on
// stdout.
#include <iostream>

#include "kani/base/error.h"
#include "kani/engine/model.h"
#include "model.h"
#include "tool.h"

namespace kani::tool {
namespace {

struct Flags {
  std::filesystem::path model;
  std::string language;
  bool prompt = false, plain = false, upstream = false;
};

void run(const Flags& flags) {
  std::filesystem::path set;
  const bool bare = std::filesystem::exists(flags.model / "tokenizer.json");
  const std::filesystem::path folder = bare ? flags.model : find_language_model(flags.model, set);
  const Tokenizer tokenizer = Tokenizer::load(folder);
  const AddedTokens added = flags.plain ? AddedTokens::kPlainText : AddedTokens::kMatch;
  std::optional<Lfm2Config> config;  // the bare tokenizer needs none
  if (flags.prompt || !flags.language.empty()) config = load_config(folder, {});
  size_t number = 0;
  for (std::string line; std::getline(std::cin, line);) {
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    const Json json = parse_json(line, concat("line ", number));
    if (!json.is_string()) {
      throw Error(ErrorCode::kBadInput, "line ", number, ": expected a JSON string");
    }
    TaggedText text = json.get<std::string>();
    if (config) text = tagged_text(*config, text.text, flags.language);
    const std::vector<int32_t> ids =
        flags.prompt ? build_prompt(TokenLayout::of(*config), tokenizer, text, added,
                                    /*with_speech_start=*/!flags.upstream)
                     : encode(tokenizer, text, added);
    std::cout << dump_json(Json(ids)) << '\n';
  }
}

}  // namespace

void add_tokenize(CLI::App& app, Action& action) {
  Command command(app, "tokenize", "stdin: one JSON string a line; stdout: its ids");
  auto flags = std::make_shared<Flags>();
  command.need("-m,--model", flags->model, "folder with tokenizer.json");
  command.toggle("--prompt", flags->prompt,
                 "the whole prompt: SOH, text, END_OF_TEXT, EOH, SOA, SOS");
  command.toggle("--upstream-prompt", flags->upstream, "with --prompt: without SOA and SOS");
  command.take("--lang", flags->language, "language tag in front of the text");
  command.toggle("--no-added-tokens", flags->plain, "text never names control tokens");
  command.runs(action, [flags] { run(*flags); });
}

}  // namespace kani::tool
