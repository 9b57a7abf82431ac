// recording_quality.h - how good a recording of a voice is: level, clipping, noise, and how much of
// it is speech.  For people who wonder why a cloned voice sounds odd (interfaces.md 2.4).
// Simple measures of one pass, each with a meaning that can be told in a line; no model.
// Not here: the bounds beyond which a recording is refused (speaker/reference.h).
#pragma once

#include <span>
#include <string>
#include <vector>

namespace kani {

struct RecordingQuality {
  double seconds = 0;
  double peak_db = 0;          // of the largest sample, dBFS; -100 for digital silence
  double clipped_share = 0;    // of the samples: flat runs at full scale, and beyond full scale
  double noise_floor_db = 0;   // level of the quiet parts, dBFS, at least -100
  double speech_level_db = 0;  // level of the loud parts, dBFS
  double speech_share = 0;     // of the 20 ms frames that are speech, 0 … 1
  bool steady = false;         // loud without pauses or syllables: a tone, a hum, held music

  /// How far the noise lies below the voice.  Without pauses in it this says nothing.
  double noise_distance_db() const { return speech_level_db - noise_floor_db; }
};

/// Looks at mono samples (full scale 1.0) at 8 to 192 kHz.
///   Frames are 20 ms long, one after the other.  The quiet parts are the frames at the 5th
///   percentile of the levels, the loud parts those at the 95th.
///   A frame is voiced if it is at most 30 dB below the loud parts, at least -60 dBFS, and repeats
///   itself: the correlation of 40 ms around it with what lies a period of 60 to 400 Hz later is
///   above 0.6.  Speech are the voiced frames and those within 100 ms of one that are loud enough,
///   since consonants are not voiced.
///   A sound with more than nine frames in ten voiced, and less than one in 20 more than 10 dB
///   below the loud parts, has no syllables: it is called steady, and none of it counts as speech.
///   Music with beats passes as speech.
/// Throws Error(kInvalidArgument) for a rate outside of that range.  NaN counts as 0.
RecordingQuality measure_recording(std::span<const float> mono, int rate_hz);

/// RecordingQuality's clipped_share of one channel, sample by sample.
class ClippingMeter {
 public:
  void push(float sample);
  /// Of those so far; 0 of none.
  double share() const;

 private:
  bool is_clipped() const;

  size_t samples_ = 0, clipped_ = 0;  // clipped_ without the last run
  size_t run_ = 0;                    // of samples that are like the first of them
  float first_ = 0;
};

/// What to say about it, a line each, lower case: clipping, noise, hardly any speech.
std::vector<std::string> recording_warnings(const RecordingQuality& quality);

}  // namespace kani
