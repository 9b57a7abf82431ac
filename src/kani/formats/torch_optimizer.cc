// torch_optimizer.cc - see torch_optimizer.h.
#include "kani/formats/torch_optimizer.h"

#include <charconv>
#include <cmath>
#include <set>
#include <utility>

#include "kani/formats/bytes.h"
#include "kani/formats/torch_archive.h"

namespace kani {
namespace {

constexpr double kMaxSteps = 1 << 24;  // counted in float32: more are not told apart

// "state/12/exp_avg" in its parts.
std::vector<std::string_view> parts_of(std::string_view name) {
  std::vector<std::string_view> parts;
  for (;;) {
    const size_t end = name.find('/');
    parts.push_back(name.substr(0, end));
    if (end == std::string_view::npos) return parts;
    name.remove_prefix(end + 1);
  }
}

class Reader {
 public:
  Reader(std::span<const std::byte> bytes, const std::string& where)
      : where_(where), archive_(bytes, where, {}, kOptimizerPickle), storages_(archive_.zip()) {}

  TorchOptimizer read() {
    if (archive_.form() != PickleContent::Form::kDictionary) fail("the pickle is no dictionary");
    for (const PickledNumber& number : archive_.numbers()) take(number);
    for (const std::string_view name : archive_.others()) check_other(name);
    for (const TorchTensor& tensor : archive_.tensors()) take(tensor);
    if (out_.groups.empty()) fail("there are no param_groups");
    check_state();
    return std::move(out_);
  }

 private:
  template <typename... Parts>
  [[noreturn]] void fail(const Parts&... parts) const {
    refuse(where_, parts...);
  }
  [[noreturn]] void misplaced(std::string_view name) const {
    fail("\"", printable(name), "\" does not belong into the state of an Adam optimizer");
  }

  // A number as keys and places are written, below `end`.
  size_t number_of(std::string_view text, std::string_view name, size_t end) const {
    size_t value = 0;
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || rest != text.data() + text.size() || value >= end) misplaced(name);
    return value;
  }

  // Groups, and what is in them, come in order.
  SavedGroup& group_of(std::string_view text, std::string_view name) {
    const size_t place = number_of(text, name, kOptimizerPickle.entries);
    if (place > out_.groups.size()) misplaced(name);
    if (place == out_.groups.size()) out_.groups.emplace_back();
    return out_.groups[place];
  }

  void take(const PickledNumber& number) {
    const auto parts = parts_of(number.name);
    if (parts[0] != "param_groups" || parts.size() < 3) misplaced(number.name);
    SavedGroup& group = group_of(parts[1], number.name);
    if (parts.size() == 3) {
      if (!group.settings.emplace(parts[2], number.value).second) {
        fail("\"", printable(number.name), "\" occurs twice");
      }
      return;
    }
    if (parts[2] != "params" ||
        number_of(parts[3], number.name, kOptimizerPickle.entries) != group.parameters) {
      misplaced(number.name);
    }
    if (!number.whole || number.value != static_cast<double>(parameters_)) {
      fail("\"", printable(number.name), "\" is ", number.value, ", expected ", parameters_,
           ": parameters are numbered through all groups");
    }
    ++group.parameters;
    ++parameters_;
  }

  // Settings that are no numbers (betas, fused) say nothing that is needed.
  void check_other(std::string_view name) const {
    const auto parts = parts_of(name);
    if (parts.size() != 3 || parts[0] != "param_groups" || parts[2] == "params") misplaced(name);
  }

  void take(const TorchTensor& tensor) {
    const auto parts = parts_of(tensor.name);
    if (parts.size() != 3 || parts[0] != "state") misplaced(tensor.name);
    const size_t number = number_of(parts[1], tensor.name, kOptimizerPickle.entries);
    if (number >= parameters_) {
      fail("\"", printable(tensor.name), "\": the groups have ", parameters_, " parameters");
    }
    const TensorInfo info{.name = std::string(tensor.name),
                          .dtype = tensor.dtype,
                          .shape = tensor.shape,
                          .bytes = storages_.bytes(tensor)};
    SavedMoments& moments = out_.state[static_cast<int64_t>(number)];
    bool again = false;
    if (parts[2] == "step") {
      again = !steps_.insert(number).second;
      moments.steps = steps_of(info);
    } else if (parts[2] == "exp_avg" || parts[2] == "exp_avg_sq") {
      TensorInfo& kept = parts[2] == "exp_avg" ? moments.first : moments.second;
      again = !kept.name.empty();
      kept = info;
    } else {
      misplaced(tensor.name);
    }
    if (again) fail("\"", printable(tensor.name), "\" occurs twice");
  }

  int64_t steps_of(const TensorInfo& info) const {
    if (info.elements() != 1) {
      fail("\"", printable(info.name), "\" has the shape ", shape_text(info.shape),
           ", must be one number");
    }
    const double steps = double{tensor_to_f32(info)[0]};
    if (!(steps >= 0 && steps <= kMaxSteps) || steps != std::floor(steps)) {
      fail("\"", printable(info.name), "\" is ", steps, ", must be a whole number from 0 to ",
           kMaxSteps);
    }
    return static_cast<int64_t>(steps);
  }

  void check_state() const {
    for (const auto& [number, moments] : out_.state) {
      for (const auto& [name, found] :
           {std::pair{"step", steps_.contains(static_cast<size_t>(number))},
            std::pair{"exp_avg", !moments.first.name.empty()},
            std::pair{"exp_avg_sq", !moments.second.name.empty()}}) {
        if (!found) fail("\"state/", number, "/", name, "\" is missing");
      }
      if (moments.first.shape != moments.second.shape) {
        fail("parameter ", number, " has moments of the shapes ", shape_text(moments.first.shape),
             " and ", shape_text(moments.second.shape));
      }
    }
  }

  const std::string& where_;
  TorchArchive archive_;
  CheckedStorages storages_;
  TorchOptimizer out_;
  size_t parameters_ = 0;
  std::set<size_t> steps_;  // parameters whose count was there
};

}  // namespace

TorchOptimizer parse_torch_optimizer(std::span<const std::byte> bytes, const std::string& where) {
  if (!text_of(bytes).starts_with("PK")) {
    refuse(where, "not a ZIP archive (as PyTorch 1.6 and later write)");
  }
  return Reader(bytes, where).read();
}

}  // namespace kani
