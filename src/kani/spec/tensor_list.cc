// tensor_list.cc - see tensor_list.h.
#include "kani/spec/tensor_list.h"

#include <unordered_set>

#include "kani/base/error.h"
#include "kani/base/log.h"

namespace kani {
namespace {

constexpr size_t kMostNames = 8;  // of one kind in one message

bool fits(const TensorSpec& spec, const TensorInfo& tensor) {
  if (tensor.shape == spec.shape) return true;
  return spec.shape.empty() && tensor.shape.size() == 1 && tensor.shape[0] == 1;
}

bool is_number_type(DType type) {
  return type == DType::kF32 || type == DType::kF16 || type == DType::kBF16;
}

}  // namespace

void NameList::add(std::string_view text) {
  if (++count_ <= kMostNames) text_ += concat(count_ > 1 ? ", " : "", text);
}

std::string NameList::text() const {
  return count_ > kMostNames ? concat(text_, " and ", count_ - kMostNames, " more") : text_;
}

const TensorInfo* find_tensor(const TensorSpec& spec, const TensorFile& file) {
  const TensorInfo* tensor = file.find(spec.name);
  return tensor || spec.other_name.empty() ? tensor : file.find(spec.other_name);
}

void check_tensor_list(const std::vector<TensorSpec>& specs, const TensorFile& file) {
  NameList missing, wrong;
  for (const TensorSpec& spec : specs) {
    const TensorInfo* tensor = find_tensor(spec, file);
    if (!tensor) {
      if (!spec.optional) missing.add(spec.name);
    } else if (!fits(spec, *tensor)) {
      wrong.add(concat(tensor->name, " has shape ", shape_text(tensor->shape), ", expected ",
                       shape_text(spec.shape)));
    } else if (!is_number_type(tensor->dtype)) {
      wrong.add(concat(tensor->name, " has type ", dtype_name(tensor->dtype),
                       ", expected F32, F16 or BF16"));
    }
  }
  if (missing.count() == 0 && wrong.count() == 0) return;
  std::string what;
  if (missing.count() > 0) what = concat("missing tensors: ", missing.text());
  if (wrong.count() > 0) what += concat(what.empty() ? "" : "; ", wrong.text());
  throw Error(ErrorCode::kBadInput, file.path(), ": ", what);
}

void warn_of_strangers(const std::vector<TensorSpec>& specs, const TensorFile& file,
                       const std::function<bool(std::string_view name)>& told) {
  std::unordered_set<std::string_view> known;
  for (const TensorSpec& spec : specs) {
    known.insert(spec.name);
    known.insert(spec.other_name);
  }
  NameList strangers;
  for (const TensorInfo& tensor : file.tensors()) {
    if (!known.contains(tensor.name) && !told(tensor.name)) strangers.add(printable(tensor.name));
  }
  if (strangers.count() > 0) {
    log_warning("spec", file.path(), ": tensors of no known use, ignored: ", strangers.text());
  }
}

}  // namespace kani
