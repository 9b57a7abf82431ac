// tensor_list.h - the list of tensors that a model has, and a file held against it.
// Not here: which tensors (lfm2_tensors.cc, speaker.cc).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "kani/formats/tensor_file.h"

namespace kani {

/// One tensor that a model has.  Storage policy: what a quantizer may touch is said by `matrix`.
struct TensorSpec {
  std::string name;
  std::vector<uint64_t> shape;
  bool optional = false;
  bool matrix = false;       // a [out, in] weight of a matrix product; everything else stays exact
  std::string other_name{};  // another spelling that occurs in files; empty = none
};

/// Names of one kind for a message, the first few of them.
class NameList {
 public:
  void add(std::string_view text);
  size_t count() const { return count_; }
  std::string text() const;

 private:
  std::string text_;
  size_t count_ = 0;
};

/// The tensor under either of its names; nullptr if there is none.
const TensorInfo* find_tensor(const TensorSpec& spec, const TensorFile& file);

/// Throws Error(kBadInput) if tensors that must be there are not, or have another shape or another
/// type than F32, F16, BF16: all of them in one message.  A scalar may also have the shape [1].
void check_tensor_list(const std::vector<TensorSpec>& specs, const TensorFile& file);

/// Warns once of all tensors that are not in the list and not `told` of elsewhere.
void warn_of_strangers(const std::vector<TensorSpec>& specs, const TensorFile& file,
                       const std::function<bool(std::string_view name)>& told);

}  // namespace kani
