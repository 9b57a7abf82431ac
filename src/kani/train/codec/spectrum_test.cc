// Mel filters against librosa's published table, transforms and losses against what they must give.
#include "kani/train/codec/spectrum.h"

#include <gtest/gtest.h>

#include <numbers>

#include "kani/base/error.h"
#include "kani/train/codec/losses.h"

namespace kani::train {
namespace {

at::Tensor tone(double hz, int64_t samples) {
  return (at::arange(samples, at::kFloat) * (2 * std::numbers::pi * hz / 22050))
             .sin()
             .unsqueeze(0) *
         0.5;
}

TEST(MelFilters, peak_where_librosa_has_them) {
  // librosa.mel_frequencies(n_mels=40), as its documentation prints them.
  const double edges[] = {0,       85.317,  170.635, 255.952, 341.269, 426.586,  511.904,
                          597.221, 682.538, 767.855, 853.173, 938.49,  1024.856, 1119.114};
  const at::Tensor filters = mel_filters(22050, 22050, 38, 0, 11025);  // bins of 1 Hz
  for (int64_t band = 0; band < 12; ++band) {
    EXPECT_NEAR(static_cast<double>(filters[band].argmax().item<int64_t>()),
                edges[static_cast<size_t>(band) + 1], 1)
        << band;
    EXPECT_NEAR(filters[band].sum().item<double>(), 1, 1e-3) << band;  // area in Hz
  }
  EXPECT_THROW(mel_filters(22050, 1024, 80, 0, 12000), Error);
}

TEST(Spectrum, has_a_frame_a_hop_and_finds_a_tone) {
  const Spectrum spectrum(1024, 252);
  const at::Tensor magnitudes = spectrum.magnitudes(tone(2153.3203125, 252 * 20));  // bin 100
  ASSERT_EQ(magnitudes.sizes(), (std::vector<int64_t>{1, 513, 20}));
  EXPECT_EQ(magnitudes[0].select(1, 10).argmax().item<int64_t>(), 100);
  // Half of the window's sum times the amplitude.
  EXPECT_NEAR(magnitudes[0][100][10].item<double>(), 0.5 * 512 / 2, 0.5);
}

TEST(Spectrum, has_finite_gradients_in_silence) {
  const SpectralLoss loss(22050);
  const at::Tensor made = at::zeros({1, 4096}).set_requires_grad(true);
  for (const at::Tensor& real : {at::zeros({1, 4096}), tone(440, 4096)}) {
    const SpectralTerms terms = loss(made, real);
    (terms.mel + terms.magnitude).backward();
    EXPECT_TRUE(made.grad().isfinite().all().item<bool>());
  }
}

TEST(SpectralLoss, is_nothing_between_equals_and_grows_with_the_distance) {
  const SpectralLoss loss(22050);
  const auto distance = [&](double hz) {
    const SpectralTerms terms = loss(tone(hz, 8192), tone(400, 8192));
    return (terms.mel + terms.magnitude).item<double>();
  };
  EXPECT_NEAR(distance(400), 0, 1e-6);
  EXPECT_GT(distance(440), 0.05);
  EXPECT_GT(distance(1600), distance(440));
}

}  // namespace
}  // namespace kani::train
