// parquet_output.h - Parquet files in the layout of training.md 15.8, where this build has Arrow;
// a door without Arrow's headers.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "kani/dataset/convert.h"

namespace kani {

bool parquet_supported();

/// Throws Error(kCannotWrite), Error(kUnsupported) without Arrow.
std::unique_ptr<ClipWriter> open_parquet_file(const std::filesystem::path& path,
                                              const ShardInfo& info);
/// dataset_info.json beside such files.
std::string parquet_dataset_info();

}  // namespace kani
