// build_progress.cc - see build_progress.h.
#include "kani/dataset/build_progress.h"

#include <algorithm>
#include <cmath>

#include "kani/base/error.h"
#include "kani/base/numbers.h"

namespace kani {
namespace {

/// 0:09, 1:05, 2:03:04
std::string clock_text(double seconds) {
  const auto whole = static_cast<long long>(std::min(std::ceil(seconds), 3.6e7));
  char text[40];
  if (whole < 3600) {
    std::snprintf(text, sizeof text, "%lld:%02lld", whole / 60, whole % 60);
  } else {
    std::snprintf(text, sizeof text, "%lld:%02lld:%02lld", whole / 3600, whole / 60 % 60,
                  whole % 60);
  }
  return text;
}

}  // namespace

std::string progress_text(const WorkCounts& counts, double elapsed_s) {
  const uint64_t done = counts.before + counts.done;
  if (counts.cutting) return concat(done, " of ", counts.records, " recordings are cut");
  std::string text = concat(done, " of ", counts.records, " records, ", counts.rejected,
                            " rejected, ", fixed(counts.seconds / 3600, 2), " h of clips");
  if (counts.done == 0 || elapsed_s <= 0) return text;
  const double speed = static_cast<double>(counts.done) / elapsed_s;
  text += concat(", ", fixed(speed, speed < 10 ? 1 : 0), " clips/s");
  if (!counts.complete())
    text += concat(", ", clock_text(static_cast<double>(counts.records - done) / speed), " left");
  return text;
}

void BuildProgress::tell(const WorkCounts& counts) {
  const Clock::time_point now = Clock::now();
  if (now < next_ || (counts.complete() && !terminal_)) return;
  next_ = now + (terminal_ ? std::chrono::milliseconds(100) : std::chrono::seconds(10));
  const std::string text =
      progress_text(counts, std::chrono::duration<double>(now - start_).count());
  std::fprintf(out_, terminal_ ? "\r\033[K%s" : "kani-data: %s\n", text.c_str());
  std::fflush(out_);
  drawn_ = terminal_;
}

void BuildProgress::clear() {
  if (!drawn_) return;
  std::fputs("\r\033[K", out_);
  std::fflush(out_);
  drawn_ = false;
}

}  // namespace kani
