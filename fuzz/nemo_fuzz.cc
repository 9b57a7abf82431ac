// nemo_fuzz.cc - C2: .nemo archives (tar or gzip of a tar, with ZIP and pickle inside).
// Only kani::Error may come out; what is accepted must hold its promises, and a choice of tensors
// must give the same tensors.
#include <array>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>

#include "archive_mutator.h"
#include "kani/base/error.h"
#include "kani/formats/byte_source.h"
#include "kani/formats/bytes.h"
#include "kani/formats/nemo.h"
#include "kani/formats/nemo_names.h"
#include "kani/formats/tar.h"

namespace {

void expect(bool holds) {
  if (!holds) std::abort();
}

bool every_other(std::string_view name) { return name.size() % 2 == 0; }

void check(std::span<const std::byte> bytes) {
  const kani::NemoArchive all = kani::parse_nemo(bytes, "fuzz");
  const kani::NemoArchive some = kani::parse_nemo(bytes, "fuzz", every_other);
  expect(all.config_yaml == some.config_yaml);
  size_t chosen = 0;
  for (const kani::TensorInfo& tensor : all.weights->tensors()) {
    expect(tensor.bytes.size() == tensor.elements() * kani::dtype_size(tensor.dtype));
    const kani::TensorInfo* other = some.weights->find(tensor.name);
    expect((other != nullptr) == every_other(tensor.name));
    if (other == nullptr) continue;
    ++chosen;
    expect(other->shape == tensor.shape &&
           kani::text_of(other->bytes) == kani::text_of(tensor.bytes));
  }
  expect(chosen == some.weights->tensors().size());
}

std::string mutate_nemo(const std::string& tar, std::mt19937& random) {
  std::array<kani::WantedMember, 2> members = {
      kani::WantedMember{.name = kani::kNemoConfig, .max_bytes = 1 << 20, .bytes = {}},
      kani::WantedMember{.name = kani::kNemoWeights, .max_bytes = 1 << 24, .bytes = {}}};
  try {
    kani::read_tar(*kani::memory_source(kani::bytes_of(tar)), members, "tar");
  } catch (const kani::Error&) {
  }
  if (!members[0].bytes || !members[1].bytes) return kani::fuzz::mutated(tar);
  return kani::test::tar_member({.name = std::string(kani::kNemoConfig),
                                 .data = std::string(kani::text_of(*members[0].bytes))}) +
         kani::test::tar_member({.name = std::string(kani::kNemoWeights),
                                 .data = kani::fuzz::mutate_zip(
                                     std::string(kani::text_of(*members[1].bytes)), random)}) +
         kani::test::tar_end();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    check(std::as_bytes(std::span(data, size)));
  } catch (const kani::Error&) {
  }
  return 0;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned seed) {
  std::mt19937 random(seed);
  std::string text(reinterpret_cast<const char*>(data), size);
  switch (random() % 8) {
    case 0:
      return LLVMFuzzerMutate(data, size, max_size);
    case 1:
      return kani::fuzz::give(kani::test::gzip_of(text.substr(0, max_size)), data, max_size);
    case 2:
    case 3:
    case 4:
      text = kani::fuzz::mutated(text, 512);
      kani::fuzz::repair_tar(text);
      return kani::fuzz::give(text, data, max_size);
    default:
      return kani::fuzz::give(mutate_nemo(text, random), data, max_size);
  }
}
