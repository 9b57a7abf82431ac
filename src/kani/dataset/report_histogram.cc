// report_histogram.cc - bars in SVG, see report_page.h.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

#include "kani/base/error.h"
#include "kani/base/html.h"
#include "kani/dataset/report_page.h"

namespace kani {
namespace {

// The picture is drawn in these units and scaled to the page.
constexpr double kWidth = 480, kHeight = 200, kLeft = 8, kRight = 8, kTop = 20, kBottom = 36;

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", value);
  return text;
}

std::string label(double x, double y, std::string_view anchor, std::string_view text) {
  return concat("<text x=\"", number(x), "\" y=\"", number(y), "\" text-anchor=\"", anchor, "\">",
                html_text(text), "</text>");
}

}  // namespace

std::string histogram_svg(const Json& histogram, std::string_view title, std::string_view unit) {
  const auto counts = histogram.at("counts").get<std::vector<uint64_t>>();
  const double from = histogram.at("from").get<double>(), step = histogram.at("step").get<double>();
  const auto bins = static_cast<double>(counts.size());
  // One lonely bar as wide as the picture says nothing.
  const double bar = std::min((kWidth - kLeft - kRight) / bins, 48.0);
  const double left = kLeft + (kWidth - kLeft - kRight - bar * bins) / 2;
  const double base = kHeight - kBottom, height = base - kTop;
  const uint64_t most = std::max<uint64_t>(1, *std::max_element(counts.begin(), counts.end()));
  std::string out = concat("<figure><figcaption>", html_text(title),
                           "</figcaption><svg viewBox=\"0 0 ", number(kWidth), " ", number(kHeight),
                           "\" role=\"img\" aria-label=\"", html_text(title), "\">");
  for (size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] == 0) continue;
    const double low = from + step * static_cast<double>(i);
    const double tall =
        std::max(1.0, height * static_cast<double>(counts[i]) / static_cast<double>(most));
    out +=
        concat("<rect x=\"", number(left + bar * static_cast<double>(i) + 0.5), "\" y=\"",
               number(base - tall), "\" width=\"", number(std::max(0.5, bar - 1)), "\" height=\"",
               number(tall), "\"><title>", number(low), " to ", number(low + step), " ",
               html_text(unit), ": ", grouped(counts[i]), "</title></rect>");
  }
  out += concat("<line x1=\"", number(left), "\" y1=\"", number(base), "\" x2=\"",
                number(left + bar * bins), "\" y2=\"", number(base), "\"/>");
  // About six marks below, at edges of bars.
  const auto every = static_cast<size_t>(std::max(1.0, std::ceil(std::max(bins / 6, 44 / bar))));
  for (size_t i = 0; i <= counts.size(); i += every)
    out += label(left + bar * static_cast<double>(i), base + 16, "middle",
                 number(from + step * static_cast<double>(i)));
  out += label(kWidth - kRight, base + 32, "end", unit);
  out += label(kLeft, 13, "start",
               concat("highest bar: ", grouped(most), most == 1 ? " clip" : " clips"));
  return out + "</svg></figure>\n";
}

}  // namespace kani
