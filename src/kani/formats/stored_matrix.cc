// stored_matrix.cc - see stored_matrix.h.
#include "kani/formats/stored_matrix.h"

#include <cmath>
#include <cstring>

#include "kani/base/error.h"
#include "kani/quant/layout.h"

namespace kani {

std::string stored_type(const TensorFile& file) {
  const auto& metadata = file.metadata();
  const auto version = metadata.find(std::string(kStoredVersionKey));
  if (version == metadata.end()) return "";
  if (version->second != kStoredVersion) {
    throw Error(ErrorCode::kBadInput, file.path(), ": stored form of version ",
                printable(version->second), ", this program reads ", kStoredVersion)
        .with_hint("convert the model again, with kani convert of this program");
  }
  const auto type = metadata.find(std::string(kStoredTypeKey));
  const std::string name = type == metadata.end() ? "" : type->second;
  if (name != "q8" && name != "q4") {
    throw Error(ErrorCode::kBadInput, file.path(), ": ", kStoredTypeKey, " is '", printable(name),
                "', expected q8 or q4");
  }
  return name;
}

std::optional<StoredMatrix> find_stored(const TensorFile& file, std::string_view name,
                                        uint64_t rows, uint64_t cols) {
  for (const bool q4 : {false, true}) {
    const TensorInfo* tensor = file.find(concat(name, q4 ? ".q4" : ".q8"));
    if (tensor == nullptr) continue;
    const auto bytes = quant_bytes(rows, cols, q4);
    if (tensor->dtype != DType::kU8 || tensor->shape.size() != 1 || !bytes ||
        tensor->bytes.size() != *bytes) {
      throw Error(ErrorCode::kBadInput, file.path(), ": tensor ", tensor->name, " is ",
                  dtype_name(tensor->dtype), " ", shape_text(tensor->shape), ", expected U8 [",
                  bytes.value_or(0), "] for a matrix [", rows, ", ", cols, "]");
    }
    return StoredMatrix{tensor, q4};
  }
  return std::nullopt;
}

void check_stored_scales(const StoredMatrix& matrix, uint64_t cols, const TensorFile& file) {
  const auto bytes = matrix.tensor->bytes;
  const size_t stride = kRowScaleBytes + quant_blocks(cols) * (matrix.q4 ? kQ4Bytes : kQ8Bytes);
  for (size_t at = 0; at + kRowScaleBytes <= bytes.size(); at += stride) {
    float scales[kQuantRows];
    std::memcpy(scales, bytes.data() + at, sizeof scales);
    for (size_t r = 0; r < kQuantRows; ++r) {
      if (std::isfinite(scales[r]) && scales[r] >= 0) continue;
      throw Error(ErrorCode::kBadInput, file.path(), ": tensor ", matrix.tensor->name,
                  " has a scale of ", scales[r], " at row ", at / stride * kQuantRows + r);
    }
  }
}

}  // namespace kani
