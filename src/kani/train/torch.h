// torch.h - the door to LibTorch: tensors, operators, automatic differentiation.  Only files of
// train/ include it.  Compiling it costs ten seconds a file, so few files do, and no header of
// other folders is behind it.
#pragma once

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/csrc/autograd/variable.h>
