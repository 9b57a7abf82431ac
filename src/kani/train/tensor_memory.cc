// tensor_memory.cc - see tensor_memory.h.
#include "kani/train/tensor_memory.h"

#include <c10/core/CPUAllocator.h>
#include <malloc.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <new>
#include <vector>

#include "kani/base/error.h"
#include "kani/base/sanitized.h"

namespace kani::train {
namespace {

constexpr size_t kAlignment = 64, kLargePage = size_t{2} << 20;
constexpr size_t kLeast = size_t{64} << 10, kLargeFrom = 2 * kLargePage;
constexpr int kSteps = 8;  // classes between two powers of two
// Of glibc's malloc: the largest block that is no mapping of its own (the most that it allows),
// what it keeps at the end of its heap, by how much that grows.
constexpr int kSystemBlock = 32 << 20, kSystemKept = 1 << 30, kSystemStep = 64 << 20;

// Lies in front of what a tensor sees.
struct Header {
  size_t bytes;  // of the block, this included
  int32_t bin;   // -1: not kept
};
static_assert(sizeof(Header) <= kAlignment);

struct SizeClass {
  int bin;
  size_t bytes;
};

// The class whose blocks are the least that hold `bytes`, which are kLeast or more.
SizeClass class_of(size_t bytes) {
  const auto octave =
      static_cast<int>(std::bit_width(bytes - 1)) - 1;  // 2^octave < bytes <= 2^(octave + 1)
  const size_t step = (size_t{1} << octave) / kSteps;
  const size_t steps = (bytes - (size_t{1} << octave) + step - 1) / step;  // 1 to kSteps
  return {octave * kSteps + static_cast<int>(steps) - 1, (size_t{1} << octave) + steps * step};
}

class Pool : public c10::Allocator {
 public:
  c10::DataPtr allocate(size_t size) override {
    if (size == 0) return {nullptr, nullptr, &release, at::kCPU};
    require(size <= SIZE_MAX / 4, "a tensor of ", size, " bytes");
    auto* header = size < kLeast ? make({-1, size + kAlignment}) : take(size + kAlignment);
    void* data = reinterpret_cast<char*>(header) + kAlignment;
    return {data, data, &release, at::kCPU};
  }

  c10::DeleterFnPtr raw_deleter() const override { return &release; }

  void copy_data(void* to, const void* from, size_t count) const override {
    default_copy_data(to, from, count);
  }

  TensorMemory bytes() const {
    const std::lock_guard lock(mutex_);
    return {used_, kept_};
  }

 private:
  Header* take(size_t bytes) {
    const SizeClass wanted = class_of(bytes);
    {
      const std::lock_guard lock(mutex_);
      used_ += wanted.bytes;
      most_used_ = std::max(most_used_, used_);
      std::vector<Header*>& free = free_.at(static_cast<size_t>(wanted.bin));
      if (!free.empty()) {
        Header* header = free.back();
        free.pop_back();
        kept_ -= wanted.bytes;
        return header;
      }
    }
    try {
      return make(wanted);
    } catch (...) {
      const std::lock_guard lock(mutex_);
      used_ -= wanted.bytes;
      throw;
    }
  }

  static Header* make(SizeClass wanted) {
    const size_t alignment = wanted.bytes >= kLargeFrom ? kLargePage : kAlignment;
    void* block = nullptr;
    if (posix_memalign(&block, alignment, wanted.bytes) != 0)
      throw Error(ErrorCode::kOutOfMemory, "no memory for a tensor of ", wanted.bytes, " bytes");
    // A wish: without large pages it is as before.
    if (alignment == kLargePage) madvise(block, wanted.bytes, MADV_HUGEPAGE);
    return new (block) Header{wanted.bytes, wanted.bin};
  }

  void give_back(Header* header) {
    {
      const std::lock_guard lock(mutex_);
      used_ -= header->bytes;
      if (kept_ + header->bytes <= most_used_) {
        kept_ += header->bytes;
        free_[static_cast<size_t>(header->bin)].push_back(header);
        return;
      }
    }
    std::free(header);
  }

  static void release(void* data);

  mutable std::mutex mutex_;
  std::array<std::vector<Header*>, 64 * kSteps> free_;
  size_t used_ = 0, kept_ = 0, most_used_ = 0;
};

// Tensors of static storage may be dropped after everything else: it is never taken down.
Pool& pool() {
  static auto* const one = new Pool;
  return *one;
}

void Pool::release(void* data) {
  if (data == nullptr) return;
  auto* header = reinterpret_cast<Header*>(static_cast<char*>(data) - kAlignment);
  if (header->bin < 0) {
    std::free(header);
  } else {
    pool().give_back(header);
  }
}

}  // namespace

void keep_tensor_memory() {
  if (kSanitized) return;
  c10::SetCPUAllocator(&pool());
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, kSystemBlock);
  mallopt(M_TRIM_THRESHOLD, kSystemKept);
  mallopt(M_TOP_PAD, kSystemStep);
#endif
}

TensorMemory tensor_memory() { return pool().bytes(); }

}  // namespace kani::train
