// torch_optimizer_fuzz.cc - optimizer.pt; inputs that begin as a pickle go to the pickle reader
// alone, under the optimizer's policy.  Only kani::Error may come out; what is accepted must hold
// its promises.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "archive_mutator.h"
#include "kani/base/error.h"
#include "kani/formats/pickle.h"
#include "kani/formats/torch_optimizer.h"

namespace {

void expect(bool holds) {
  if (!holds) std::abort();
}

void check_pickle(std::span<const std::byte> bytes) {
  const kani::PickleContent content = kani::read_pickle(bytes, kani::kOptimizerPickle, "fuzz");
  expect(content.names.size() ==
         content.tensors.size() + content.numbers.size() + content.others.size());
  for (const kani::PickledTensor& tensor : content.tensors)
    expect(tensor.shape.size() == tensor.strides.size() && !tensor.key.empty());
}

void check_optimizer(std::span<const std::byte> bytes) {
  const kani::TorchOptimizer optimizer = kani::parse_torch_optimizer(bytes, "fuzz");
  size_t parameters = 0;
  for (const kani::SavedGroup& group : optimizer.groups) parameters += group.parameters;
  expect(!optimizer.groups.empty());
  for (const auto& [number, moments] : optimizer.state) {
    expect(number >= 0 && static_cast<size_t>(number) < parameters && moments.steps >= 0);
    expect(moments.first.shape == moments.second.shape);
    for (const kani::TensorInfo& tensor : {moments.first, moments.second})
      expect(kani::tensor_to_f32(tensor).size() == tensor.elements());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::span<const std::byte> bytes = std::as_bytes(std::span(data, size));
  try {
    if (size > 0 && data[0] == 0x80) {
      check_pickle(bytes);
    } else {
      check_optimizer(bytes);
    }
  } catch (const kani::Error&) {
  }
  return 0;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned seed) {
  return kani::fuzz::mutate_torch_file(data, size, max_size, seed);
}
