// arrow_cells.cc - see arrow_cells.h.
#include "kani/dataset/arrow_cells.h"

#include <arrow/array.h>

#include <limits>
#include <utility>

namespace kani {
namespace {

/// Calls `use` with the column as what it is: an array of integers or floats.
template <typename Use>
auto with_numbers(const arrow::Array& column, Use use) {
  switch (column.type_id()) {
    case arrow::Type::UINT8:
      return use(static_cast<const arrow::UInt8Array&>(column));
    case arrow::Type::INT8:
      return use(static_cast<const arrow::Int8Array&>(column));
    case arrow::Type::UINT16:
      return use(static_cast<const arrow::UInt16Array&>(column));
    case arrow::Type::INT16:
      return use(static_cast<const arrow::Int16Array&>(column));
    case arrow::Type::UINT32:
      return use(static_cast<const arrow::UInt32Array&>(column));
    case arrow::Type::UINT64:
      return use(static_cast<const arrow::UInt64Array&>(column));
    case arrow::Type::INT64:
      return use(static_cast<const arrow::Int64Array&>(column));
    case arrow::Type::FLOAT:
      return use(static_cast<const arrow::FloatArray&>(column));
    case arrow::Type::DOUBLE:
      return use(static_cast<const arrow::DoubleArray&>(column));
    default:  // arrow_batches has let nothing else through
      return use(static_cast<const arrow::Int32Array&>(column));
  }
}

struct Slice {
  const arrow::Array* values;
  int64_t begin, length;
};

template <typename List>
Slice slice_of(const arrow::Array& column, int64_t row) {
  const auto& list = static_cast<const List&>(column);
  return {list.values().get(), list.value_offset(row), list.value_length(row)};
}

Slice slice(const arrow::Array& column, int64_t row) {
  switch (column.type_id()) {
    case arrow::Type::LARGE_LIST:
      return slice_of<arrow::LargeListArray>(column, row);
    case arrow::Type::FIXED_SIZE_LIST:
      return slice_of<arrow::FixedSizeListArray>(column, row);
    default:
      return slice_of<arrow::ListArray>(column, row);
  }
}

template <typename Out>
ListCell list_cell(const arrow::Array& column, int64_t row, std::vector<Out>& out) {
  out.clear();
  if (column.IsNull(row)) return ListCell::kNull;
  const Slice part = slice(column, row);
  return with_numbers(*part.values, [&](const auto& numbers) {
    out.reserve(static_cast<size_t>(part.length));
    for (int64_t i = part.begin; i < part.begin + part.length; ++i) {
      if (numbers.IsNull(i)) return ListCell::kNullInside;
      const auto value = numbers.Value(i);
      if constexpr (std::is_integral_v<Out> && std::is_integral_v<decltype(value)>) {
        if (!std::in_range<Out>(value)) return ListCell::kOutOfRange;
      }
      out.push_back(static_cast<Out>(value));
    }
    return ListCell::kFine;
  });
}

}  // namespace

std::optional<std::string_view> text_cell(const arrow::Array& column, int64_t row) {
  if (column.IsNull(row)) return std::nullopt;
  if (column.type_id() == arrow::Type::LARGE_BINARY)
    return static_cast<const arrow::LargeBinaryArray&>(column).GetView(row);
  return static_cast<const arrow::BinaryArray&>(column).GetView(row);
}

std::optional<int64_t> integer_cell(const arrow::Array& column, int64_t row) {
  if (column.IsNull(row)) return std::nullopt;
  return with_numbers(column, [&](const auto& numbers) {
    const auto value = numbers.Value(row);
    if constexpr (std::is_integral_v<decltype(value)>) {
      // Beyond 2^63 nothing can be meant; the largest number is out of range for all readers.
      return std::in_range<int64_t>(value) ? static_cast<int64_t>(value)
                                           : std::numeric_limits<int64_t>::max();
    }
    return int64_t{0};
  });
}

std::optional<double> number_cell(const arrow::Array& column, int64_t row) {
  if (column.IsNull(row)) return std::nullopt;
  return with_numbers(column,
                      [&](const auto& numbers) { return static_cast<double>(numbers.Value(row)); });
}

ListCell integer_list_cell(const arrow::Array& column, int64_t row, std::vector<int32_t>& out) {
  return list_cell(column, row, out);
}

ListCell number_list_cell(const arrow::Array& column, int64_t row, std::vector<float>& out) {
  return list_cell(column, row, out);
}

}  // namespace kani
