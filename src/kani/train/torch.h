// torch.h - the door to LibTorch: tensors and operators.  Only files of train/ include it.
// Compiling it costs ten seconds a file, so few files do, and no header of other folders is behind
// it. Not here: operators with derivatives of their own (torch_function.h).
#pragma once

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
