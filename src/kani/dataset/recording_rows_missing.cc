// recording_rows_missing.cc - see recording_rows.h: a build without Arrow.
#include "kani/base/error.h"
#include "kani/dataset/recording_rows.h"

namespace kani {
namespace {

[[noreturn]] void refuse(const std::filesystem::path& path) {
  throw Error(ErrorCode::kUnsupported, path,
              ": Parquet and Arrow: this program was built without Arrow")
      .with_hint("run tools/arrow.sh, then configure and build again");
}

}  // namespace

std::vector<SourceRecord> read_recording_rows(const std::filesystem::path& path,
                                              const std::filesystem::path&) {
  refuse(path);
}

std::unique_ptr<RecordingRows> RecordingRows::open(const std::filesystem::path& file) {
  refuse(file);
}

}  // namespace kani
