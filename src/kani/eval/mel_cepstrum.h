// mel_cepstrum.h - what a sound is like, every hundredth of a second: its mel-frequency cepstrum.
// For measures that compare recordings (voice_distance.h, time_warp.h, sound_faults.h).  Source: S.
// Davis, P. Mermelstein, 1980.  Not the features of any model here.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

namespace kani {

inline constexpr int kCepstrumRateHz = 16000;
inline constexpr size_t kCepstra = 12;  // c1 … c12; c0, the level, is kept apart
inline constexpr double kCepstrumHopSeconds = 0.01;

struct CepstrumFrame {
  std::array<float, kCepstra> c{};
  float level_db = -100;  // of the frame's samples, dBFS
};

/// Frames of 25 ms every 10 ms (Hann, FFT of 512), 26 triangular mel bands from 60 to 7,600 Hz,
/// log with a floor 80 dB below full scale, cosine transform (orthonormal).  Mono samples of any
/// rate from 8 to 192 kHz are resampled to 16 kHz first.  Less than 25 ms of sound give no frame.
/// Throws Error(kInvalidArgument) for other rates.
std::vector<CepstrumFrame> mel_cepstrum(std::span<const float> mono, int rate_hz);

/// What only one frame in twenty is louder than; `frames` must not be empty.
double loud_db(std::span<const CepstrumFrame> frames);

/// Frames that are speech rather than pause: at most 35 dB below the loud ones (95th percentile),
/// at least -60 dBFS.
double speech_threshold_db(std::span<const CepstrumFrame> frames);

/// In place, radix two: re + i im of 2^n numbers.  For this folder.
void fourier_transform(std::span<double> re, std::span<double> im);

}  // namespace kani
