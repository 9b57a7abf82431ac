// subtitles.cc - see subtitles.h.
#include "apps/kani/subtitles.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "apps/kani/json_text.h"
#include "kani/base/utf8.h"

namespace kani::cli {
namespace {

constexpr size_t kLineLength = 42;  // the usual width of a subtitle

/// 01:02:03,456 or 01:02:03.456
std::string clock(double seconds, char separator) {
  const auto milliseconds = static_cast<uint64_t>(std::llround(std::max(0.0, seconds) * 1000));
  char text[40];
  std::snprintf(text, sizeof text, "%02llu:%02llu:%02llu%c%03llu",
                static_cast<unsigned long long>(milliseconds / 3'600'000),
                static_cast<unsigned long long>(milliseconds / 60'000 % 60),
                static_cast<unsigned long long>(milliseconds / 1000 % 60), separator,
                static_cast<unsigned long long>(milliseconds % 1000));
  return text;
}

/// Words on lines of about kLineLength characters; never an empty line, which would end the cue.
std::string wrapped(std::string_view text) {
  std::string out;
  size_t column = 0;
  size_t begin = 0;
  while (begin < text.size()) {
    const size_t end = std::min(text.find_first_of(" \n\r\t", begin), text.size());
    const std::string_view word = text.substr(begin, end - begin);
    begin = end + 1;
    if (word.empty()) continue;
    const size_t width = utf8_length(word);
    if (!out.empty()) {
      const bool fits = column + 1 + width <= kLineLength;
      out += fits ? ' ' : '\n';
      column = fits ? column + 1 : 0;
    }
    out += word;
    column += width;
  }
  return out;
}

std::string escape_vtt(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else {
      out += c;
    }
  }
  return out;
}

/// Milliseconds are enough, and no digits of noise behind them.
double rounded(double seconds) { return std::round(seconds * 1000) / 1000; }

}  // namespace

std::string to_srt(std::span<const TimedSegment> segments) {
  std::string out;
  size_t number = 0;
  for (const TimedSegment& timed : segments) {
    const SpeechSegment& s = timed.segment;
    out += concat(++number, "\n", clock(s.start_s, ','), " --> ", clock(s.end_s, ','), "\n",
                  wrapped(s.text), "\n\n");
  }
  return out;
}

std::string to_vtt(std::span<const TimedSegment> segments) {
  std::string out = "WEBVTT\n\n";
  for (const TimedSegment& timed : segments) {
    const SpeechSegment& s = timed.segment;
    out += concat(clock(s.start_s, '.'), " --> ", clock(s.end_s, '.'), "\n",
                  escape_vtt(wrapped(s.text)), "\n\n");
  }
  return out;
}

std::string to_timestamps_json(const TimingHeader& header, std::span<const TimedSegment> segments) {
  Json list = Json::array();
  for (const TimedSegment& timed : segments) {
    const SpeechSegment& s = timed.segment;
    list.push_back({{"text", s.text},
                    {"start", rounded(s.start_s)},
                    {"end", rounded(s.end_s)},
                    {"text_index", timed.text},
                    {"source_begin", s.source_begin},
                    {"source_end", s.source_end},
                    {"truncated", s.truncated}});
  }
  return json_document({{"sample_rate", header.sample_rate_hz},
                        {"sound_s", rounded(header.sound_s)},
                        {"segments", list}}) +
         "\n";
}

}  // namespace kani::cli
