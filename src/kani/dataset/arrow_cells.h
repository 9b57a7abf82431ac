// arrow_cells.h - the value of one cell of a checked Arrow column (arrow_batches.h), whatever width
// its numbers have.
#pragma once

#include <arrow/array/array_base.h>

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace kani {

/// All take a row below the column's length.  Nothing for a null.
std::optional<std::string_view> text_cell(const arrow::Array& column, int64_t row);
std::optional<int64_t> integer_cell(const arrow::Array& column, int64_t row);
std::optional<double> number_cell(const arrow::Array& column, int64_t row);

/// What a list cell turned out to be.
enum class ListCell { kFine, kNull, kNullInside, kOutOfRange };

/// Numbers must fit 32 bits; `out` is replaced.
ListCell integer_list_cell(const arrow::Array& column, int64_t row, std::vector<int32_t>& out);
/// Doubles are rounded to floats, one that is too large becomes infinite.
ListCell number_list_cell(const arrow::Array& column, int64_t row, std::vector<float>& out);

}  // namespace kani
