// safetensors_fuzz.cc - C1: safetensors bytes, and the index of a sharded model (inputs that begin
// with a brace). Only kani::Error may come out; what is accepted must hold its promises and be the
// same twice.
#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "archive_mutator.h"
#include "kani/base/error.h"
#include "kani/formats/bytes.h"
#include "kani/formats/safetensors.h"
#include "kani/formats/safetensors_index.h"
#include "kani/formats/stored_matrix.h"

namespace {

using kani::concat;

void expect(bool holds) {
  if (!holds) std::abort();
}

std::string described(const kani::TensorFile& file) {
  std::string text;
  for (const kani::TensorInfo& tensor : file.tensors()) {
    expect(tensor.bytes.size() == tensor.elements() * kani::dtype_size(tensor.dtype));
    expect(file.find(tensor.name) == &tensor);
    text += concat(tensor.name, kani::dtype_name(tensor.dtype), kani::shape_text(tensor.shape),
                   kani::text_of(tensor.bytes));
  }
  for (const auto& [key, value] : file.metadata()) text += key + value;
  return text;
}

// A matrix [100, 70] of 8 or 4 bits, if the file says that it stores such.
void look_for_stored(const kani::TensorFile& file) {
  if (kani::stored_type(file).empty()) return;
  if (const auto matrix = kani::find_stored(file, "w", 100, 70))
    kani::check_stored_scales(*matrix, 70, file);
}

// A valid file of a few tensors in which one thing is then wrong, or none.
std::string invented(std::mt19937& random) {
  static constexpr const char* kTypes[] = {"F32", "BF16", "U8", "I64", "BOOL", "F8"};
  static constexpr int kSizes[] = {4, 2, 1, 8, 1, 1};
  std::string header = "{\"__metadata__\":{\"format\":\"pt\"}";
  uint64_t at = 0;
  const size_t wrong = random() % 40;
  for (size_t i = 0, count = random() % 6; i < count; ++i) {
    const size_t type = random() % 6;
    std::string shape;
    uint64_t bytes = static_cast<uint64_t>(kSizes[type]);
    for (size_t rank = random() % 4; rank > 0; --rank) {
      const uint64_t size = random() % 4;
      shape += (shape.empty() ? "" : ",") + std::to_string(wrong == 1 ? ~size : size);
      bytes *= size;
    }
    header += concat(",\"t", wrong == 2 ? 0 : i, "\":{\"dtype\":\"", kTypes[type], "\",\"shape\":[",
                     shape, "],\"data_offsets\":[", at + (wrong == 3), ",",
                     at + bytes + (wrong == 4), "]}");
    at += bytes;
  }
  header += "}" + std::string(random() % 8, ' ');
  return kani::test::safetensors_file(header, std::string(at + (wrong == 5), 'd'));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::span<const std::byte> bytes = std::as_bytes(std::span(data, size));
  try {
    if (size > 0 && data[0] == '{') {
      kani::parse_safetensors_index(kani::text_of(bytes), "fuzz");
      return 0;
    }
    const std::string first = described(*kani::parse_safetensors(bytes, "fuzz"));
    const auto file = kani::parse_safetensors(bytes, "fuzz");
    expect(first == described(*file));
    look_for_stored(*file);
  } catch (const kani::Error&) {
  }
  return 0;
}

// Keeps the header's length right while its text changes.
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned seed) {
  std::mt19937 random(seed);
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto length = kani::fuzz::get<uint64_t>(text, 0);
  if (random() % 8 == 0) return kani::fuzz::give(invented(random), data, max_size);
  if (size < 8 || length > size - 8 || random() % 4 == 0)
    return LLVMFuzzerMutate(data, size, max_size);
  const std::string header = kani::fuzz::mutated(text.substr(8, length));
  return kani::fuzz::give(kani::test::safetensors_file(header, text.substr(8 + length)), data,
                          max_size);
}
