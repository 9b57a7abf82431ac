// subtitles.h - what was spoken when, as SubRip, WebVTT and JSON.  One cue for each piece that the
// engine spoke.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "kani/kani.h"

namespace kani::cli {

struct TimedSegment {
  SpeechSegment segment;  // times from the start of the whole sound
  size_t text = 0;        // which text it is from, from 0; source offsets count in that text
};

std::string to_srt(std::span<const TimedSegment> segments);
std::string to_vtt(std::span<const TimedSegment> segments);

struct TimingHeader {
  int sample_rate_hz = 0;
  double sound_s = 0;
};
std::string to_timestamps_json(const TimingHeader& header, std::span<const TimedSegment> segments);

}  // namespace kani::cli
