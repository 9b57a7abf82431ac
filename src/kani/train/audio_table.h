// audio_table.h - rows of audio ids that are sums: one row for the codebook and one for each digit
// of the code.  132 rows for four codebooks of 9 x 8 x 8 x 7 codes instead of 16,128, so that what
// is learnt of a digit is known of every code that has it; a few hours of speech hold only some
// tens of examples of each code.  Digits as the codec makes codes of them: code = n0 + 9 n1 + 72 n2
// + 576 n3 (codec.md 3.1).
// For training alone: files hold the table written out.  What the sums cannot say (digits of one
// code that belong together) a run from the written-out table learns.
// Not here: the loss over such rows (ops.h).
#pragma once

#include <cstdint>
#include <vector>

#include "kani/spec/lfm2.h"
#include "kani/train/parameters.h"

namespace kani::train {

/// How ids become rows.  Rows: text and control ids, then of each codebook its own and those of its
/// digits.
struct TableFactors {
  int64_t text_rows = 0;  // A: ids below have a row each
  int64_t codebooks = 0;
  std::vector<int64_t> levels{};  // of the digits, the fastest first; none: every id has a row

  /// Throws Error(kInvalidArgument) if the levels do not make the model's codebooks.
  static TableFactors of(const Lfm2Config& config, const std::vector<int64_t>& levels);

  bool on() const { return !levels.empty(); }
  int64_t codes() const;  // of a codebook
  int64_t book_rows() const;
  int64_t rows() const { return text_rows + codebooks * book_rows(); }
  int64_t ids() const { return text_rows + codebooks * codes(); }
  int64_t parts() const { return 1 + static_cast<int64_t>(levels.size()); }
  /// The rows that id is the sum of, parts() numbers; -1 where a text id has no more.
  void rows_of(int64_t id, int64_t* rows) const;
};

/// The parameter that stands for the embedding, [rows, H].
inline constexpr const char* kFactorTable = "model.embed_tokens.factors";

/// Nothing learnt: written-out rows are Normal(0, deviation), a function of `seed`.
at::Tensor random_table(const TableFactors& factors, int64_t width, double deviation,
                        uint64_t seed);
/// The sums that are nearest to a table [ids, H] by least squares.
at::Tensor fitted_table(const TableFactors& factors, const at::Tensor& rows);
/// [ids, H]; differentiable.
at::Tensor written_out(const TableFactors& factors, const at::Tensor& table);
/// The rows of ids, [N, H]; differentiable.
at::Tensor table_rows(const TableFactors& factors, const at::Tensor& table,
                      const std::vector<int64_t>& ids);

/// The embedding replaced by the factor table, wanting a gradient if it did.
void put_factors(const TableFactors& factors, const at::Tensor& table, ParameterMap& parameters);
/// Parameters as files have them: the factor table written out, other tensors shared.
ParameterMap without_factors(const TableFactors& factors, const ParameterMap& parameters);
/// The factor table alone, sharing the tensor.
ParameterMap factors_alone(const ParameterMap& parameters);

}  // namespace kani::train
