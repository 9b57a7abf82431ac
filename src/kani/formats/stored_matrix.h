// stored_matrix.h - matrices of 8 and 4 bits in a safetensors file: a U8 tensor of one dimension
// that holds the layout of quant/layout.h, named after the matrix with ".q8" or ".q4" at its end.
// The file says in its metadata that it is of this form and by which version of it.
// Not here: which matrices there are (spec/), the conversion (engine/convert.cc).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "kani/formats/tensor_file.h"

namespace kani {

/// Keys of the metadata.
inline constexpr std::string_view kStoredVersionKey = "kani_stored_version";  // "1"
inline constexpr std::string_view kStoredTypeKey = "kani_stored_type";        // "q8" or "q4"
inline constexpr std::string_view kStoredSourceKey =
    "kani_source_sha256";  // of the file it is from
inline constexpr std::string_view kStoredVersion = "1";

/// "q8" or "q4" if the file is of this form, empty if it is not.  Throws Error(kBadInput) for a
/// version or a type that this program does not know.
std::string stored_type(const TensorFile& file);

struct StoredMatrix {
  const TensorInfo* tensor = nullptr;
  bool q4 = false;
};

/// The matrix `name` [rows, cols], if the file holds it.  Throws Error(kBadInput) if the tensor's
/// type or size is wrong.
std::optional<StoredMatrix> find_stored(const TensorFile& file, std::string_view name,
                                        uint64_t rows, uint64_t cols);

/// Throws Error(kBadInput) if a scale of the rows is negative, NaN or infinite.
void check_stored_scales(const StoredMatrix& matrix, uint64_t cols, const TensorFile& file);

}  // namespace kani
