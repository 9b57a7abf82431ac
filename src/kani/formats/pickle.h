// pickle.h - reads the pickle that torch.save puts around tensors, without executing anything: an
// opcode outside the policy's list, or a name outside the nine in pickle.cc, ends the reading.
// There is no second, more lenient reader.
// Source: codec.md 2.3 (checkpoints), interfaces.md 8.4 (voices), training.md 9 (optimizers),
// pickletools (the opcodes).
// Result: descriptions of tensors; whose bytes they describe is torch_archive.h's business.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kani/base/numbers.h"

namespace kani {

/// What a pickle may contain and how much of it.
struct PicklePolicy {
  std::string_view opcodes;         // every opcode that is accepted, as its byte
  std::span<const DType> storages;  // element types that are accepted
  bool parameters = false;          // torch._utils._rebuild_parameter
  bool unwraps_state_dict = false;  // {"state_dict": …} stands for what is in it
  bool integer_keys = false;        // of dictionaries, from 0
  size_t depth = 1;                 // containers in containers that are looked into
  size_t bytes = 0;                 // of the pickle
  size_t stack = 0;                 // items on the stack, marks included
  size_t memo = 0;                  // memo indices
  size_t values = 0;                // ever pushed: bounds memory, nothing is freed before the end
  size_t entries = 0;               // of the dictionary or list that comes out, nested ones too
};

extern const PicklePolicy kCheckpointPickle;  // codec.md 2.3
extern const PicklePolicy kVoicePickle;       // interfaces.md 8.4
extern const PicklePolicy kOptimizerPickle;   // training.md 9

/// _rebuild_tensor_v2(('storage', type, key, location, numel), offset, shape, strides, …).
/// Everything is in elements and not negative; nothing is compared with a storage yet.
struct PickledTensor {
  // Its key in the dictionary, if it came in one; points into the pickle.  Of nested containers all
  // keys and places with "/" between them ("state/0/exp_avg"); points into PickleContent::names.
  std::string_view name;
  DType dtype = DType::kF32;
  std::string_view key;  // decimal digits; points into the pickle
  uint64_t numel = 0;
  uint64_t offset = 0;
  std::vector<uint64_t> shape;
  std::vector<uint64_t> strides;  // as many as sizes in shape
};

/// A number that is no tensor, in a nested container.
struct PickledNumber {
  std::string_view name;
  double value = 0;
  bool whole = false;  // written as a whole number; at most 32 bits then
};

struct PickleContent {
  enum class Form { kTensor, kDictionary, kList };
  Form form = Form::kTensor;
  std::vector<PickledTensor> tensors;
  // Dictionary keys (empty for list items) whose value is not a tensor.  With nested containers:
  // names of what is neither a tensor nor a number nor a container that was looked into.
  std::vector<std::string_view> others;
  std::vector<PickledNumber> numbers;  // of nested containers
  std::deque<std::string> names;       // moving it keeps the views
};

/// Throws Error(kBadInput, "<where>: …").
PickleContent read_pickle(std::span<const std::byte> pickle, const PicklePolicy& policy,
                          std::string_view where);

}  // namespace kani
