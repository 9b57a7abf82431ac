// torch_write.h - writes what torch.save writes: a dictionary of tensors, or one tensor, as a
// stored ZIP with a pickle of protocol 2. Source: codec.md 2.3, speaker.md 14.1. Everything but the
// tensors' bytes is computed first, so that the file's length is known before the first byte is
// written (the tar header in front of it needs that). Not a public header.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kani/formats/safetensors.h"

namespace kani {

class TorchWriter {
 public:
  enum class Content { kDictionary, kTensor };  // kTensor: exactly one, whose name is not written

  /// F32, F16 and I32 tensors; `root` becomes the folder of the members.  Views `tensors` until
  /// write() is done. Throws Error(kInvalidArgument) as check_tensors_to_write() does, for other
  /// types, and from 4 GiB on.
  TorchWriter(std::span<const TensorToWrite> tensors, std::string_view root,
              Content content = Content::kDictionary);
  TorchWriter(const TorchWriter&) = delete;  // members_ point into pickle_
  TorchWriter& operator=(const TorchWriter&) = delete;

  uint64_t size() const { return size_; }
  /// Calls `sink` with all bytes in order.
  void write(const std::function<void(std::span<const std::byte>)>& sink) const;

 private:
  struct Member {
    std::string header;  // local header: name, padding
    std::span<const std::byte> data;
  };
  void add(std::string_view name, std::span<const std::byte> data);

  std::string root_;
  std::string pickle_;
  std::vector<Member> members_;
  std::string directory_;
  uint64_t size_ = 0;
};

/// OrderedDict of tensors, storages numbered from 0.  Exposed for tests.
std::string pickle_of(std::span<const TensorToWrite> tensors);
/// One tensor alone, in storage 0.
std::string pickle_of(const TensorToWrite& tensor);

}  // namespace kani
