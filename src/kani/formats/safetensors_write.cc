// safetensors_write.cc - writing a safetensors file.  The format forbids holes, so only the start
// of the data can be aligned (to 64 bytes, by spaces behind the header); where each tensor begins
// follows from the sizes before it.
#include <algorithm>
#include <optional>
#include <string_view>

#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/base/json.h"
#include "kani/base/utf8.h"
#include "kani/formats/bytes.h"
#include "kani/formats/safetensors.h"
#include "kani/formats/safetensors_header.h"
#include "kani/formats/tensor_table.h"
#include "kani/formats/tensor_write.h"

namespace kani {
namespace {

constexpr size_t kDataAlignment = 64;

std::string json_text(std::string_view text) { return dump_json(Json(text)); }

// Written by hand because the library sorts an object's keys and the file keeps the given order.
std::string header_text(std::span<const TensorToWrite> tensors,
                        const std::map<std::string, std::string>& metadata) {
  std::string header = "{";
  if (!metadata.empty()) header += "\"__metadata__\":" + dump_json(Json(metadata));
  uint64_t begin = 0;
  for (const TensorToWrite& tensor : tensors) {
    const uint64_t end = begin + tensor.bytes.size();
    if (header.size() > 1) header += ',';
    header += concat(json_text(tensor.name), ":{\"dtype\":\"", dtype_name(tensor.dtype),
                     "\",\"shape\":", dump_json(Json(tensor.shape)), ",\"data_offsets\":[", begin,
                     ",", end, "]}");
    begin = end;
  }
  header += '}';
  const size_t end = sizeof(uint64_t) + header.size();
  header.append((kDataAlignment - end % kDataAlignment) % kDataAlignment, ' ');
  return header;
}

}  // namespace

void check_tensors_to_write(std::span<const TensorToWrite> tensors) {
  std::vector<std::string_view> names;
  names.reserve(tensors.size());
  for (const TensorToWrite& tensor : tensors) {
    const std::string_view problem = tensor_name_problem(tensor.name);
    require(problem.empty() && tensor.name != "__metadata__", "tensor name \"",
            printable(tensor.name), "\" ", problem.empty() ? "is reserved" : problem);
    require(tensor.shape.size() <= kMaxRank, "tensor \"", tensor.name, "\": ", tensor.shape.size(),
            " dimensions, at most ", kMaxRank);
    const std::optional<uint64_t> elements = checked_elements(tensor.shape);
    const std::optional<uint64_t> bytes =
        elements ? checked_mul(*elements, dtype_size(tensor.dtype)) : std::nullopt;
    require(bytes == tensor.bytes.size(), "tensor \"", tensor.name, "\": shape ",
            shape_text(tensor.shape), " ", dtype_name(tensor.dtype), " with ", tensor.bytes.size(),
            " bytes");
    names.push_back(tensor.name);
  }
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  require(twice == names.end(), "tensor \"", twice == names.end() ? "" : *twice,
          "\" is given twice");
}

namespace {

// Its length and itself, behind which the tensors follow.
std::string checked_head(std::span<const TensorToWrite> tensors,
                         const std::map<std::string, std::string>& metadata) {
  check_tensors_to_write(tensors);
  for (const auto& [key, value] : metadata) {
    require(!find_invalid_utf8(key) && !find_invalid_utf8(value), "metadata \"", printable(key),
            "\" is not UTF-8");
  }
  const std::string header = header_text(tensors, metadata);
  require(header.size() <= kMaxSafetensorsHeader, "header of ", header.size(), " bytes, at most ",
          kMaxSafetensorsHeader);
  const uint64_t length = header.size();
  return std::string(text_of(std::as_bytes(std::span(&length, 1)))) + header;
}

}  // namespace

void write_safetensors(const std::filesystem::path& path, std::span<const TensorToWrite> tensors,
                       const std::map<std::string, std::string>& metadata) {
  const std::string head = checked_head(tensors, metadata);
  AtomicFile file(path);
  file.write(head);
  for (const TensorToWrite& tensor : tensors) file.write(tensor.bytes);
  file.commit();
}

std::string safetensors_bytes(std::span<const TensorToWrite> tensors,
                              const std::map<std::string, std::string>& metadata) {
  std::string out = checked_head(tensors, metadata);
  for (const TensorToWrite& tensor : tensors) out += text_of(tensor.bytes);
  return out;
}

}  // namespace kani
