// backend.h - what an accelerator offers to lm/, codec/ and speaker/: three groups of operations
// and a name. A backend is used by one thread at a time; it spreads the work over its own threads.
#pragma once

#include <memory>
#include <string>

namespace kani {

class LanguageOps;  // language_ops.h: matrix products, norms, attention, short convolution
class SignalOps;    // signal_ops.h: convolutions along time, snakes
class EncoderOps;   // encoder_ops.h: attention of all to all, products with file matrices

class Backend {
 public:
  virtual ~Backend() = default;
  /// For people: "cpu avx512bf16, 2 threads".
  virtual std::string name() const = 0;
  virtual int threads() const = 0;
  /// From the next operation on at most `threads` (1 … threads()) of them work; results are the
  /// same.  Any thread may call it: for whoever computes on two backends of one processor.
  virtual void limit_threads(int threads) = 0;
  virtual LanguageOps& language() = 0;
  virtual SignalOps& signal() = 0;
  virtual EncoderOps& encoder() = 0;
};

}  // namespace kani
