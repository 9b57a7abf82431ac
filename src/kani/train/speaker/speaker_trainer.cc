// speaker_trainer.cc - see speaker_trainer.h; checkpoints are in speaker_checkpoint.cc.
#include "kani/train/speaker/speaker_trainer.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "kani/base/error.h"
#include "kani/base/random.h"
#include "kani/train/sealed_folder.h"

namespace kani::train {
namespace {

constexpr const char* kClasses = "classes.weight";

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

SpeakerTrainConfig checked(SpeakerTrainConfig config) {
  if (!config.init.empty()) config.model = SpeakerModule(config.init).config();
  validate(config);
  require(!config.data.empty(), "no data: name recordings with --data");
  const int64_t frames =
      speaker_module_frames(config.model, std::lround(config.min_seconds * 16000));
  require(frames >= 2, "min_seconds is ", config.min_seconds, ", which gives ", frames,
          " frames of these convolutions, must give 2 or more");
  at::set_num_threads(static_cast<int>(config.threads));
  return config;
}

Recordings held_out_of(const SpeakerTrainConfig& config, Recordings& training) {
  if (config.valid_data.empty()) return training.split_off(config.held_out_share);
  Recordings held(config.valid_data, config.cache_mb);
  for (size_t i = 0; i < held.speakers(); ++i) {
    for (size_t j = 0; j < training.speakers(); ++j)
      require(held.name(i) != training.name(j), "speaker \"", printable(held.name(i)),
              "\" is in the data and in the validation data, must be in one");
  }
  return held;
}

SpeakerModule first_module(const SpeakerTrainConfig& config) {
  return config.init.empty() ? SpeakerModule(config.model, config.seed)
                             : SpeakerModule(config.init);
}

// One direction for each speaker.
at::Tensor first_classes(int64_t speakers, int64_t width, uint64_t seed) {
  at::Tensor out = at::empty({speakers, width}, at::kFloat);
  Random random(splitmix64(seed + 1));
  auto* values = out.mutable_data_ptr<float>();
  for (int64_t i = 0; i < out.numel(); ++i)
    values[i] = static_cast<float>(0.1 * random.next_normal());
  return out.set_requires_grad(true);
}

ParameterMap with_classes(ParameterMap parameters, at::Tensor classes) {
  parameters[kClasses] = std::move(classes);
  return parameters;
}

std::vector<float> embed_one(SpeakerModule& module, const std::vector<float>& samples) {
  at::NoGradGuard no_grad;
  const at::Tensor vector =
      module.embed(at::tensor(samples).unsqueeze(0), /*training=*/false).contiguous();
  return {vector.const_data_ptr<float>(), vector.const_data_ptr<float>() + vector.numel()};
}

}  // namespace

SpeakerTrainer::SpeakerTrainer(SpeakerTrainConfig config, bool resume, bool force)
    : config_(checked(std::move(config))),
      training_(config_.data, config_.cache_mb),
      held_out_(held_out_of(config_, training_)),
      module_(first_module(config_)),
      trained_(with_classes(module_.parameters(),
                            first_classes(static_cast<int64_t>(training_.speakers()),
                                          config_.model.embedding_size, config_.seed))),
      optimizer_(config_.optimizer, trained_) {
  require(training_.speakers() >= 2, "the data has ", training_.speakers(),
          " speaker, must have 2 or more");
  if (!resume) {
    require_no_steps(config_.output_dir);
    return;
  }
  if (const auto found = find_checkpoint()) load(*found, force);
}

// Cosines to all classes; the own one must win by the margin.
at::Tensor SpeakerTrainer::loss_of(const CropBatch& batch, double& hits) {
  const at::Tensor samples =
      at::tensor(batch.samples).view({static_cast<int64_t>(batch.speakers.size()), batch.length});
  const at::Tensor speakers = at::tensor(batch.speakers, at::kLong);
  const at::Tensor vectors = module_.embed(samples, /*training=*/true);
  const at::Tensor& classes = trained_.find(kClasses)->second;
  const at::Tensor directions =
      classes / at::norm(classes, 2, {1}, /*keepdim=*/true).clamp_min(1e-12);
  const at::Tensor cosines = at::matmul(vectors, directions.t());
  hits = cosines.argmax(1).eq(speakers).to(at::kDouble).mean().item<double>();
  // From the start the margin would push apart what is not told apart yet.
  const double grown = config_.margin_warmup * static_cast<double>(config_.optimizer.total_steps);
  const double margin =
      config_.margin * std::min(1.0, static_cast<double>(update_ + 1) / std::max(1.0, grown));
  const at::Tensor own = at::zeros_like(cosines).scatter(1, speakers.unsqueeze(1), margin);
  return at::cross_entropy_loss(config_.scale * (cosines - own), speakers);
}

SpeakerUpdateReport SpeakerTrainer::step() {
  require(!done(), "all ", config_.optimizer.total_steps, " updates are done");
  const auto start = std::chrono::steady_clock::now();
  SpeakerUpdateReport report;
  const CropBatch batch = make_crops(training_, config_, update_);
  report.data_seconds = seconds_since(start);
  report.crop_seconds = static_cast<double>(batch.length) / 16000;
  report.learning_rate = optimizer_.learning_rate(update_);
  const at::Tensor loss = loss_of(batch, report.hits);
  report.loss = loss.item<double>();
  loss.backward();
  const double norm = optimizer_.gradient_norm();
  if (!std::isfinite(report.loss) || !std::isfinite(norm))
    throw Error(ErrorCode::kBadInput, "update ", update_ + 1, ": loss ", report.loss, ", gradient ",
                norm, ": not finite")
        .with_hint("a lower learning_rate, or --resume from the last checkpoint");
  report.grad_norm = optimizer_.step(update_);
  report.update = ++update_;
  report.seconds = seconds_since(start);
  return report;
}

SpeakerScores SpeakerTrainer::evaluate() {
  if (clips_.empty()) clips_ = make_test_clips(held_out_, config_);
  std::vector<std::vector<float>> vectors;
  std::vector<size_t> speakers;
  for (const TestClip& clip : clips_) {
    vectors.push_back(embed_one(module_, clip.samples));
    speakers.push_back(clip.speaker);
  }
  return score_speakers(vectors, speakers);
}

std::vector<float> embed_file(SpeakerModule& module, const std::filesystem::path& sound) {
  std::vector<float> samples = read_reference_sound(sound);
  if (speaker_module_frames(module.config(), static_cast<int64_t>(samples.size())) < 2)
    throw Error(ErrorCode::kBadInput, sound, ": too short: ", samples.size(),
                " samples at 16 kHz give fewer than two frames");
  normalize_signal(samples);
  return embed_one(module, samples);
}

}  // namespace kani::train
