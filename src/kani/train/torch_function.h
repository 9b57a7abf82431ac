// torch_function.h - the second door to LibTorch: operators with derivatives of their own, and
// gradients by hand.  Apart from torch.h because it costs as much again, and few files need it.
#pragma once

#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include "kani/train/torch.h"
