// safetensors_header.h - the checks behind open_safetensors and parse_safetensors: one file's bytes
// to a list of tensors. Not a public header.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kani/formats/tensor_file.h"

namespace kani {

inline constexpr uint64_t kMaxSafetensorsHeader = 100'000'000;  // bytes; the format's own limit
inline constexpr size_t kMaxTensorName = 1024;                  // bytes

struct SafetensorsContent {
  std::vector<TensorInfo> tensors;  // by position in the file; `bytes` point into `file`
  std::map<std::string, std::string> metadata;
};

/// Throws Error(kBadInput, "<where>: …") unless `file` is a safetensors file whose tensors tile its
/// data exactly. Doubled names are left to TensorTable.
SafetensorsContent read_safetensors(std::span<const std::byte> file, std::string_view where);

/// What is wrong with a tensor's name, or nothing: 1 to 1024 bytes of UTF-8 without control
/// characters and without a ".." between slashes (no name is ever used as a path here, but other
/// programs do).
std::string_view tensor_name_problem(std::string_view name) noexcept;

/// True if the file begins as a safetensors file does: a possible header length, then a brace.
bool looks_like_safetensors(std::span<const std::byte> file) noexcept;

}  // namespace kani
