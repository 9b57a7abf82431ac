// name_parts.h - how keys of a configuration name parameters and tensors: by a part of the name, or
// by a pattern.  Not here: PEFT's rule for modules (lora.h).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "kani/train/parameters.h"

namespace kani::train {

/// Whether `pattern`, in which "*" stands for any text, is the whole of `name`.
bool name_fits(std::string_view pattern, std::string_view name);

/// Throws Error(kInvalidArgument) with `key`, the part and the word of a name that is nearest to
/// it, if one is like it, unless each of `parts` is in the name of a parameter.
void check_name_parts(const char* key, const std::vector<std::string>& parts,
                      const ParameterMap& parameters);

}  // namespace kani::train
