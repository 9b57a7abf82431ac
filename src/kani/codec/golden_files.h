// golden_files.h - reading tests/data/codec and lining up what is compared with it: for the tests
// of this folder.  Cases and limits: tests/data/codec/README.md.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "kani/backend/cpu/signal_ops_cpu.h"
#include "kani/base/error.h"
#include "kani/base/view.h"
#include "kani/formats/tensor_file.h"

namespace kani {

inline std::filesystem::path golden_path(const std::string& name) {
  return std::filesystem::path(KANI_TEST_DATA) / "codec" / name;
}

// [B, G, T] int32 as one frame-major list per item.
inline std::vector<std::vector<int32_t>> tokens_of(const TensorFile& file,
                                                   const std::string& name) {
  const TensorInfo* tensor = file.find(name.empty() ? "tokens" : name + ".tokens");
  if (tensor == nullptr) throw Error(ErrorCode::kNotFound, "no golden ", name);
  const std::vector<float> values = tensor_to_f32(*tensor);
  const size_t items = tensor->shape[0], books = tensor->shape[1], frames = tensor->shape[2];
  std::vector<std::vector<int32_t>> out(items);
  for (size_t b = 0; b < items; ++b) {
    for (size_t t = 0; t < frames; ++t) {
      for (size_t g = 0; g < books; ++g) {
        out[b].push_back(static_cast<int32_t>(values[(b * books + g) * frames + t]));
      }
    }
  }
  return out;
}

inline std::vector<float> floats_of(const TensorFile& file, const std::string& name) {
  const TensorInfo* tensor = file.find(name);
  if (tensor == nullptr) throw Error(ErrorCode::kNotFound, "no golden ", name);
  return tensor_to_f32(*tensor);
}

// Everything a tap reports, pieces joined along time: name -> [C][T].
using Stages = std::map<std::string, std::vector<std::vector<float>>, std::less<>>;
inline std::function<void(std::string_view, ConstMatrix)> collect(Stages& stages) {
  return [&stages](std::string_view name, ConstMatrix values) {
    auto& rows = stages[std::string(name)];
    rows.resize(values.rows());
    for (size_t r = 0; r < values.rows(); ++r) {
      rows[r].insert(rows[r].end(), values.row(r), values.row(r) + values.cols());
    }
  };
}

// The levels with VNNI and with BF16 have no float32 kernels of their own.
inline std::vector<cpu::Isa> float32_isas() {
  std::vector<cpu::Isa> isas = cpu::available_isas();
  std::erase(isas, cpu::Isa::kAvx512Vnni);
  std::erase(isas, cpu::Isa::kAvx512Bf16);
  return isas;
}
inline std::string isa_label(const testing::TestParamInfo<cpu::Isa>& info) {
  return std::string(cpu::isa_name(info.param));
}
}  // namespace kani
