// without_path.h - messages for files that must be the same on every machine.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace kani {

/// A message without the path, which differs from machine to machine: `name` takes its place.
std::string without_path(std::string message, const std::filesystem::path& path,
                         std::string_view name);

}  // namespace kani
