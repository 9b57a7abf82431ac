// audio_table.cc - see audio_table.h.
#include "kani/train/audio_table.h"

#include <ATen/Parallel.h>

#include <cmath>
#include <numeric>

#include "kani/base/error.h"
#include "kani/base/random.h"
#include "kani/train/loops.h"
#include "kani/train/torch_function.h"

namespace kani::train {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

constexpr const char* kTextRows = "model.embed_tokens.weight";
constexpr int64_t kRowGrain = 64;

class TableRows : public Function<TableRows> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& table,
                            const at::Tensor& places) {
    const int64_t count = places.size(0), parts = places.size(1), width = table.size(1);
    const at::Tensor from = table.contiguous();
    at::Tensor out = at::empty({count, width}, table.options());
    at::parallel_for(0, count, kRowGrain, [&](int64_t begin, int64_t end) {
      loops::sum_rows(from.const_data_ptr<float>(), places.const_data_ptr<int64_t>(), parts, begin,
                      end, width, out.mutable_data_ptr<float>());
    });
    context->save_for_backward({places});
    context->saved_data["rows"] = table.size(0);
    return out;
  }

  static variable_list backward(AutogradContext* context, variable_list grads) {
    const at::Tensor places = context->get_saved_variables()[0], dy = grads[0].contiguous();
    at::Tensor dtable = at::zeros({context->saved_data["rows"].toInt(), dy.size(1)}, dy.options());
    loops::add_rows(dy.const_data_ptr<float>(), places.const_data_ptr<int64_t>(), places.size(1),
                    places.size(0), dy.size(1), dtable.mutable_data_ptr<float>());
    return {dtable, {}};
  }
};

}  // namespace

TableFactors TableFactors::of(const Lfm2Config& config, const std::vector<int64_t>& levels) {
  TableFactors out{config.audio_tokens_start, config.tokens_per_frame, levels};
  require(!levels.empty() && out.codes() == config.codebook_size(), "audio_levels make ",
          out.codes(), " codes, the model's codebooks have ", config.codebook_size());
  return out;
}

int64_t TableFactors::codes() const {
  return std::accumulate(levels.begin(), levels.end(), int64_t{1}, std::multiplies<>());
}

int64_t TableFactors::book_rows() const {
  return std::accumulate(levels.begin(), levels.end(), int64_t{1});
}

void TableFactors::rows_of(int64_t id, int64_t* rows) const {
  std::fill(rows, rows + parts(), -1);
  if (id < text_rows) {
    rows[0] = id;
    return;
  }
  const int64_t place = id - text_rows, book = place / codes();
  int64_t code = place % codes(), row = text_rows + book * book_rows();
  *rows++ = row++;
  for (const int64_t level : levels) {
    *rows++ = row + code % level;
    code /= level;
    row += level;
  }
}

at::Tensor random_table(const TableFactors& factors, int64_t width, double deviation,
                        uint64_t seed) {
  Random random(splitmix64(seed));
  at::Tensor out = at::empty({factors.rows(), width}, at::kFloat);
  float* number = out.mutable_data_ptr<float>();
  const double part = deviation / std::sqrt(static_cast<double>(factors.parts()));
  for (int64_t row = 0; row < factors.rows(); ++row) {
    const double spread = row < factors.text_rows ? deviation : part;
    for (int64_t i = 0; i < width; ++i)
      *number++ = static_cast<float>(random.next_normal() * spread);
  }
  return out;
}

at::Tensor fitted_table(const TableFactors& factors, const at::Tensor& rows) {
  at::NoGradGuard no_grad;
  require(rows.size(0) == factors.ids(), "a table of ", rows.size(0), " rows, expected ",
          factors.ids());
  std::vector<at::Tensor> out{rows.slice(0, 0, factors.text_rows)};
  // With every code there once the means over all codes that share a digit are the least squares.
  std::vector<int64_t> shape(factors.levels.rbegin(), factors.levels.rend());
  shape.push_back(rows.size(1));
  const auto digits = static_cast<int64_t>(factors.levels.size());
  for (int64_t book = 0; book < factors.codebooks; ++book) {
    const int64_t first = factors.text_rows + book * factors.codes();
    const at::Tensor codes =
        rows.slice(0, first, first + factors.codes()).to(at::kDouble).reshape(shape);
    std::vector<int64_t> all(static_cast<size_t>(digits));
    std::iota(all.begin(), all.end(), 0);
    const at::Tensor group = codes.mean(all).unsqueeze(0);
    out.push_back(group.to(rows.scalar_type()));
    for (int64_t d = 0; d < digits; ++d) {
      std::vector<int64_t> others;
      for (const int64_t i : all) {
        if (i != digits - 1 - d) others.push_back(i);
      }
      const at::Tensor mean = others.empty() ? codes : codes.mean(others);
      out.push_back((mean - group).to(rows.scalar_type()));
    }
  }
  return at::cat(out, 0).detach().contiguous();
}

at::Tensor written_out(const TableFactors& factors, const at::Tensor& table) {
  std::vector<at::Tensor> out{table.slice(0, 0, factors.text_rows)};
  const at::Tensor codes = at::arange(factors.codes(), table.options().dtype(at::kLong));
  for (int64_t book = 0; book < factors.codebooks; ++book) {
    int64_t row = factors.text_rows + book * factors.book_rows(), base = 1;
    at::Tensor sum = table.slice(0, row, row + 1);
    ++row;
    for (const int64_t level : factors.levels) {
      const at::Tensor digit = codes.div(base, "floor").remainder(level);
      sum = sum + table.slice(0, row, row + level).index_select(0, digit);
      row += level;
      base *= level;
    }
    out.push_back(sum);
  }
  return at::cat(out, 0);
}

at::Tensor table_rows(const TableFactors& factors, const at::Tensor& table,
                      const std::vector<int64_t>& ids) {
  if (!table.is_cpu() || table.scalar_type() != at::kFloat) {
    const at::Tensor places = at::tensor(at::IntArrayRef(ids), at::kLong).to(table.device());
    return written_out(factors, table).index_select(0, places);
  }
  const int64_t parts = factors.parts();
  at::Tensor places = at::empty({static_cast<int64_t>(ids.size()), parts}, at::kLong);
  int64_t* place = places.mutable_data_ptr<int64_t>();
  for (size_t i = 0; i < ids.size(); ++i)
    factors.rows_of(ids[i], place + static_cast<int64_t>(i) * parts);
  return TableRows::apply(table, places);
}

void put_factors(const TableFactors& factors, const at::Tensor& table, ParameterMap& parameters) {
  require(table.size(0) == factors.rows(), "a table of ", table.size(0), " factors, expected ",
          factors.rows());
  const auto embedding = parameters.find(kTextRows);
  const bool learns = embedding == parameters.end() || embedding->second.requires_grad();
  parameters.erase(kTextRows);
  parameters[kFactorTable] = table.detach().set_requires_grad(learns);
}

ParameterMap without_factors(const TableFactors& factors, const ParameterMap& parameters) {
  ParameterMap out = parameters;
  if (!factors.on()) return out;
  at::NoGradGuard no_grad;
  const auto table = out.find(kFactorTable);
  require(table != out.end(), "the model has no parameter ", kFactorTable);
  out[kTextRows] = written_out(factors, table->second.detach());
  out.erase(kFactorTable);
  return out;
}

ParameterMap factors_alone(const ParameterMap& parameters) {
  ParameterMap out;
  const auto table = parameters.find(kFactorTable);
  if (table != parameters.end()) out[kFactorTable] = table->second.detach();
  return out;
}

}  // namespace kani::train
