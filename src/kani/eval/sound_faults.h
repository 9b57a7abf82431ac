// sound_faults.h - what can be heard to be wrong with an utterance, whatever was said: silence,
// clipping, an end that is cut off, a stretch that is said again, a length that cannot be.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kani/eval/mel_cepstrum.h"

namespace kani {

/// The order is that of reports.  kUnheard: the recognizer failed, so nothing is known.
enum class Fault {
  kSilent,           // no speech in it
  kNoise,            // less than kLeastVoiced of what is loud enough for speech has a pitch
  kLeadingSilence,   // more than kMostLeading before the first speech
  kTrailingSilence,  // more than kMostTrailing behind the last
  kLongPause,        // more than kMostPause in between
  kCut,              // the end is as loud as speech, or falls to nothing at once
  kClipping,         // more than kMostClipped of the samples
  kTooLong,          // beyond what its text (or its teacher's length) allows
  kTooShort,
  kLoopingSound,  // a stretch follows its own copy
  kLoopingWords,  // words were heard again and again that the text has once
  kUnheard,
};
inline constexpr size_t kFaultKinds = 12;
/// "silent", "leading_silence", …: the keys of eval.json.
std::string_view fault_name(Fault fault);

inline constexpr double kMostLeading = 1.0, kMostTrailing = 1.5, kMostPause = 1.2;  // seconds
inline constexpr double kMostClipped = 0.001;  // share of the samples
inline constexpr double kLoudEndDb = 12;       // below the loud parts: still speech
inline constexpr double kFallFromDb = 5,
                        kFallToDb = 40;      // below them, within 30 ms: no voice ends so
inline constexpr double kLeastVoiced = 0.1;  // share of the frames of speech
inline constexpr double kLongFactor = 1.6, kShortFactor = 0.55, kLengthSlack = 0.6;
inline constexpr double kLongestRepeat = 0.5;  // seconds that may be alike
inline constexpr size_t kMostRepeatedWords = 2;

struct SoundMeasures {
  double seconds = 0;
  double leading_s = 0, trailing_s = 0, longest_pause_s = 0;  // all of it if there is no speech
  double speech_s = 0;                                        // frames of speech
  double end_below_loud_db = 0;  // of the last 30 ms; how far below the loud parts
  bool falls_at_once = false;    // from kFallFromDb to kFallToDb in 30 ms, at its end
  double voiced_share = 0;       // of the frames of speech: those with a pitch (pitch_share.cc)
  double clipped_share = 0;
  double repeat_s = 0;  // longest stretch that is like the stretch before it
  double repeat_lag_s = 0;
};

/// Mono samples, full scale 1, and their cepstrum.  Frames as in mel_cepstrum.h; pauses are runs of
/// frames below speech_threshold_db().
SoundMeasures measure_sound(std::span<const float> mono, int rate_hz,
                            std::span<const CepstrumFrame> frames);

/// Share of the 40 ms windows, 10 ms apart and within 25 dB of the loud ones, whose autocorrelation
/// has a peak above a half between 70 and 400 Hz.  0 if there are none.  Of 250 recordings of
/// flite and espeak-ng 0.69 to 0.99, of noise with the loudness of speech below 0.01.
double voiced_share(std::span<const float> mono, int rate_hz);

/// The longest stretch of speech, pauses in it not counted, that is like what was heard `lag`
/// before it: a word said twice, a vowel that does not end.  Two frames are alike if the squared
/// distance of their cepstra, averaged over 0.1 s, is below a sixth of that of two frames of the
/// sound taken at random.  Lags from 0.15 s to half of the sound; a stretch counts if it is at
/// least half as long as its lag.
struct Repeat {
  double seconds = 0, lag_s = 0;
};
Repeat longest_repeat(std::span<const CepstrumFrame> frames);

/// Words that follow their own copy (of up to six words) more often than in the text: "the the the"
/// has two.  At least 0.
size_t repeated_words(std::span<const std::string> spoken, std::span<const std::string> heard);

/// Adds one that is not there yet, at its place.
void add_fault(Fault fault, std::vector<Fault>& faults);

/// What of it is a fault.  `expected_s` is the teacher's length, or an expectation from the text.
std::vector<Fault> sound_faults(const SoundMeasures& measures, double expected_s);

}  // namespace kani
