// libraries.h - names and versions of the outside libraries that audio/ is linked with, for
// --version --json.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace kani {

std::vector<std::pair<std::string, std::string>> audio_libraries();

}  // namespace kani
