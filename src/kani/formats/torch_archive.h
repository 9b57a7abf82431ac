// torch_archive.h - what torch.save writes: a ZIP with a pickle and one member per storage, joined
// to a list of tensors with their bytes.  Source: codec.md 2.3.  Not here: what the tensors are for
// (nemo.cc, voice_pt.cc, torch_optimizer.cc).
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kani/formats/pickle.h"
#include "kani/formats/zip.h"

namespace kani {

/// A tensor whose storage exists, is as long as the pickle says, and holds every element that
/// shape, strides and offset reach.  Sizes and strides are in elements.
struct TorchTensor {
  std::string_view name;
  DType dtype = DType::kF32;
  const ZipMember* storage = nullptr;
  uint64_t offset = 0;
  uint64_t elements = 0;
  std::vector<uint64_t> shape;
  std::vector<uint64_t> strides;

  /// Row-major without gaps.
  bool contiguous() const noexcept;
};

/// Bytes of storages, the CRC of each computed once, when it is first asked for.  One thread.
class CheckedStorages {
 public:
  explicit CheckedStorages(const ZipReader& zip)
      : zip_(zip), checked_(zip.members().size(), false) {}
  /// The tensor's own part of its storage.  Throws Error(kBadInput) as ZipReader::checked_bytes(),
  /// and for a tensor that is not contiguous.
  std::span<const std::byte> bytes(const TorchTensor& tensor);

 private:
  const ZipReader& zip_;
  std::vector<bool> checked_;
};

class TorchArchive {
 public:
  /// Reads directory, byte order mark and pickle (with their CRCs), and checks every tensor against
  /// its storage's size.  The storages themselves are not touched.
  /// Throws Error(kBadInput, "<where>: …").
  TorchArchive(std::span<const std::byte> bytes, const std::string& where, const ZipLimits& limits,
               const PicklePolicy& policy);

  const ZipReader& zip() const { return zip_; }
  /// "archive/", the folder that all members are in.
  std::string_view root() const { return root_; }
  PickleContent::Form form() const { return form_; }
  /// In the pickle's order; names may occur twice.
  const std::vector<TorchTensor>& tensors() const { return tensors_; }
  /// Names of dictionary entries (empty for list items) that are no tensors.
  const std::vector<std::string_view>& others() const { return others_; }
  /// Numbers in nested containers.
  const std::vector<PickledNumber>& numbers() const { return numbers_; }

 private:
  std::string_view find_root() const;
  void check_byte_order() const;
  TorchTensor resolve(PickledTensor&& tensor) const;

  ZipReader zip_;
  std::string_view root_;
  PickleContent::Form form_ = PickleContent::Form::kTensor;
  std::vector<TorchTensor> tensors_;
  std::vector<std::string_view> others_;
  std::vector<PickledNumber> numbers_;
  std::deque<std::string> names_;
};

}  // namespace kani
