// parquet_missing.cc - see parquet_output.h: a build without Arrow.
#include "kani/base/error.h"
#include "kani/dataset/parquet_output.h"

namespace kani {

bool parquet_supported() { return false; }

std::unique_ptr<ClipWriter> open_parquet_file(const std::filesystem::path& path, const ShardInfo&) {
  throw Error(ErrorCode::kUnsupported, path, ": this program was built without Arrow")
      .with_hint("run tools/arrow.sh, then configure and build again");
}

std::string parquet_dataset_info() { return {}; }

}  // namespace kani
