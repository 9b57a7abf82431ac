// prometheus_file.cc - see prometheus_file.h.
#include "prometheus_file.h"

#include <cmath>

#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/base/json.h"

namespace kani::train {
namespace {

constexpr std::chrono::seconds kLeastInterval{5};  // whoever scrapes comes less often

std::string metric(const std::string& name) {
  std::string out = "kani_train_" + name;
  for (char& c : out) {
    if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9')) c = '_';
  }
  return out;
}

std::string number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return dump_json(Json(value));
}

std::string line(const std::string& name, const char* type, double value) {
  return concat("# TYPE ", name, " ", type, "\n", name, " ", number(value), "\n");
}

}  // namespace

PrometheusFile::PrometheusFile(std::filesystem::path path)
    : path_(std::move(path)), written_(std::chrono::steady_clock::now() - kLeastInterval) {}

PrometheusFile::~PrometheusFile() {
  if (waiting_) flush();
}

void PrometheusFile::count(const std::string& name, double more) { counters_[name] += more; }

void PrometheusFile::write(const std::map<std::string, double>& figures) {
  for (const auto& [name, value] : figures) gauges_[name] = value;
  waiting_ = true;
  if (std::chrono::steady_clock::now() - written_ >= kLeastInterval) flush();
}

void PrometheusFile::flush() {
  std::string text;
  for (const auto& [name, value] : gauges_) text += line(metric(name), "gauge", value);
  for (const auto& [name, value] : counters_)
    text += line(metric(name) + "_total", "counter", value);
  written_ = std::chrono::steady_clock::now();
  waiting_ = false;
  try {
    write_file(path_, text);
  } catch (const Error&) {
    waiting_ = true;  // tried again with the next figures
  }
}

}  // namespace kani::train
