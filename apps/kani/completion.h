// completion.h - completion scripts written from the flags' definitions, so that they cannot fall
// behind.
#pragma once

#include <string>

namespace kani::cli {

std::string bash_completion();
std::string zsh_completion();
std::string fish_completion();

}  // namespace kani::cli
