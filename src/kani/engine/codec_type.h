// codec_type.h - the caller's word for what the codec computes in, as the accelerators know it.
#pragma once

#include "kani/backend/signal_ops.h"
#include "kani/kani.h"

namespace kani {

inline SignalType signal_type(CodecType type) {
  switch (type) {
    case CodecType::kF32:
      return SignalType::kF32;
    case CodecType::kI8:
      return SignalType::kI8;
    case CodecType::kAuto:
    case CodecType::kBF16:
      return SignalType::kBf16;
  }
  return SignalType::kF32;
}

}  // namespace kani
