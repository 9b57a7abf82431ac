// cpu_backend.cc - see cpu_backend.h.
#include "kani/backend/cpu/cpu_backend.h"

#include <fstream>
#include <string>

#include "kani/backend/cpu/encoder_ops_cpu.h"
#include "kani/backend/cpu/language_ops_cpu.h"
#include "kani/backend/cpu/signal_ops_cpu.h"
#include "kani/base/error.h"
#include "kani/base/thread_pool.h"

namespace kani::cpu {
namespace {

class CpuBackend final : public Backend {
 public:
  CpuBackend(int threads, Isa isa)
      : isa_(isa),
        pool_(threads),
        language_(make_language_ops(pool_, isa)),
        signal_(make_signal_ops(pool_, isa)),
        encoder_(make_encoder_ops(pool_, isa)) {}

  std::string name() const override {
    return concat("cpu ", isa_name(isa_), ", ", pool_.size(),
                  pool_.size() == 1 ? " thread" : " threads");
  }
  int threads() const override { return pool_.size(); }
  void limit_threads(int threads) override { pool_.limit(threads); }
  LanguageOps& language() override { return *language_; }
  SignalOps& signal() override { return *signal_; }
  EncoderOps& encoder() override { return *encoder_; }

 private:
  Isa isa_;
  ThreadPool pool_;
  std::unique_ptr<LanguageOps> language_;
  std::unique_ptr<SignalOps> signal_;
  std::unique_ptr<EncoderOps> encoder_;
};

std::string cpu_model() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("model name")) continue;
    const size_t colon = line.find(": ");
    if (colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown CPU";
}

}  // namespace

std::unique_ptr<Backend> make_cpu_backend(int threads, Isa isa) {
  return std::make_unique<CpuBackend>(threads, isa);
}

std::string cpu_description() {
  const int cores = default_thread_count();
  return concat(cpu_model(), ", ", cores, cores == 1 ? " core, " : " cores, ",
                isa_name(best_isa()));
}

}  // namespace kani::cpu
