// device_update.cc - see device_update.h.
#include "kani/train/device_update.h"

#include <cmath>
#include <cstring>

#include "kani/train/cuda_device.h"

namespace kani::train::device {
namespace {

// A table of what the kernels work on, beside `like`; and how many blocks that takes.
struct Table {
  at::Tensor bytes;
  int64_t tensors = 0, blocks = 0;
  const cuda::AdamwTensor* data() const {
    return static_cast<const cuda::AdamwTensor*>(bytes.const_data_ptr());
  }
};

Table table_of(std::vector<cuda::AdamwTensor> rows, const at::Tensor& like) {
  Table out;
  for (cuda::AdamwTensor& row : rows) {
    row.block = out.blocks;
    out.blocks += cuda::adamw_blocks(row.count);
  }
  out.tensors = static_cast<int64_t>(rows.size());
  const size_t bytes = rows.size() * sizeof(cuda::AdamwTensor);
  const at::Tensor host = at::empty({static_cast<int64_t>(bytes)}, at::kByte);
  std::memcpy(host.mutable_data_ptr(), rows.data(), bytes);
  out.bytes = host.to(like.device());
  return out;
}

}  // namespace

void adamw(const cuda::Kernels& kernels, const std::vector<UpdateRow>& rows, cuda::Adamw rules) {
  std::vector<cuda::AdamwTensor> table;
  std::vector<at::Tensor> gradients;  // kept until the kernel is started
  for (const UpdateRow& row : rows) {
    if (row.parameter.numel() == 0) continue;
    gradients.push_back(row.gradient.contiguous());
    table.push_back({.parameter = row.parameter.mutable_data_ptr<float>(),
                     .gradient = gradients.back().const_data_ptr<float>(),
                     .first = row.first.mutable_data_ptr<float>(),
                     .second = row.second.mutable_data_ptr<float>(),
                     .steps = row.steps.const_data_ptr<float>(),
                     .copy = row.copy.defined() ? row.copy.mutable_data_ptr() : nullptr,
                     .count = row.parameter.numel(),
                     .block = 0,
                     .group = row.group});
  }
  if (table.empty()) return;
  const Table made = table_of(std::move(table), gradients[0]);
  rules.tensors = made.data();
  rules.tensor_count = made.tensors;
  rules.blocks = made.blocks;
  kernels.adamw(rules, stream_of(gradients[0]));
}

double gradient_norm(const cuda::Kernels& kernels, const std::vector<at::Tensor>& gradients) {
  std::vector<cuda::AdamwTensor> table;
  std::vector<at::Tensor> read;
  for (const at::Tensor& gradient : gradients) {
    if (gradient.numel() == 0) continue;
    read.push_back(gradient.contiguous());
    cuda::AdamwTensor& row = table.emplace_back();
    row.gradient = read.back().const_data_ptr<float>();
    row.count = gradient.numel();
  }
  if (table.empty()) return 0;
  const Table made = table_of(std::move(table), read[0]);
  const at::Tensor sums = at::empty({made.blocks}, read[0].options().dtype(at::kDouble));
  kernels.square_sums({.tensors = made.data(),
                       .tensor_count = made.tensors,
                       .blocks = made.blocks,
                       .sums = sums.mutable_data_ptr<double>()},
                      stream_of(sums));
  return std::sqrt(sums.sum().item<double>());
}

}  // namespace kani::train::device
