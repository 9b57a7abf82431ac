// event_file.h - figures for TensorBoard: its event files, written by ourselves, without protobuf.
// Source: the published layout of TFRecord and of the messages Event and Summary.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <span>
#include <string>

namespace kani::train {

/// CRC-32C (Castagnoli).
uint32_t crc32c(std::span<const std::byte> bytes);

/// One file in a folder; a run that goes on adds another one, as TensorBoard expects.
class EventFile {
 public:
  /// Throws Error(kCannotWrite).
  explicit EventFile(const std::filesystem::path& folder);
  /// Values of a step, all in one event.  Never fails: a full disk loses figures, not the run.
  void write(int64_t step, const std::map<std::string, double>& values);

 private:
  void record(const std::string& event);
  std::ofstream file_;
};

}  // namespace kani::train
