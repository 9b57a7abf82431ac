// arrow_parquet_output.cc - see parquet_output.h.
#include "kani/dataset/arrow_features.h"
#include "kani/dataset/arrow_write.h"
#include "kani/dataset/parquet_output.h"

namespace kani {

bool parquet_supported() { return true; }

std::unique_ptr<ClipWriter> open_parquet_file(const std::filesystem::path& path,
                                              const ShardInfo& info) {
  return std::make_unique<ParquetWriter>(path, info);
}

std::string parquet_dataset_info() { return dataset_info_json(*clip_schema()) + "\n"; }

}  // namespace kani
