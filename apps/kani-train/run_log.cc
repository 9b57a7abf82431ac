// run_log.cc - see run_log.h.
#include "run_log.h"

#include <cerrno>
#include <cstdio>

#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/base/json.h"

namespace kani::train {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMaxLogBytes = uint64_t{4} << 30;

// Keeps whole lines of updates up to `update`; what a crash cut in half goes with the rest.
void cut_log(const fs::path& path, int64_t update) {
  if (!fs::exists(path)) return;
  const std::string text = read_file(path, kMaxLogBytes);
  std::string kept;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = text.find('\n', begin);
    if (end == std::string::npos) break;
    const std::string line = text.substr(begin, end - begin);
    begin = end + 1;
    const Json json = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (!json.is_object() || !json.contains("update") || json["update"] > update) continue;
    kept += line + "\n";
  }
  write_file(path, kept);
}

}  // namespace

RunLog::RunLog(const fs::path& folder, int64_t update)
    : loss_path_(folder / "loss.jsonl"), metrics_path_(folder / "metrics.jsonl") {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw_cannot_write(folder, error.value());
  for (const auto& [path, file] :
       {std::pair{&loss_path_, &loss_}, std::pair{&metrics_path_, &metrics_}}) {
    cut_log(*path, update);
    file->open(*path, std::ios::app);
    if (!*file) throw_cannot_write(*path, errno);
  }
}

void RunLog::line(std::ofstream& file, const fs::path& path, const std::string& text) {
  file << text << '\n' << std::flush;
  if (!file) {
    // A full disk must not end a run: the next line is tried again.
    std::fprintf(stderr, "kani-train: warning: cannot write %s\n", path.c_str());
    file.clear();
  }
}

void RunLog::write(const UpdateReport& r) {
  Json exact{{"update", r.update},
             {"epoch", r.epoch},
             {"loss", r.loss},
             {"grad_norm", r.grad_norm},
             {"learning_rate", r.learning_rate},
             {"elements", r.elements},
             {"targets", r.targets}};
  if (r.skipped) exact["skipped"] = r.skip_reason;
  line(loss_, loss_path_, exact.dump());
  exact["seconds"] = r.seconds;
  exact["data_seconds"] = r.data_seconds;
  exact["elements_per_s"] = static_cast<double>(r.elements) / r.seconds;
  line(metrics_, metrics_path_, exact.dump());
}

void RunLog::write(const EvalReport& r) {
  Json out{{"update", r.update},
           {"eval_loss", r.loss},
           {"eval_text_loss", r.text_loss},
           {"eval_targets", r.targets},
           {"eval_language_loss", r.language_loss}};
  for (size_t k = 0; k < r.codebook_loss.size(); ++k)
    out[concat("eval_codebook_", k, "_loss")] = r.codebook_loss[k];
  line(loss_, loss_path_, out.dump());
}

std::string progress_text(const UpdateReport& r, double updates_left, double mean_seconds) {
  const auto left = static_cast<int64_t>(updates_left * mean_seconds);
  char text[200];
  std::snprintf(
      text, sizeof text,
      "update %lld/%lld  loss %.4f  norm %.2f  lr %.2e  %.0f elements/s  left %lld:%02lld:%02lld%s",
      static_cast<long long>(r.update), static_cast<long long>(r.total), r.loss, r.grad_norm,
      r.learning_rate, static_cast<double>(r.elements) / r.seconds,
      static_cast<long long>(left / 3600), static_cast<long long>(left / 60 % 60),
      static_cast<long long>(left % 60), r.skipped ? "  skipped" : "");
  return text;
}

}  // namespace kani::train
