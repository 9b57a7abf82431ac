// parameters.h - a model's parameters as all of the trainer passes them around.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "kani/train/torch.h"

namespace kani::train {

/// Parameters by name, in the order of the file.
using ParameterMap = std::map<std::string, at::Tensor, std::less<>>;

}  // namespace kani::train
