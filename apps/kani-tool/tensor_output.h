// tensor_output.h - float32 tensors on their way into a .safetensors file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "kani/formats/safetensors.h"

namespace kani::tool {

struct NamedTensor {
  std::string name;
  std::vector<float> values;
  std::vector<uint64_t> shape;
};

inline void write_tensors(const std::filesystem::path& path,
                          const std::vector<NamedTensor>& tensors) {
  std::vector<TensorToWrite> out;
  for (const NamedTensor& t : tensors)
    out.push_back({t.name, DType::kF32, t.shape, std::as_bytes(std::span(t.values))});
  write_safetensors(path, out);
}

}  // namespace kani::tool
