// clip_quality.h - the measures of a clip's sound that `kani data build` notes (clip_maker.h), and
// that are columns of their own in a Parquet file (arrow_features.h): training.md 15.8, `quality`.
#pragma once

#include <array>

namespace kani {

struct QualityMeasure {
  const char* name;
  bool whole = false;  // a count, else a float64
};

inline constexpr std::array<QualityMeasure, 13> kQualityMeasures = {{{"rate_hz", true},
                                                                     {"channels", true},
                                                                     {"loudness_lufs"},
                                                                     {"true_peak_db"},
                                                                     {"gain_db"},
                                                                     {"clipped_share"},
                                                                     {"silent_share"},
                                                                     {"speech_share"},
                                                                     {"noise_distance_db"},
                                                                     {"dc"},
                                                                     {"bandwidth_hz"},
                                                                     {"trimmed_s"},
                                                                     {"characters_per_second"}}};

}  // namespace kani
