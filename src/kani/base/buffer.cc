// buffer.cc - aligned memory; anonymous maps with huge pages for what is large.
#include "kani/base/buffer.h"

#include <sys/mman.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "kani/base/error.h"

namespace kani {
namespace {

constexpr size_t kHugePage = size_t{2} << 20;
constexpr size_t kMapFrom = size_t{4} << 20;
// Aligned by hand, the address of the block in front of the data: glibc before 2.38 does not use
// again what aligned_alloc() gives back (its bug 14581), so that memory would grow with every
// sentence.
constexpr size_t kAlignment = 64;
constexpr size_t kRoom = 2 * kAlignment;

size_t rounded_up(size_t bytes, size_t unit) { return (bytes + unit - 1) / unit * unit; }

[[noreturn]] void out_of_memory(size_t bytes) {
  throw Error(ErrorCode::kOutOfMemory, "cannot allocate ", bytes, " bytes");
}

// A map of `bytes` that starts on a huge page: one page more is mapped and the ends are given back.
void* map_huge(size_t bytes) {
  const size_t length = rounded_up(bytes, kHugePage);
  if (length < bytes || length + kHugePage < length) out_of_memory(bytes);
  void* raw =
      mmap(nullptr, length + kHugePage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (raw == MAP_FAILED) out_of_memory(bytes);
  const auto begin = reinterpret_cast<uintptr_t>(raw);
  const uintptr_t start = rounded_up(begin, kHugePage);
  if (start > begin) munmap(raw, start - begin);
  const uintptr_t end = begin + length + kHugePage;
  if (end > start + length) munmap(reinterpret_cast<void*>(start + length), end - start - length);
  madvise(reinterpret_cast<void*>(start), length, MADV_HUGEPAGE);
  return reinterpret_cast<void*>(start);
}

}  // namespace

void* allocate_aligned(size_t bytes) {
  if (bytes == 0) return nullptr;
  if (bytes >= kMapFrom) return map_huge(bytes);
  if (bytes + kRoom < bytes) out_of_memory(bytes);
  auto* raw = static_cast<unsigned char*>(std::malloc(bytes + kRoom));
  if (raw == nullptr) out_of_memory(bytes);
  const auto address = reinterpret_cast<uintptr_t>(raw);
  unsigned char* data = raw + (kRoom - address % kAlignment);
  std::memcpy(data - sizeof raw, &raw, sizeof raw);
  std::memset(data, 0, bytes);
  return data;
}

void free_aligned(void* data, size_t bytes) noexcept {
  if (data == nullptr) return;
  if (bytes >= kMapFrom) {
    munmap(data, rounded_up(bytes, kHugePage));
  } else {
    void* raw = nullptr;
    std::memcpy(&raw, static_cast<unsigned char*>(data) - sizeof raw, sizeof raw);
    std::free(raw);
  }
}

}  // namespace kani
