// prometheus_file.h - the newest figures of a run as a file that Prometheus's node exporter picks
// up (its textfile collector): gauges kani_train_NAME, counters kani_train_NAME_total.  A run has
// no port of its own: it may last minutes and share its machine with others.  Source:
// training.md 14.10.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <string>

namespace kani::train {

/// Written anew as a whole, so that nobody reads half of it; not more often than every five seconds
/// but for the last figures, which the destructor writes.  A full disk is no error.
class PrometheusFile {
 public:
  explicit PrometheusFile(std::filesystem::path path);
  ~PrometheusFile();
  PrometheusFile(const PrometheusFile&) = delete;
  PrometheusFile& operator=(const PrometheusFile&) = delete;

  /// Adds to a counter, from 0 when the program starts, as Prometheus expects.
  void count(const std::string& name, double more);
  /// Figures by name; those of earlier calls stay.  What a metric's name cannot hold becomes "_".
  void write(const std::map<std::string, double>& figures);

 private:
  void flush();

  std::filesystem::path path_;
  std::map<std::string, double> gauges_, counters_;
  std::chrono::steady_clock::time_point written_;
  bool waiting_ = false;
};

}  // namespace kani::train
