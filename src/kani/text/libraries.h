// libraries.h - names and versions of the outside libraries that text/ is linked with, for
// --version --json.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace kani {

std::vector<std::pair<std::string, std::string>> text_libraries();

}  // namespace kani
