// torch_archive.cc - finds the pickle, reads it, and holds every tensor in it against the storage
// that it names.
#include "kani/formats/torch_archive.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "kani/formats/bytes.h"
#include "kani/formats/tensor_table.h"

namespace kani {
namespace {

constexpr std::string_view kPickle = "data.pkl";

// One more than the last element that the tensor reaches; nothing if that does not fit 64 bits.
std::optional<uint64_t> reach(const PickledTensor& tensor) {
  std::optional<uint64_t> end = checked_add(tensor.offset, 1);
  for (size_t i = 0; i < tensor.shape.size() && end; ++i) {
    const std::optional<uint64_t> step = checked_mul(tensor.shape[i] - 1, tensor.strides[i]);
    end = step ? checked_add(*end, *step) : std::nullopt;
  }
  return end;
}

}  // namespace

bool TorchTensor::contiguous() const noexcept {
  uint64_t expected = 1;
  for (size_t i = shape.size(); i-- > 0;) {
    if (shape[i] > 1 && strides[i] != expected) return elements == 0;
    expected *= shape[i];  // no overflow: the product of all sizes was checked
  }
  return true;
}

std::span<const std::byte> CheckedStorages::bytes(const TorchTensor& tensor) {
  if (!tensor.contiguous()) {
    refuse(zip_.where(), "tensor \"", printable(tensor.name), "\": strides ",
           shape_text(tensor.strides), " are not those of a contiguous tensor of shape ",
           shape_text(tensor.shape));
  }
  const auto place = static_cast<size_t>(tensor.storage - zip_.members().data());
  const std::span<const std::byte> all =
      checked_[place] ? zip_.bytes(*tensor.storage) : zip_.checked_bytes(*tensor.storage);
  checked_[place] = true;
  const size_t size = dtype_size(tensor.dtype);
  return all.subspan(tensor.offset * size, tensor.elements * size);
}

TorchArchive::TorchArchive(std::span<const std::byte> bytes, const std::string& where,
                           const ZipLimits& limits, const PicklePolicy& policy)
    : zip_(bytes, where, limits), root_(find_root()) {
  check_byte_order();
  const std::string name = std::string(root_) + std::string(kPickle);
  const ZipMember& member = *zip_.find(name);
  if (member.size > policy.bytes) {  // before its CRC is computed
    refuse(where, "\"", printable(name), "\" of ", member.size, " bytes, at most ", policy.bytes,
           " are accepted");
  }
  PickleContent content = read_pickle(zip_.checked_bytes(member), policy, where);
  form_ = content.form;
  others_ = std::move(content.others);
  numbers_ = std::move(content.numbers);
  names_ = std::move(content.names);
  tensors_.reserve(content.tensors.size());
  for (PickledTensor& tensor : content.tensors) tensors_.push_back(resolve(std::move(tensor)));
}

// torch puts everything into one folder with any name.
std::string_view TorchArchive::find_root() const {
  if (zip_.members().empty()) refuse(zip_.where(), "not a torch file: the ZIP archive is empty");
  const std::string_view first = zip_.members().front().name;
  const std::string_view root = first.substr(0, first.find('/') + 1);
  for (const ZipMember& member : zip_.members()) {
    if (root.empty() || !member.name.starts_with(root)) {
      refuse(zip_.where(), "not a torch file: ZIP member \"", printable(member.name),
             "\" is not in the one folder of the archive");
    }
  }
  if (zip_.find(std::string(root) + std::string(kPickle)) == nullptr) {
    refuse(zip_.where(), "not a torch file: no \"", printable(root), kPickle, "\"");
  }
  return root;
}

void TorchArchive::check_byte_order() const {
  const ZipMember* member = zip_.find(std::string(root_) + "byteorder");
  if (member == nullptr) return;  // older writers: little
  const std::string_view order =
      member->size <= 16 ? text_of(zip_.checked_bytes(*member)) : std::string_view("?");
  if (order != "little") {
    refuse(zip_.where(), "byte order \"", printable(order), "\", only \"little\" is supported");
  }
}

TorchTensor TorchArchive::resolve(PickledTensor&& tensor) const {
  const auto fail = [&](const auto&... parts) {
    refuse(zip_.where(), "tensor \"", printable(tensor.name), "\": ", parts...);
  };
  const std::string storage_name = concat(root_, "data/", tensor.key);
  const ZipMember* storage = zip_.find(storage_name);
  if (storage == nullptr) fail("no storage \"", printable(storage_name), "\"");
  if (checked_mul(tensor.numel, dtype_size(tensor.dtype)) != storage->size) {
    fail("storage of ", tensor.numel, " ", dtype_name(tensor.dtype), " has ", storage->size,
         " bytes");
  }
  const std::optional<uint64_t> elements = checked_elements(tensor.shape);
  if (!elements) fail("shape ", shape_text(tensor.shape), " overflows 64 bits");
  if (*elements > 0) {
    const std::optional<uint64_t> end = reach(tensor);
    if (!end || *end > tensor.numel) {
      fail("shape ", shape_text(tensor.shape), ", strides ", shape_text(tensor.strides),
           ", offset ", tensor.offset, " leave the storage of ", tensor.numel, " elements");
    }
  }
  return {.name = tensor.name,
          .dtype = tensor.dtype,
          .storage = storage,
          .offset = *elements > 0 ? tensor.offset : 0,
          .elements = *elements,
          .shape = std::move(tensor.shape),
          .strides = std::move(tensor.strides)};
}

}  // namespace kani
