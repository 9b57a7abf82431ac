// page_parts.h - words and pieces of evaluation_page.cc; groups have the same names on a terminal.
#pragma once

#include <map>
#include <string>

#include "kani/base/json.h"

namespace kani {

/// 0.123 as "12.3 %".
std::string percent(double share);
/// "looping_sound" as "looping sound".
std::string fault_words(std::string name);
/// Of an entry of evaluation["groups"]: "all", "set news".
std::string group_name(const Json& group);
/// One entry of evaluation["utterances"], judged.
std::string page_utterance(const Json& utterance,
                           const std::map<std::string, std::string>& pictures);

}  // namespace kani
