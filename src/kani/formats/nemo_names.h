// nemo_names.h - names that the reader and the writer of .nemo files share.  Not a public header.
#pragma once

#include <string_view>

namespace kani {

inline constexpr std::string_view kNemoConfig = "model_config.yaml";
inline constexpr std::string_view kNemoWeights = "model_weights.ckpt";

}  // namespace kani
