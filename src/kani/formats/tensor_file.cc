// tensor_file.cc - text and numbers of a tensor, and the table behind every TensorFile.
#include "kani/formats/tensor_file.h"

#include <algorithm>
#include <functional>
#include <numeric>
#include <optional>
#include <utility>

#include "kani/base/error.h"
#include "kani/formats/tensor_table.h"

namespace kani {

std::string shape_text(std::span<const uint64_t> shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) {
    if (i > 0) text += ", ";
    text += std::to_string(shape[i]);
  }
  return text += ']';
}

std::vector<float> tensor_to_f32(const TensorInfo& tensor) {
  std::vector<float> values(tensor.elements());
  to_f32(tensor.dtype, tensor.bytes, values);
  return values;
}

std::optional<uint64_t> checked_elements(std::span<const uint64_t> shape) noexcept {
  uint64_t count = 1;
  bool empty = false;
  for (const uint64_t size : shape) {
    if (size == 0) {
      empty = true;
      continue;
    }
    const std::optional<uint64_t> product = checked_mul(count, size);
    if (!product) return std::nullopt;
    count = *product;
  }
  return empty ? 0 : count;
}

TensorTable::TensorTable(std::filesystem::path path, std::vector<TensorInfo> tensors,
                         std::map<std::string, std::string> metadata, TensorBacking backing)
    : path_(std::move(path)),
      tensors_(std::move(tensors)),
      by_name_(tensors_.size()),
      metadata_(std::move(metadata)),
      backing_(std::move(backing)) {
  std::iota(by_name_.begin(), by_name_.end(), 0u);
  std::sort(by_name_.begin(), by_name_.end(),
            [this](uint32_t a, uint32_t b) { return tensors_[a].name < tensors_[b].name; });
  const auto twice = std::adjacent_find(
      by_name_.begin(), by_name_.end(),
      [this](uint32_t a, uint32_t b) { return tensors_[a].name == tensors_[b].name; });
  if (twice != by_name_.end()) {
    throw Error(ErrorCode::kBadInput, path_, ": tensor \"", printable(tensors_[*twice].name),
                "\" occurs twice");
  }
}

const TensorInfo* TensorTable::find(std::string_view name) const {
  const auto found =
      std::lower_bound(by_name_.begin(), by_name_.end(), name,
                       [this](uint32_t i, std::string_view n) { return tensors_[i].name < n; });
  return found != by_name_.end() && tensors_[*found].name == name ? &tensors_[*found] : nullptr;
}

void TensorTable::release(const TensorInfo& tensor) const noexcept {
  const auto less_equal = std::less_equal<const std::byte*>();
  for (const MappedFile& map : backing_.maps) {
    const std::span<const std::byte> all = map.bytes();
    if (less_equal(all.data(), tensor.bytes.data()) &&
        less_equal(tensor.bytes.data() + tensor.bytes.size(), all.data() + all.size())) {
      map.release(tensor.bytes);
      return;
    }
  }
}

}  // namespace kani
