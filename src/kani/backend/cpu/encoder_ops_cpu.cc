// encoder_ops_cpu.cc - see encoder_ops_cpu.h.
// A product is cut into panels of 32 outputs.  A thread takes the next panel, turns it into the
// kernel's layout (once for all rows, so this costs a few hundredths of the product) and multiplies
// all rows with it.  So a matrix that is used once is read from its file, once, and never copied as
// a whole.
#include "kani/backend/cpu/encoder_ops_cpu.h"

#include <algorithm>
#include <atomic>
#include <cassert>
#include <cmath>
#include <cstring>
#include <vector>

#include "kani/backend/cpu/kernels/encoder_kernels.h"
#include "kani/base/buffer.h"

namespace kani::cpu {
namespace {

// Part of a panel that is used for all rows before the next: 64 KB, which stay in the second cache.
constexpr size_t kChunk = 512;
// Rows whose distance is a multiple of this many bytes compete for the same few places of the first
// cache, and a tile has more rows than there are places.
constexpr size_t kConflict = 1024;
constexpr size_t kPadding = 64;
// Queries of one head that are attended together.
constexpr size_t kQueries = 24;

size_t divide_up(size_t a, size_t b) { return (a + b - 1) / b; }

void overlay(EncoderTable& table, const EncoderTable& better) {
  const auto take = [](auto& slot, auto candidate) {
    if (candidate != nullptr) slot = candidate;
  };
  take(table.panel_f32, better.panel_f32);
  take(table.panel_fixed16, better.panel_fixed16);
  take(table.to_fixed16, better.to_fixed16);
  take(table.to_panel, better.to_panel);
  take(table.to_pairs, better.to_pairs);
  take(table.finish, better.finish);
  take(table.layer_norm, better.layer_norm);
  take(table.biased_softmax, better.biased_softmax);
  take(table.scale, better.scale);
  take(table.dot, better.dot);
}

RowEnd row_end(ProductEnd end) {
  switch (end) {
    case ProductEnd::kStore:
      return RowEnd::kStore;
    case ProductEnd::kGelu:
      return RowEnd::kGelu;
    case ProductEnd::kAdd:
      return RowEnd::kAdd;
    case ProductEnd::kGeluAdd:
      return RowEnd::kGeluAdd;
  }
  return RowEnd::kStore;
}

// Distance of rows of scores: whole panels of keys, and not a multiple of kConflict.
size_t score_step(size_t frames) {
  return divide_up(frames, kPanel) * kPanel + kPadding / sizeof(float);
}

// Distance of rows of whole numbers.
size_t fixed_step(size_t cols) {
  return divide_up(cols, kFixedGroup) * kFixedGroup + kPadding / sizeof(int16_t);
}

// Grows, never shrinks: a thread's room for one kind of intermediate.
template <typename T>
class Scratch {
 public:
  T* at_least(size_t count) {
    if (buffer_.size() < count) buffer_ = Buffer<T>(count);
    return buffer_.data();
  }

 private:
  Buffer<T> buffer_;
};

// One panel in the layout of a kernel.
struct Panel {
  const float* f32 = nullptr;
  const int16_t* fixed = nullptr;
  const float* scale = nullptr;
};

// Where panels are written: room for one, or for all of a matrix.
struct PanelRoom {
  float* f32 = nullptr;
  int16_t* fixed = nullptr;
  float* scale = nullptr;
};

// Rows [first, first + 32) of w; rows beyond its end are zeros.
class PanelMaker {
 public:
  PanelMaker(const FileMatrix& w, ProductPrecision precision, const EncoderTable& table)
      : w_(w), precision_(precision), table_(table) {}

  // Block by block, so that the 8 KB that all rows write to stay in the first cache.
  Panel make(size_t first, const PanelRoom& room) const {
    const size_t count = std::min(kPanel, w_.rows - first);
    if (precision_ == ProductPrecision::kF32) {
      if (count < kPanel) std::fill_n(room.f32, w_.cols * kPanel, 0.0F);
      for (size_t k = 0; k < w_.cols; k += kRun) put_f32(first, count, k, room.f32 + k * kPanel);
      return {.f32 = room.f32};
    }
    const size_t groups = divide_up(w_.cols, kFixedGroup);
    if (count < kPanel) {
      std::fill_n(room.fixed, groups * kFixedGroup * kPanel, int16_t{0});
      std::fill_n(room.scale, groups * kPanel, 0.0F);
    }
    for (size_t g = 0; g < groups; ++g) {
      put_fixed(first, count, g, room.fixed + g * kFixedGroup * kPanel, room.scale + g * kPanel);
    }
    return {.fixed = room.fixed, .scale = room.scale};
  }

 private:
  static constexpr size_t kRun = 64;

  // Numbers [k, k + count) of row r as float32 in `run`.
  const float* read(size_t r, size_t k, size_t count, float* run) const {
    const size_t width = dtype_size(w_.dtype);
    to_f32(w_.dtype, w_.bytes.subspan((r * w_.cols + k) * width, count * width), {run, count});
    return run;
  }

  // True if the file's own numbers can be used where they lie.
  bool readable() const {
    return w_.dtype == DType::kF32 &&
           reinterpret_cast<uintptr_t>(w_.bytes.data()) % alignof(float) == 0;
  }
  const float* number(size_t r, size_t k) const {
    return reinterpret_cast<const float*>(w_.bytes.data()) + r * w_.cols + k;
  }

  // A run of `count` rows from k on.
  void put_f32(size_t first, size_t count, size_t k, float* panel) const {
    const size_t cols = std::min(kRun, w_.cols - k);
    if (readable()) return table_.to_panel(number(first, k), w_.cols, count, cols, panel);
    float run[kPanel][kRun];
    for (size_t r = 0; r < count; ++r) read(first + r, k, cols, run[r]);
    table_.to_panel(run[0], kRun, count, cols, panel);
  }

  // Group g of `count` rows.
  void put_fixed(size_t first, size_t count, size_t g, int16_t* panel, float* scale) const {
    float run[kFixedGroup];
    int16_t numbers[kPanel][kFixedGroup];
    const size_t k = g * kFixedGroup, cols = std::min(kFixedGroup, w_.cols - k);
    for (size_t r = 0; r < count; ++r) {
      const float* row = readable() ? number(first + r, k) : read(first + r, k, cols, run);
      table_.to_fixed16(row, cols, numbers[r], scale + r);
    }
    table_.to_pairs(numbers[0], kFixedGroup, count, panel);
  }

  const FileMatrix& w_;
  ProductPrecision precision_;
  const EncoderTable& table_;
};

class CpuMemory final : public SignalMemory {
 public:
  explicit CpuMemory(size_t floats) : buffer_(floats) {}
  float* data() override { return buffer_.data(); }
  size_t size() const override { return buffer_.size(); }

 private:
  Buffer<float> buffer_;
};

class CpuPackedMatrix final : public PackedMatrix {
 public:
  CpuPackedMatrix(size_t rows, size_t cols, ProductPrecision precision)
      : rows_(rows), cols_(cols), precision_(precision) {
    const size_t panels = divide_up(rows, kPanel), groups = divide_up(cols, kFixedGroup);
    if (precision == ProductPrecision::kF32) {
      f32_ = Buffer<float>(panels * cols * kPanel);
    } else {
      fixed_ = Buffer<int16_t>(panels * groups * kFixedGroup * kPanel);
      scale_ = Buffer<float>(panels * groups * kPanel);
    }
  }
  size_t rows() const override { return rows_; }
  size_t cols() const override { return cols_; }
  size_t bytes() const override {
    return (f32_.size() + scale_.size()) * sizeof(float) + fixed_.size() * sizeof(int16_t);
  }
  ProductPrecision precision() const { return precision_; }

  PanelRoom room(size_t panel) {
    const size_t groups = divide_up(cols_, kFixedGroup);
    if (precision_ == ProductPrecision::kF32) return {.f32 = f32_.data() + panel * cols_ * kPanel};
    return {.fixed = fixed_.data() + panel * groups * kFixedGroup * kPanel,
            .scale = scale_.data() + panel * groups * kPanel};
  }
  Panel panel(size_t index) const {
    const PanelRoom all = const_cast<CpuPackedMatrix*>(this)->room(index);
    return {all.f32, all.fixed, all.scale};
  }

 private:
  size_t rows_;
  size_t cols_;
  ProductPrecision precision_;
  Buffer<float> f32_;
  Buffer<int16_t> fixed_;
  Buffer<float> scale_;
};

class CpuEncoderOps final : public EncoderOps {
 public:
  CpuEncoderOps(ThreadPool& pool, Isa limit)
      : pool_(pool),
        table_(encoder_table(limit)),
        has_fixed_(table_.panel_fixed16 != kEncoderScalar.panel_fixed16 || limit == Isa::kScalar),
        rooms_(static_cast<size_t>(pool.size())) {}

  std::unique_ptr<SignalMemory> allocate(size_t floats) override {
    return std::make_unique<CpuMemory>(floats);
  }
  void upload(ConstMatrix host, Matrix to) override { copy(host, to); }
  void download(ConstMatrix from, Matrix host) override { copy(from, host); }
  void copy(ConstMatrix from, Matrix to) override {
    assert(from.rows() == to.rows() && from.cols() == to.cols());
    for (size_t t = 0; t < from.rows(); ++t)
      std::memcpy(to.row(t), from.row(t), from.cols() * sizeof(float));
  }

  size_t row_stride(size_t cols) const override {
    return cols * sizeof(float) % kConflict == 0 ? cols + kPadding / sizeof(float) : cols;
  }

  std::unique_ptr<PackedMatrix> pack(const FileMatrix& w, ProductPrecision precision) override;
  void product(const Windows& x, const PackedMatrix& w, std::span<const float> bias, ProductEnd end,
               Matrix y) override;
  void product(const Windows& x, const FileMatrix& w, ProductPrecision precision,
               std::span<const float> bias, ProductEnd end, Matrix y) override;
  void layer_norm(ConstMatrix x, std::span<const float> w, std::span<const float> b, float eps,
                  bool gelu, Matrix y) override;
  void biased_attention(ConstMatrix q, ConstMatrix k, ConstMatrix v, size_t heads, ConstMatrix gate,
                        ConstMatrix bias, Matrix y) override;
  void gate(ConstMatrix n, const GateWeights& w, Matrix gate) override;

 private:
  // What one thread works in.  All of it is there before the threads are woken: they must not fail.
  struct Room {
    Scratch<float> panel, scale, v, keys, values, scores;
    Scratch<int16_t> fixed;

    void make_for_panel(size_t cols, ProductPrecision precision) {
      const size_t groups = divide_up(cols, kFixedGroup);
      if (precision == ProductPrecision::kF32) {
        panel.at_least(cols * kPanel);
        return;
      }
      fixed.at_least(groups * kFixedGroup * kPanel);
      scale.at_least(groups * kPanel);
    }
  };

  ProductPrecision usable(ProductPrecision asked) const {
    return has_fixed_ ? asked : ProductPrecision::kF32;
  }

  // Calls body(task, room of the thread) for each task; a thread that is done takes the next one.
  template <typename Body>
  void for_tasks(size_t count, Body body) {
    std::atomic<size_t> next{0};
    pool_.run([&](int thread) {
      Room& room = rooms_[static_cast<size_t>(thread)];
      for (size_t task = next.fetch_add(1); task < count; task = next.fetch_add(1))
        body(task, room);
    });
  }

  Windows spread(const Windows& x);
  void quantize(const Windows& x);
  void multiply(const Windows& x, const Panel& panel, size_t first, size_t outputs,
                std::span<const float> bias, ProductEnd end, Matrix y, Room& room);
  void attend_head(ConstMatrix q, ConstMatrix k, ConstMatrix v, ConstMatrix gate, const float* bias,
                   Matrix y, Room& room);

  ThreadPool& pool_;
  EncoderTable table_;
  bool has_fixed_;
  std::vector<Room> rooms_;  // one a thread
  // The rows of the product at hand, in kFixed16.
  Scratch<float> x_spread_;
  Scratch<int16_t> x_fixed_;
  Scratch<float> x_scale_;
};

std::unique_ptr<PackedMatrix> CpuEncoderOps::pack(const FileMatrix& w, ProductPrecision precision) {
  assert(w.bytes.size() == w.rows * w.cols * dtype_size(w.dtype));
  precision = usable(precision);
  auto packed = std::make_unique<CpuPackedMatrix>(w.rows, w.cols, precision);
  for_tasks(divide_up(w.rows, kPanel), [&](size_t panel, Room&) {
    PanelMaker(w, precision, table_).make(panel * kPanel, packed->room(panel));
  });
  return packed;
}

// The same rows at a better distance, if theirs is a bad one.
Windows CpuEncoderOps::spread(const Windows& x) {
  if (x.rows < 2 || x.step * sizeof(float) % kConflict != 0) return x;
  const size_t step = x.cols + kPadding / sizeof(float);
  float* copy = x_spread_.at_least(x.rows * step);
  pool_.parallel_for(x.rows, 16, [&](size_t begin, size_t end) {
    for (size_t t = begin; t < end; ++t)
      std::memcpy(copy + t * step, x.data + t * x.step, x.cols * sizeof(float));
  });
  return {copy, x.rows, x.cols, step};
}

void CpuEncoderOps::quantize(const Windows& x) {
  const size_t groups = divide_up(x.cols, kFixedGroup), step = fixed_step(x.cols);
  int16_t* numbers = x_fixed_.at_least(x.rows * step);
  float* scales = x_scale_.at_least(x.rows * groups);
  pool_.parallel_for(x.rows, 8, [&](size_t begin, size_t end) {
    for (size_t t = begin; t < end; ++t) {
      table_.to_fixed16(x.data + t * x.step, x.cols, numbers + t * step, scales + t * groups);
    }
  });
}

// All rows with one panel, whose first output is `first`.
void CpuEncoderOps::multiply(const Windows& x, const Panel& panel, size_t first, size_t outputs,
                             std::span<const float> bias, ProductEnd end, Matrix y, Room& room) {
  float* v = room.v.at_least(x.rows * kPanel);
  if (panel.fixed != nullptr) {
    table_.panel_fixed16({.x = x_fixed_.at_least(0),
                          .step = fixed_step(x.cols),
                          .x_scale = x_scale_.at_least(0),
                          .rows = x.rows,
                          .groups = divide_up(x.cols, kFixedGroup),
                          .panel = panel.fixed,
                          .scale = panel.scale,
                          .v = v});
  } else {
    for (size_t k = 0; k < x.cols; k += kChunk) {
      table_.panel_f32({.x = x.data + k,
                        .step = x.step,
                        .rows = x.rows,
                        .cols = std::min(kChunk, x.cols - k),
                        .panel = panel.f32 + k * kPanel,
                        .v = v,
                        .resume = k > 0});
    }
  }
  const size_t count = std::min(kPanel, outputs - first);
  const float* from = bias.empty() ? nullptr : bias.data() + first;
  table_.finish({.v = v,
                 .bias = from,
                 .rows = x.rows,
                 .n = count,
                 .end = row_end(end),
                 .y = y.data() + first,
                 .step = y.stride()});
}

void CpuEncoderOps::product(const Windows& x, const PackedMatrix& w, std::span<const float> bias,
                            ProductEnd end, Matrix y) {
  const auto& packed = static_cast<const CpuPackedMatrix&>(w);
  assert(x.cols == packed.cols() && x.rows == y.rows() && y.cols() == packed.rows());
  assert(bias.empty() || bias.size() == packed.rows());
  if (x.rows == 0) return;
  for (Room& room : rooms_) room.v.at_least(x.rows * kPanel);
  const bool fixed = packed.precision() == ProductPrecision::kFixed16;
  if (fixed) quantize(x);
  const Windows rows = fixed ? x : spread(x);
  for_tasks(divide_up(packed.rows(), kPanel), [&](size_t panel, Room& room) {
    multiply(rows, packed.panel(panel), panel * kPanel, packed.rows(), bias, end, y, room);
  });
}

void CpuEncoderOps::product(const Windows& x, const FileMatrix& w, ProductPrecision precision,
                            std::span<const float> bias, ProductEnd end, Matrix y) {
  assert(w.bytes.size() == w.rows * w.cols * dtype_size(w.dtype));
  assert(x.cols == w.cols && x.rows == y.rows() && y.cols() == w.rows);
  assert(bias.empty() || bias.size() == w.rows);
  if (x.rows == 0) return;
  precision = usable(precision);
  for (Room& room : rooms_) {
    room.v.at_least(x.rows * kPanel);
    room.make_for_panel(w.cols, precision);
  }
  const bool fixed = precision == ProductPrecision::kFixed16;
  if (fixed) quantize(x);
  const Windows rows = fixed ? x : spread(x);
  const size_t groups = divide_up(w.cols, kFixedGroup);
  for_tasks(divide_up(w.rows, kPanel), [&](size_t panel, Room& room) {
    PanelRoom space;
    if (precision == ProductPrecision::kF32) {
      space.f32 = room.panel.at_least(w.cols * kPanel);
    } else {
      space.fixed = room.fixed.at_least(groups * kFixedGroup * kPanel);
      space.scale = room.scale.at_least(groups * kPanel);
    }
    const Panel made = PanelMaker(w, precision, table_).make(panel * kPanel, space);
    multiply(rows, made, panel * kPanel, w.rows, bias, end, y, room);
  });
}

void CpuEncoderOps::layer_norm(ConstMatrix x, std::span<const float> w, std::span<const float> b,
                               float eps, bool gelu, Matrix y) {
  assert(w.size() == x.cols() && b.size() == x.cols() && y.cols() == x.cols());
  assert(x.rows() == y.rows());
  pool_.parallel_for(x.rows(), 4, [&](size_t begin, size_t end) {
    for (size_t t = begin; t < end; ++t)
      table_.layer_norm(x.row(t), w.data(), b.data(), eps, gelu, x.cols(), y.row(t));
  });
}

void CpuEncoderOps::biased_attention(ConstMatrix q, ConstMatrix k, ConstMatrix v, size_t heads,
                                     ConstMatrix gate, ConstMatrix bias, Matrix y) {
  const size_t frames = q.rows(), width = q.cols() / heads;
  assert(q.cols() == heads * width && k.cols() == q.cols() && v.cols() == q.cols());
  assert(gate.rows() == frames && gate.cols() == heads && y.rows() == frames);
  assert(bias.rows() == heads && (frames == 0 || bias.cols() == 2 * frames - 1));
  if (frames == 0) return;
  const size_t key_panels = divide_up(frames, kPanel), value_panels = divide_up(width, kPanel);
  for (Room& room : rooms_) {
    room.keys.at_least(key_panels * width * kPanel);
    room.values.at_least(value_panels * frames * kPanel);
    room.scores.at_least(kQueries * score_step(frames));
    room.v.at_least(kQueries * kPanel);
  }
  for_tasks(heads, [&](size_t h, Room& room) {
    const size_t c = h * width;
    attend_head(q.cols(c, width), k.cols(c, width), v.cols(c, width), gate.cols(h, 1), bias.row(h),
                y.cols(c, width), room);
  });
}

// Scores of a few queries with all keys, one product; softmax; their product with the values.
void CpuEncoderOps::attend_head(ConstMatrix q, ConstMatrix k, ConstMatrix v, ConstMatrix gate,
                                const float* bias, Matrix y, Room& room) {
  const size_t frames = q.rows(), width = q.cols();
  const size_t key_panels = divide_up(frames, kPanel), value_panels = divide_up(width, kPanel);
  // keys [panel][width][32]: 32 keys side by side; values [panel][frames][32]
  float* keys = room.keys.at_least(key_panels * width * kPanel);
  float* values = room.values.at_least(value_panels * frames * kPanel);
  std::fill_n(keys + (key_panels - 1) * width * kPanel, width * kPanel, 0.0F);
  for (size_t t = 0; t < frames; ++t) {
    float* key = keys + t / kPanel * width * kPanel + t % kPanel;
    for (size_t d = 0; d < width; ++d) key[d * kPanel] = k.at(t, d);
    for (size_t d = 0; d < value_panels * kPanel; ++d) {
      values[(d / kPanel * frames + t) * kPanel + d % kPanel] = d < width ? v.at(t, d) : 0.0F;
    }
  }
  const float scale = 1.0F / std::sqrt(static_cast<float>(width));
  const size_t step = score_step(frames);
  float* scores = room.scores.at_least(kQueries * step);
  float* part = room.v.at_least(kQueries * kPanel);
  for (size_t first = 0; first < frames; first += kQueries) {
    const size_t count = std::min(kQueries, frames - first);
    for (size_t p = 0; p < key_panels; ++p) {
      table_.panel_f32({.x = q.row(first),
                        .step = q.stride(),
                        .rows = count,
                        .cols = width,
                        .panel = keys + p * width * kPanel,
                        .v = part,
                        .resume = false});
      for (size_t t = 0; t < count; ++t)
        std::memcpy(scores + t * step + p * kPanel, part + t * kPanel, kPanel * sizeof(float));
    }
    float factors[kQueries];
    for (size_t t = 0; t < count; ++t) {
      const size_t i = first + t;
      factors[t] = 1.0F / table_.biased_softmax(scores + t * step, frames, scale, gate.at(i, 0),
                                                bias + (frames - 1 - i));
    }
    for (size_t p = 0; p < value_panels; ++p) {
      table_.panel_f32({.x = scores,
                        .step = step,
                        .rows = count,
                        .cols = frames,
                        .panel = values + p * frames * kPanel,
                        .v = part,
                        .resume = false});
      const size_t outputs = std::min(kPanel, width - p * kPanel);
      for (size_t t = 0; t < count; ++t)
        table_.scale(part + t * kPanel, factors[t], outputs, y.row(first + t) + p * kPanel);
    }
  }
}

void CpuEncoderOps::gate(ConstMatrix n, const GateWeights& w, Matrix gate) {
  const size_t heads = gate.cols(), width = w.wa.size();
  assert(n.cols() == heads * width && w.wb.size() == width && w.c.size() == heads);
  const auto sigmoid = [](float x) { return 1.0F / (1.0F + std::exp(-x)); };
  pool_.parallel_for(n.rows(), 16, [&](size_t begin, size_t end) {
    for (size_t t = begin; t < end; ++t) {
      for (size_t h = 0; h < heads; ++h) {
        const float* slice = n.row(t) + h * width;
        const float a = sigmoid(table_.dot(w.wa.data(), slice, width) + w.ba);
        const float b = sigmoid(table_.dot(w.wb.data(), slice, width) + w.bb);
        gate.at(t, h) = a * (b * w.c[h] - 1.0F) + 2.0F;
      }
    }
  });
}

}  // namespace

EncoderTable encoder_table(Isa limit) {
  EncoderTable table = kEncoderScalar;
#if defined(__x86_64__)
  if (isa_allows(limit, Isa::kAvx2)) overlay(table, kEncoderAvx2);
  if (isa_allows(limit, Isa::kAvx512)) overlay(table, kEncoderAvx512);
  if (isa_allows(limit, Isa::kAvx512Vnni)) overlay(table, kEncoderAvx512Vnni);
#elif defined(__aarch64__)
  if (isa_allows(limit, Isa::kNeon)) overlay(table, kEncoderNeon);
#endif
  return table;
}

std::unique_ptr<EncoderOps> make_encoder_ops(ThreadPool& pool, Isa limit) {
  return std::make_unique<CpuEncoderOps>(pool, limit);
}

}  // namespace kani::cpu
