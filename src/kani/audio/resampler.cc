// resampler.cc - the project's only use of libsoxr.
#include "kani/audio/resampler.h"

#include <soxr.h>

#include <algorithm>
#include <utility>

#include "kani/base/error.h"

namespace kani {
namespace {

constexpr size_t kBlock =
    4096;  // samples handed to soxr at once; bounds the room it needs for output

struct SoxrDelete {
  void operator()(soxr* resampler) const noexcept { soxr_delete(resampler); }
};

}  // namespace

struct Resampler::Impl {
  int from_hz = 0;
  int to_hz = 0;
  std::unique_ptr<soxr, SoxrDelete> stream;  // null: equal rates
  uint64_t samples_in = 0;
  uint64_t samples_out = 0;

  void process(const float* in, size_t count, std::vector<float>& out);
  uint64_t expected_out() const {
    const auto from = static_cast<uint64_t>(from_hz);
    return (2 * samples_in * static_cast<uint64_t>(to_hz) + from) / (2 * from);
  }
};

Resampler::Resampler(int from_hz, int to_hz, ResamplerQuality quality)
    : impl_(std::make_unique<Impl>()) {
  for (const int rate : {from_hz, to_hz}) {
    require(rate >= 1000 && rate <= 384000, "sample rate is ", rate, " Hz, must be 1000 to 384000");
  }
  impl_->from_hz = from_hz;
  impl_->to_hz = to_hz;
  if (from_hz == to_hz) return;
  const soxr_quality_spec_t recipe =
      soxr_quality_spec(quality == ResamplerQuality::kHigh ? SOXR_HQ : SOXR_MQ, 0);
  soxr_error_t error = nullptr;
  impl_->stream.reset(soxr_create(from_hz, to_hz, 1, &error, nullptr, &recipe, nullptr));
  if (error != nullptr) throw Error(ErrorCode::kInternal, "resampler: ", error);
}

Resampler::Resampler(Resampler&&) noexcept = default;
Resampler& Resampler::operator=(Resampler&&) noexcept = default;
Resampler::~Resampler() = default;

// Feeds a block, or with a null pointer asks for the rest, until soxr neither takes nor gives more.
void Resampler::Impl::process(const float* in, size_t count, std::vector<float>& out) {
  while (true) {
    const size_t room = kBlock + kBlock * static_cast<size_t>(to_hz) / static_cast<size_t>(from_hz);
    const size_t begin = out.size();
    out.resize(begin + room);
    size_t taken = 0;
    size_t made = 0;
    const soxr_error_t error =
        soxr_process(stream.get(), in, count, &taken, out.data() + begin, room, &made);
    out.resize(begin + made);
    if (error != nullptr) throw Error(ErrorCode::kInternal, "resampler: ", error);
    samples_out += made;
    if (in != nullptr) {
      in += taken;
      count -= taken;
    }
    if (count == 0 && made < room) return;
  }
}

void Resampler::push(std::span<const float> samples, std::vector<float>& out) {
  impl_->samples_in += samples.size();
  if (!impl_->stream) {
    out.insert(out.end(), samples.begin(), samples.end());
    return;
  }
  while (!samples.empty()) {
    const size_t count = std::min(samples.size(), kBlock);
    impl_->process(samples.data(), count, out);
    samples = samples.subspan(count);
  }
}

void Resampler::finish(std::vector<float>& out) {
  if (impl_->stream) {
    const size_t begin = out.size();
    if (impl_->samples_in > 0) impl_->process(nullptr, 0, out);
    // soxr divides in double and may miss a tie by one sample.
    const auto excess = static_cast<int64_t>(impl_->samples_out - impl_->expected_out());
    out.resize(std::max(begin, out.size() - static_cast<size_t>(excess)));
    soxr_clear(impl_->stream.get());
  }
  impl_->samples_in = 0;
  impl_->samples_out = 0;
}

std::vector<float> resample(std::span<const float> samples, int from_hz, int to_hz,
                            ResamplerQuality quality) {
  std::vector<float> out;
  out.reserve(static_cast<size_t>(static_cast<double>(samples.size()) * to_hz / from_hz) + 2);
  Resampler resampler(from_hz, to_hz, quality);
  resampler.push(samples, out);
  resampler.finish(out);
  return out;
}

}  // namespace kani
