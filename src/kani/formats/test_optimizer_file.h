// test_optimizer_file.h - optimizer.pt as torch.save lays it out, written by hand for tests: here,
// and in the trainer.
#pragma once

#include <bit>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "kani/base/error.h"
#include "kani/formats/test_files.h"

namespace kani::test {

inline std::string p_real(double value) {
  const auto bits = std::bit_cast<uint64_t>(value);
  std::string out = "G";
  for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>(bits >> shift);
  return out;
}

struct OptimizerParameter {
  std::vector<int64_t> shape;
  float steps = 0;
  std::vector<float> first, second;  // as many as the shape says
};

/// Two parts that belong together: the pickle, and the storages that it names.
struct OptimizerPickle {
  std::string pickle;
  std::vector<std::string> storages;

  std::string tensor(const std::vector<float>& values, const std::vector<int64_t>& shape) {
    TensorPickle out;
    out.key = p_text(std::to_string(storages.size()));
    out.location = p_text("cuda:0");
    out.numel = p_int(static_cast<int64_t>(values.size()));
    std::vector<int64_t> strides(shape.size(), 1);
    for (size_t i = shape.size(); i-- > 1;) strides[i - 1] = strides[i] * shape[i];
    out.shape = shape.empty() ? ")" : p_tuple(shape);
    out.strides = shape.empty() ? ")" : p_tuple(strides);
    std::string& storage = storages.emplace_back(4 * values.size(), '\0');
    std::memcpy(storage.data(), values.data(), storage.size());
    return out.text();
  }

  /// `groups`: how many parameters each has, all together as many as there are.
  OptimizerPickle(const std::vector<OptimizerParameter>& parameters,
                  const std::vector<size_t>& groups, double rate = 9e-4) {
    std::string state, lists;
    for (size_t i = 0; i < parameters.size(); ++i) {
      const OptimizerParameter& p = parameters[i];
      if (p.steps == 0) continue;  // never updated: torch keeps nothing
      state += p_int(static_cast<int64_t>(i)) + "}(" + p_text("step") + tensor({p.steps}, {}) +
               p_text("exp_avg") + tensor(p.first, p.shape) + p_text("exp_avg_sq") +
               tensor(p.second, p.shape) + "u";
    }
    int64_t number = 0;
    for (const size_t count : groups) {
      std::string numbers;
      for (size_t i = 0; i < count; ++i) numbers += p_int(number++);
      lists += "}(" + p_text("lr") + p_real(rate / 2) + p_text("betas") + p_real(0.9) +
               p_real(0.999) + "\x86" + p_text("eps") + p_real(1e-8) + p_text("weight_decay") +
               p_real(0) + p_text("amsgrad") + "\x89" + p_text("foreach") + "N" + p_text("fused") +
               "\x88" + p_text("initial_lr") + p_real(rate) + p_text("params") + "](" + numbers +
               "eu";
      rate *= 1.5;
    }
    pickle = pickle_file("}(" + p_text("state") + "}(" + state + "u" + p_text("param_groups") +
                         "](" + lists + "eu");
  }

  std::string file() const { return file_of(pickle); }
  /// With another pickle around the same storages.
  std::string file_of(const std::string& other) const {
    std::vector<ZipEntry> entries{{.name = "optimizer/data.pkl", .data = other},
                                  {.name = "optimizer/byteorder", .data = "little"}};
    for (size_t i = 0; i < storages.size(); ++i)
      entries.push_back({.name = concat("optimizer/data/", i), .data = storages[i]});
    entries.push_back({.name = "optimizer/version", .data = "3\n"});
    return zip_file(entries);
  }
};

}  // namespace kani::test
