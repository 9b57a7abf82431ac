// run_loop.cc - see run_loop.h.
#include "run_loop.h"

#include <unistd.h>

#include <cstdio>

#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/train/launch.h"
#include "signals.h"

namespace kani::train {

void require_alone() {
  const Launch launch = read_launch();
  if (launch.size == 1) return;
  throw Error(ErrorCode::kInvalidArgument, "this is process ", launch.rank, " of ", launch.size,
              ": codecs and speaker encoders are trained by one process")
      .with_hint("start it without torchrun, mpirun or srun");
}

RunLoop::RunLoop(bool told, const volatile std::sig_atomic_t& stop)
    : stop_(stop), told_(told), terminal_(isatty(STDERR_FILENO) != 0) {}

void RunLoop::begin(const std::filesystem::path& out, int64_t update, Turns turns) {
  std::error_code error;
  std::filesystem::create_directories(out, error);
  if (error) throw_cannot_write(out, error.value());
  loss_.open(out / "loss.jsonl", update);
  metrics_.open(out / "metrics.jsonl", update);
  turns_ = turns;
}

bool RunLoop::train() {
  const SignalsHeard heard;
  int64_t saved = update();
  while (!done() && stop_ == 0) {
    step();
    if (update() % turns_.eval_every == 0 || done()) evaluate();
    if (update() % turns_.save_steps == 0 && !done() && saved_if_possible()) saved = update();
  }
  if (terminal_ && told_) std::fputc('\n', stderr);
  if (saved != update()) {
    flush();
    save();
  }
  if (!done())
    std::fprintf(stderr, "kani-train: stopped after update %lld; --resume goes on\n",
                 static_cast<long long>(update()));
  return done();
}

int RunLoop::status() const { return done() ? 0 : status_of_stopped(stop_); }

// A checkpoint that survives a crash has its lines.
void RunLoop::flush() {
  loss_.flusher()();
  metrics_.flusher()();
}

// A disk that is full for a while does not end a run: the next checkpoint is tried again.
bool RunLoop::saved_if_possible() {
  try {
    flush();
    save();
    return true;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kCannotWrite) throw;
    std::fprintf(stderr, "kani-train: warning: no checkpoint: %s\n", error.what());
    return false;
  }
}

}  // namespace kani::train
