// pickle.cc - what torch's names mean: storages, tensors, parameters, ordered dictionaries.
// Everything else that a pickle could name is refused before it could mean anything.
#include "kani/formats/pickle.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "kani/formats/pickle_machine.h"
#include "kani/formats/tensor_table.h"

namespace kani {
namespace {

constexpr size_t kMaxLocation = 64;  // bytes; "cpu", "cuda:0"
constexpr size_t kMaxKeyDigits = 10;
constexpr size_t kMaxNestedKey = 64;  // bytes; the same key may be part of many names

enum Global : uint32_t { kOrderedDict, kRebuildTensor, kRebuildParameter, kStorageType };

constexpr std::pair<std::string_view, DType> kStorageTypes[] = {
    {"FloatStorage", DType::kF32},  {"HalfStorage", DType::kF16}, {"BFloat16Storage", DType::kBF16},
    {"DoubleStorage", DType::kF64}, {"IntStorage", DType::kI32},  {"LongStorage", DType::kI64}};

struct Storage {
  DType dtype = DType::kF32;
  std::string_view key;
  uint64_t numel = 0;
};

struct Tensor {
  uint32_t storage = 0;
  uint64_t offset = 0;
  PickleTuple shape;
  PickleTuple strides;
};

class TorchPickle final : public PickleMachine {
 public:
  using PickleMachine::PickleMachine;
  PickleContent read() { return content(run()); }

 private:
  PickleValue global(std::string_view module, std::string_view name) override;
  PickleValue persistent(PickleTuple id) override;
  PickleValue call(const PickleValue& callee, PickleTuple arguments) override;
  void set_state(const PickleContainer& object, const PickleContainer& state) override;

  PickleValue make_tensor(PickleTuple arguments);
  PickleValue make_parameter(PickleTuple arguments) const;
  PickleTuple sizes(const PickleValue& value, std::string_view what) const;
  bool is_empty_dictionary(const PickleValue& value) const;

  PickleContent content(const PickleValue& result) const;
  PickledTensor describe(const PickleValue& value, std::string_view name) const;
  const PickleContainer& unwrap(const PickleContainer& outer) const;
  PickleContent nested_content(const PickleContainer& all) const;
  std::string nested_name(const std::string& outer, const PickleValue& key, uint32_t place) const;

  std::vector<Storage> storages_;
  std::vector<Tensor> tensors_;
};

PickleValue TorchPickle::global(std::string_view module, std::string_view name) {
  const auto known = [](Global global, int64_t number = 0) {
    return PickleValue{.kind = PickleValue::kGlobal, .index = global, .number = number};
  };
  if (module == "collections" && name == "OrderedDict") return known(kOrderedDict);
  if (module == "torch._utils" && name == "_rebuild_tensor_v2") return known(kRebuildTensor);
  if (module == "torch._utils" && name == "_rebuild_parameter" && policy().parameters) {
    return known(kRebuildParameter);
  }
  for (const auto& [type, dtype] : kStorageTypes) {
    const std::span<const DType> accepted = policy().storages;
    if (module == "torch" && name == type &&
        std::find(accepted.begin(), accepted.end(), dtype) != accepted.end()) {
      return known(kStorageType, static_cast<int64_t>(dtype));
    }
  }
  fail("name \"", printable(module), ".", printable(name),
       "\" is not on the list of accepted names");
}

// ('storage', type, key, location, numel)
PickleValue TorchPickle::persistent(PickleTuple id) {
  if (id.count != 5 || item(id, 0).kind != PickleValue::kText || text(item(id, 0)) != "storage") {
    fail("the persistent id is not that of a storage");
  }
  const PickleValue& type = item(id, 1);
  const PickleValue& key = item(id, 2);
  const PickleValue& location = item(id, 3);
  const PickleValue& numel = item(id, 4);
  if (type.kind != PickleValue::kGlobal || type.index != kStorageType) {
    fail("the storage has no storage type");
  }
  if (key.kind != PickleValue::kText || text(key).empty() || text(key).size() > kMaxKeyDigits ||
      text(key).find_first_not_of("0123456789") != std::string_view::npos) {
    fail("the storage's key is not a decimal number");
  }
  if (location.kind != PickleValue::kText || text(location).size() > kMaxLocation) {
    fail("the storage's location is not a text of at most ", kMaxLocation, " bytes");
  }
  if (numel.kind != PickleValue::kInt || numel.number < 0) {
    fail("the storage's number of elements is not a whole number from 0");
  }
  storages_.push_back(
      {static_cast<DType>(type.number), text(key), static_cast<uint64_t>(numel.number)});
  return {.kind = PickleValue::kStorage, .index = static_cast<uint32_t>(storages_.size() - 1)};
}

PickleValue TorchPickle::call(const PickleValue& callee, PickleTuple arguments) {
  switch (callee.index) {
    case kOrderedDict:
      if (arguments.count != 0) fail("OrderedDict with arguments");
      return new_dictionary();
    case kRebuildTensor:
      return make_tensor(arguments);
    case kRebuildParameter:
      return make_parameter(arguments);
    default:
      fail("a storage type is not called");
  }
}

bool TorchPickle::is_empty_dictionary(const PickleValue& value) const {
  return value.kind == PickleValue::kContainer && container(value).dictionary &&
         container(value).count == 0;
}

PickleTuple TorchPickle::sizes(const PickleValue& value, std::string_view what) const {
  if (value.kind != PickleValue::kTuple) fail("the tensor's ", what, " is not a tuple");
  const PickleTuple sizes = tuple(value);
  if (sizes.count > kMaxRank) fail("the tensor has more than ", kMaxRank, " dimensions");
  for (size_t i = 0; i < sizes.count; ++i) {
    if (item(sizes, i).kind != PickleValue::kInt || item(sizes, i).number < 0) {
      fail("the tensor's ", what, " holds something else than whole numbers from 0");
    }
  }
  return sizes;
}

// (storage, offset, shape, strides, requires_grad, hooks)
PickleValue TorchPickle::make_tensor(PickleTuple arguments) {
  if (arguments.count != 6) {
    fail("_rebuild_tensor_v2 with ", arguments.count, " arguments, must be 6");
  }
  const PickleValue& offset = item(arguments, 1);
  if (item(arguments, 0).kind != PickleValue::kStorage) fail("the tensor has no storage");
  if (offset.kind != PickleValue::kInt || offset.number < 0) {
    fail("the tensor's offset is not a whole number from 0");
  }
  Tensor tensor;
  tensor.storage = item(arguments, 0).index;
  tensor.offset = static_cast<uint64_t>(offset.number);
  tensor.shape = sizes(item(arguments, 2), "shape");
  tensor.strides = sizes(item(arguments, 3), "strides");
  if (tensor.shape.count != tensor.strides.count) {
    fail("the tensor has ", tensor.shape.count, " sizes and ", tensor.strides.count, " strides");
  }
  if (item(arguments, 4).kind != PickleValue::kBool) fail("requires_grad is not a truth value");
  if (!is_empty_dictionary(item(arguments, 5))) {
    fail("the tensor's hooks are not an empty dictionary");
  }
  tensors_.push_back(tensor);
  return {.kind = PickleValue::kTensor, .index = static_cast<uint32_t>(tensors_.size() - 1)};
}

// (tensor, requires_grad, hooks): the tensor itself
PickleValue TorchPickle::make_parameter(PickleTuple arguments) const {
  if (arguments.count != 3 || item(arguments, 0).kind != PickleValue::kTensor ||
      item(arguments, 1).kind != PickleValue::kBool || !is_empty_dictionary(item(arguments, 2))) {
    fail("_rebuild_parameter needs a tensor, a truth value and an empty dictionary");
  }
  return item(arguments, 0);
}

// A state_dict's versions of modules: read like the rest, then forgotten.
void TorchPickle::set_state(const PickleContainer&, const PickleContainer& state) {
  if (state.count != 1 || pair(state.first).key.kind != PickleValue::kText ||
      text(pair(state.first).key) != "_metadata") {
    fail("BUILD sets something else than _metadata");
  }
}

const PickleContainer& TorchPickle::unwrap(const PickleContainer& outer) const {
  if (!policy().unwraps_state_dict || !outer.dictionary) return outer;
  uint32_t at = outer.first;
  for (uint32_t i = 0; i < outer.count; ++i, at = pair(at).next) {
    const PickleValue& value = pair(at).value;
    if (text(pair(at).key) == "state_dict" && value.kind == PickleValue::kContainer &&
        container(value).dictionary) {
      return container(value);
    }
  }
  return outer;
}

PickledTensor TorchPickle::describe(const PickleValue& value, std::string_view name) const {
  const Tensor& tensor = tensors_[value.index];
  const Storage& storage = storages_[tensor.storage];
  PickledTensor out;
  out.name = name;
  out.dtype = storage.dtype;
  out.key = storage.key;
  out.numel = storage.numel;
  out.offset = tensor.offset;
  for (size_t i = 0; i < tensor.shape.count; ++i) {
    out.shape.push_back(static_cast<uint64_t>(item(tensor.shape, i).number));
    out.strides.push_back(static_cast<uint64_t>(item(tensor.strides, i).number));
  }
  return out;
}

std::string TorchPickle::nested_name(const std::string& outer, const PickleValue& key,
                                     uint32_t place) const {
  std::string inner;
  if (key.kind == PickleValue::kText) {
    if (text(key).size() > kMaxNestedKey) {
      refuse(where(), "a key of ", text(key).size(), " bytes, at most ", kMaxNestedKey,
             " are accepted");
    }
    inner = text(key);
  } else {
    inner = std::to_string(key.kind == PickleValue::kInt ? key.number : int64_t{place});
  }
  return outer.empty() ? inner : concat(outer, "/", inner);
}

// Level by level, so that places in lists come in order.  Visits are counted, not containers: one
// that lies in many places, or in itself, costs as much as it would if it were written out.
PickleContent TorchPickle::nested_content(const PickleContainer& all) const {
  struct Visit {
    const PickleContainer* container;
    std::string name;
    size_t depth;
  };
  PickleContent out;
  out.form = all.dictionary ? PickleContent::Form::kDictionary : PickleContent::Form::kList;
  std::deque<Visit> waiting{{&all, "", 1}};
  size_t entries = 0;
  while (!waiting.empty()) {
    const Visit visit = std::move(waiting.front());
    waiting.pop_front();
    uint32_t at = visit.container->first;
    for (uint32_t i = 0; i < visit.container->count; ++i, at = pair(at).next) {
      if (++entries > policy().entries) {
        refuse(where(), "more than ", policy().entries, " entries");
      }
      const PickleValue& value = pair(at).value;
      std::string name = nested_name(visit.name, pair(at).key, i);
      if (value.kind == PickleValue::kContainer && visit.depth < policy().depth) {
        waiting.push_back({&container(value), std::move(name), visit.depth + 1});
        continue;
      }
      const std::string_view kept = out.names.emplace_back(std::move(name));
      if (value.kind == PickleValue::kTensor) {
        out.tensors.push_back(describe(value, kept));
      } else if (value.kind == PickleValue::kInt) {
        out.numbers.push_back({kept, static_cast<double>(value.number), /*whole=*/true});
      } else if (value.kind == PickleValue::kReal) {
        out.numbers.push_back({kept, std::bit_cast<double>(value.number), /*whole=*/false});
      } else {
        out.others.push_back(kept);
      }
    }
  }
  return out;
}

PickleContent TorchPickle::content(const PickleValue& result) const {
  PickleContent out;
  if (result.kind == PickleValue::kTensor) {
    out.tensors.push_back(describe(result, {}));
    return out;
  }
  if (result.kind != PickleValue::kContainer) {
    refuse(where(), "the pickle holds neither a tensor nor a dictionary or list of tensors");
  }
  if (policy().depth > 1) return nested_content(container(result));
  const PickleContainer& all = unwrap(container(result));
  if (all.count > policy().entries) {
    refuse(where(), all.count, " entries, at most ", policy().entries, " are accepted");
  }
  out.form = all.dictionary ? PickleContent::Form::kDictionary : PickleContent::Form::kList;
  uint32_t at = all.first;
  for (uint32_t i = 0; i < all.count; ++i, at = pair(at).next) {
    const std::string_view name = all.dictionary ? text(pair(at).key) : std::string_view{};
    if (pair(at).value.kind == PickleValue::kTensor) {
      out.tensors.push_back(describe(pair(at).value, name));
    } else {
      out.others.push_back(name);
    }
  }
  return out;
}

}  // namespace

PickleContent read_pickle(std::span<const std::byte> pickle, const PicklePolicy& policy,
                          std::string_view where) {
  return TorchPickle(pickle, policy, where).read();
}

}  // namespace kani
