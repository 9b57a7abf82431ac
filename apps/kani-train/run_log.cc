// run_log.cc - see run_log.h.
#include "run_log.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <memory>

#include "counted.h"
#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/base/json.h"

namespace kani::train {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMaxLogBytes = uint64_t{4} << 30;

// Share of what the machine could do at most that went into the model (training.md 19.2).
double utilization(const UpdateReport& r, const Yardstick& y) {
  return y.peak_operations > 0 ? static_cast<double>(r.elements) / r.seconds *
                                     y.operations_per_element / y.peak_operations
                               : 0;
}

double peak_memory_mb() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

}  // namespace

LineFile::~LineFile() {
  if (descriptor_ < 0) return;
  if (!waiting_.empty())
    std::fprintf(stderr, "kani-train: warning: %s lacks its last lines\n", path_.c_str());
  ::close(descriptor_);
}

std::string LineFile::open(const fs::path& path, int64_t update) {
  path_ = path;
  std::string last;
  if (fs::exists(path)) {
    const std::string text = read_file(path, kMaxLogBytes);
    std::string kept;
    for (size_t begin = 0; begin < text.size();) {
      const size_t end = text.find('\n', begin);
      if (end == std::string::npos) break;
      const std::string line = text.substr(begin, end - begin);
      begin = end + 1;
      const Json json = try_parse_json(line);
      if (!json.is_object() || !json.contains("update") || json["update"] > update) continue;
      kept += line + "\n";
      if (json["update"] == update) last += line + "\n";
    }
    write_file(path, kept);
  }
  descriptor_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (descriptor_ < 0) throw_cannot_write(path, errno);
  return last;
}

std::function<void()> LineFile::flusher() const {
  struct Descriptor {
    int number;
    ~Descriptor() {
      if (number >= 0) ::close(number);
    }
  };
  const auto copy = std::make_shared<Descriptor>(::fcntl(descriptor_, F_DUPFD_CLOEXEC, 0));
  return [copy] {
    if (copy->number >= 0) ::fsync(copy->number);
  };
}

void LineFile::write(const std::string& line) {
  waiting_ += line + "\n";
  while (!waiting_.empty()) {
    const ssize_t count = ::write(descriptor_, waiting_.data(), waiting_.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      if (!warned_)
        std::fprintf(stderr, "kani-train: warning: cannot write %s: %s; its lines wait\n",
                     path_.c_str(), std::strerror(errno));
      warned_ = true;
      return;
    }
    waiting_.erase(0, static_cast<size_t>(count));
  }
  warned_ = false;
}

RunLog::RunLog(const fs::path& folder, int64_t update, bool leads, int rank) {
  std::error_code error;
  fs::create_directories(folder / "runs", error);
  if (error) throw_cannot_write(folder, error.value());
  quarantine_.open(
      folder / (leads ? std::string("quarantine.jsonl") : concat("quarantine-", rank, ".jsonl")),
      update);
  if (!leads) return;
  evaluated_ = loss_.open(folder / "loss.jsonl", update).find("\"eval_loss\"") != std::string::npos;
  metrics_.open(folder / "metrics.jsonl", update);
  events_.emplace(folder / "runs");
  prometheus_.emplace(folder / "metrics.prom");
}

void RunLog::write(const UpdateReport& r, const Yardstick& yardstick) {
  if (r.skipped) {
    quarantine_.write(
        dump_json(Json{{"update", r.update}, {"reason", r.skip_reason}, {"clips", r.clips}}));
  }
  if (!events_) return;
  Json exact{{"update", r.update},
             {"epoch", r.epoch},
             {"loss", r.loss},
             {"grad_norm", r.grad_norm},
             {"learning_rate", r.learning_rate},
             {"elements", r.elements},
             {"targets", r.targets}};
  if (r.skipped) exact["skipped"] = r.skip_reason;
  loss_.write(dump_json(exact));

  Figures figures{{"elements_per_s", static_cast<double>(r.elements) / r.seconds},
                  {"clipped", r.clipped ? 1 : 0},
                  {"loss_score", r.loss_score},
                  {"norm_score", r.norm_score},
                  {"padding_share", 1 - r.fill},
                  {"seconds", r.seconds},
                  {"data_seconds", r.data_seconds},
                  {"forward_seconds", r.forward_seconds},
                  {"backward_seconds", r.backward_seconds},
                  {"exchange_seconds", r.exchange_seconds},
                  {"optimizer_seconds", r.optimizer_seconds},
                  {"peak_memory_mb", peak_memory_mb()}};
  if (yardstick.peak_operations > 0) figures["mfu"] = utilization(r, yardstick);
  for (size_t k = 0; k < r.codebook_loss.size(); ++k)
    figures[concat("codebook_", k, "_loss")] = r.codebook_loss[k];
  if (r.device_peak_bytes > 0)
    figures["device_peak_memory_mb"] = static_cast<double>(r.device_peak_bytes) / (1 << 20);
  if (r.device_temperature) figures["device_temperature"] = *r.device_temperature;
  if (r.guide) figures["guided_attention"] = *r.guide;
  Figures events{{"train/loss", r.loss},
                 {"train/grad_norm", r.grad_norm},
                 {"train/learning_rate", r.learning_rate},
                 {"train/epoch", r.epoch}};
  for (const auto& [name, value] : figures) {
    exact[name] = value;
    events["train/" + name] = value;
  }
  metrics_.write(dump_json(exact));
  events_->write(r.update, events);
  prometheus_->count("elements", static_cast<double>(r.elements));
  prometheus_->count("skipped_updates", r.skipped ? 1 : 0);
  figures["loss"] = r.loss;
  figures["grad_norm"] = r.grad_norm;
  figures["learning_rate"] = r.learning_rate;
  figures["epoch"] = r.epoch;
  figures["update"] = static_cast<double>(r.update);
  figures["updates_planned"] = static_cast<double>(r.total);
  prometheus_->write(figures);
}

void RunLog::write(const EvalReport& r, const std::string& prefix) {
  if (!events_) return;
  const Figures figures = eval_figures(r, prefix);
  Json out{{"update", r.update}, {prefix + "targets", r.targets}};
  for (const auto& [name, value] : figures) out[name] = value;
  loss_.write(dump_json(out));
  Figures events;
  prometheus_->write(figures);
  for (const auto& [name, value] : figures)
    events[name.find('/') == std::string::npos ? concat("eval/", name.substr(5)) : name] = value;
  events_->write(r.update, events);
}

void RunLog::samples(int64_t update, const Figures& measured) {
  if (!events_) return;
  Json line{{"update", update}};
  Figures figures;
  for (const auto& [name, value] : measured) {
    line["samples_" + name] = value;
    figures["samples/" + name] = value;
  }
  metrics_.write(dump_json(line));
  events_->write(update, figures);
}

std::function<void()> RunLog::flusher() const {
  return [loss = loss_.flusher(), metrics = metrics_.flusher(), left = quarantine_.flusher()] {
    loss();
    metrics();
    left();
  };
}

void RunLog::checkpoint(int64_t update, const SaveTimes& times, bool saved) {
  if (!events_) return;
  metrics_.write(dump_json(Json{{"update", update},
                                {"checkpoint_seconds", times.seconds},
                                {"checkpoint_held_seconds", times.held_seconds},
                                {"checkpoint_saved", saved}}));
  events_->write(update, {{"train/checkpoint_seconds", times.seconds},
                          {"train/checkpoint_held_seconds", times.held_seconds},
                          {"train/checkpoint_failed", saved ? 0 : 1}});
  prometheus_->count(saved ? "checkpoints" : "failed_checkpoints", 1);
}

void RunLog::factors(int64_t update, const Figures& figures) {
  if (!events_ || figures.empty()) return;
  Json line{{"update", update}};
  for (const auto& [name, value] : figures) line[name] = value;
  metrics_.write(dump_json(line));
  events_->write(update, figures);
  prometheus_->write(figures);
}

void RunLog::summary(int64_t update, const Figures& figures) {
  if (!events_) return;
  Json line{{"update", update}};
  Figures events;
  for (const auto& [name, value] : figures) {
    line[name] = value;
    events["train/" + name] = value;
  }
  metrics_.write(dump_json(line));
  events_->write(update, events);
}

void RunSummary::add(const UpdateReport& r) {
  ++updates_;
  clips_ += r.documents;
  if (r.skipped) return;
  ++learnt_;
  loss_ += r.loss;
}

Figures RunSummary::figures() const {
  if (updates_ == 0) return {};
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  const auto a_second = [&](int64_t count) { return static_cast<double>(count) / seconds; };
  return {{"train_runtime", seconds},
          {"train_samples_per_second", a_second(clips_)},
          {"train_steps_per_second", a_second(updates_)},
          {"train_loss", learnt_ == 0 ? 0 : loss_ / static_cast<double>(learnt_)}};
}

std::string summary_text(const Figures& f) {
  const double seconds = f.at("train_runtime"), rate = f.at("train_steps_per_second");
  const auto whole = static_cast<long long>(seconds);
  char text[160];
  std::snprintf(
      text, sizeof text, "%s in %lld:%02lld:%02lld: %.1f clips/s, %.3g updates/s, mean loss %.4f",
      counted(std::llround(rate * seconds), "update").c_str(), whole / 3600, whole / 60 % 60,
      whole % 60, f.at("train_samples_per_second"), rate, f.at("train_loss"));
  return text;
}

std::string progress_text(const UpdateReport& r, const Yardstick& yardstick, double mean_seconds) {
  const auto left = static_cast<int64_t>(static_cast<double>(r.total - r.update) * mean_seconds);
  std::string text(160, ' ');
  const int length = std::snprintf(
      text.data(), text.size(), "%5.1f%% %lld/%lld  loss %.4f  norm %.2f  lr %.1e  %.0f elements/s",
      100.0 * static_cast<double>(r.update) / static_cast<double>(r.total),
      static_cast<long long>(r.update), static_cast<long long>(r.total), r.loss, r.grad_norm,
      r.learning_rate, static_cast<double>(r.elements) / r.seconds);
  text.resize(static_cast<size_t>(length));
  char tail[80];
  if (yardstick.peak_operations > 0) {
    std::snprintf(tail, sizeof tail, "  MFU %.1f%%", 100 * utilization(r, yardstick));
    text += tail;
  }
  std::snprintf(tail, sizeof tail, "  left %lld:%02lld:%02lld%s",
                static_cast<long long>(left / 3600), static_cast<long long>(left / 60 % 60),
                static_cast<long long>(left % 60), r.skipped ? "  skipped" : "");
  return text + tail;
}

}  // namespace kani::train
