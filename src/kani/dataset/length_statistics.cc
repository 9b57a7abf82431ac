// length_statistics.cc - see length_statistics.h.
#include "kani/dataset/length_statistics.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "kani/base/json.h"

namespace kani {
namespace {

using OrderedJson = nlohmann::ordered_json;  // the file has its keys in this order

double quantile(const std::vector<double>& sorted, double share) {
  const double place = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(place);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (sorted[above] - sorted[below]) * (place - static_cast<double>(below));
}

OrderedJson summary_json(const LengthSummary& s) {
  OrderedJson json;
  json["mean"] = s.mean;
  json["std"] = s.deviation;
  json["min"] = s.least;
  json["max"] = s.most;
  json["median"] = s.median;
  json["quartiles"]["q25"] = s.q25;
  json["quartiles"]["q50"] = s.median;
  json["quartiles"]["q75"] = s.q75;
  return json;
}

}  // namespace

LengthSummary summarize(std::span<const double> values) {
  LengthSummary out;
  if (values.empty()) return out;
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  const auto count = static_cast<double>(sorted.size());
  for (const double value : sorted) out.mean += value;
  out.mean /= count;
  double squares = 0;
  for (const double value : sorted) squares += (value - out.mean) * (value - out.mean);
  out.deviation = std::sqrt(squares / count);
  out.least = sorted.front();
  out.most = sorted.back();
  out.q25 = quantile(sorted, 0.25);
  out.median = quantile(sorted, 0.5);
  out.q75 = quantile(sorted, 0.75);
  return out;
}

std::string length_statistics_json(std::span<const int64_t> encoded_len) {
  std::vector<double> frames, seconds;
  frames.reserve(encoded_len.size());
  seconds.reserve(encoded_len.size());
  for (const int64_t length : encoded_len) {
    frames.push_back(static_cast<double>(length));
    seconds.push_back(frames.back() / kUpstreamFrameRate);
  }
  OrderedJson json;
  json["total_samples"] = encoded_len.size();
  json["duration_seconds"] = summary_json(summarize(seconds));
  json["encoded_length"] = summary_json(summarize(frames));
  return json.dump(2) + "\n";
}

}  // namespace kani
