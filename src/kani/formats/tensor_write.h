// tensor_write.h - what every writer of tensors checks first.  Not a public header.
#pragma once

#include <span>

#include "kani/formats/safetensors.h"

namespace kani {

/// Throws Error(kInvalidArgument) for names that our own readers would refuse, doubled names, and
/// bytes that are not exactly shape x dtype.
void check_tensors_to_write(std::span<const TensorToWrite> tensors);

}  // namespace kani
