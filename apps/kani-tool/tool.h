// tool.h - the commands of kani-tool, one function that adds each to the command line.  Source:
// spec parity.md.
#pragma once

#include "command.h"

namespace kani::tool {

void add_tokenize(CLI::App& app, Action& action);
void add_logits(CLI::App& app, Action& action);
void add_generate(CLI::App& app, Action& action);
void add_decode(CLI::App& app, Action& action);
void add_embed(CLI::App& app, Action& action);
void add_encode(CLI::App& app, Action& action);
void add_voice(CLI::App& app, Action& action);
void add_random_model(CLI::App& app, Action& action);
void add_train_tokenizer(CLI::App& app, Action& action);
void add_inspect(CLI::App& app, Action& action);

}  // namespace kani::tool
