// codec_trainer.cc - see codec_trainer.h.
#include "kani/train/codec/codec_trainer.h"

#include <ATen/Parallel.h>

#include <chrono>
#include <cmath>

#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/base/log.h"
#include "kani/base/random.h"
#include "kani/base/sha256.h"
#include "kani/train/cuda_device.h"
#include "kani/train/sealed_folder.h"

namespace kani::train {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int64_t kMostSkipped = 10;           // in a row
constexpr uint64_t kNoiseSeed = 0x6E6F697365;  // keeps dropout apart from crops
constexpr uint64_t kEvalSeed = 0x6576616C;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::string hash_of(const std::string& text) {
  return sha256_hex(std::as_bytes(std::span(text.data(), text.size())));
}

void set_gradients(ParameterMap& parameters, bool wanted) {
  for (auto& [name, tensor] : parameters) tensor.set_requires_grad(wanted);
}

}  // namespace

CodecTrainer::CodecTrainer(CodecTrainConfig config, bool resume, bool force)
    : config_(std::move(config)), device_(at::kCPU) {
  config_.validate();
  device_ = choose_device(config_.device, Launch{});
  if (device_.is_cuda()) use_gpu(device_);
  // More threads than one spin while they wait for each other, on layers this small.
  if (config_.threads > 0 || device_.is_cpu()) at::set_num_threads(std::max(1, config_.threads));
  start_networks();
  const NanoCodecConfig& codec = codec_->config();
  sounds_ = std::make_unique<SoundSet>(config_.data, codec.sample_rate_hz, codec.samples_per_frame);
  if (!config_.valid_data.empty())
    valid_ = std::make_unique<SoundSet>(config_.valid_data, codec.sample_rate_hz,
                                        codec.samples_per_frame);
  make_tools();
  state_.data_hash = sounds_->hash();
  state_.config_hash = hash_of(numeric_yaml(config_));
  if (!resume) {
    require_no_steps(config_.output_dir);
    return;
  }
  const auto folder = find_codec_checkpoint(config_.output_dir);
  if (!folder)
    throw Error(ErrorCode::kInvalidArgument, "--resume: no whole checkpoint in ",
                config_.output_dir)
        .with_hint("a run that ended before its first one was whole starts anew without --resume");
  CodecRunState found = load_codec_checkpoint(*folder, snapshot());
  for (const auto& [what, theirs, ours] :
       {std::tuple{"sounds", &found.data_hash, &state_.data_hash},
        {"settings", &found.config_hash, &state_.config_hash}}) {
    if (*theirs == *ours) continue;
    std::string changes;
    if (ours == &state_.config_hash) {
      const std::filesystem::path settings = *folder / "config.resolved.yaml";
      changes = changed_keys(read_file(settings, kMaxConfigBytes), settings.string(), config_);
      if (changes.empty()) continue;  // only written down in another way
      changes = ": " + changes;
    }
    if (!force)
      throw Error(ErrorCode::kBadInput, *folder, " was made with other ", what, changes)
          .with_hint("give what it was made with again; --force goes on all the same");
    log_warning("train", *folder, " was made with other ", what, changes);
  }
  found.data_hash = state_.data_hash;
  found.config_hash = state_.config_hash;
  state_ = std::move(found);
}

CodecTrainer::~CodecTrainer() = default;

// A finished codec holds only what speaks; what has made its codes lies in another file.
void CodecTrainer::take_code_networks() {
  require(!has_analysis(), "code_networks is ", config_.code_networks, ", but ", config_.init,
          " holds an analysis network itself");
  const CodecFile codes = load_code_networks(config_.code_networks);
  require(codes.config.codebooks == start_config_.codebooks &&
              codes.config.levels == start_config_.levels &&
              codes.config.samples_per_frame == start_config_.samples_per_frame &&
              codes.config.decoder.base_channels == start_config_.decoder.base_channels,
          config_.code_networks, " makes other codes than those of ", config_.init);
  for (const auto& [name, tensor] : codes.parameters) {
    if (name.starts_with("analysis.") || name.starts_with("mel_head.")) parameters_[name] = tensor;
  }
}

void CodecTrainer::start_networks() {
  if (config_.init.empty()) {
    // Through the reader of .nemo files, which knows what a codec may be.
    start_config_ = parse_nanocodec_config(nanocodec_config_yaml(config_.codec),
                                           "the codec that the keys describe");
    parameters_ = random_codec(start_config_, config_.seed);
  } else {
    CodecFile start = load_networks(config_.init);
    start_config_ = start.config;
    parameters_ = std::move(start.parameters);
    if (!config_.more_dilations.empty())
      deepen_decoder(start_config_, parameters_, config_.more_dilations, config_.seed);
  }
  if (!config_.code_networks.empty()) take_code_networks();
  if (config_.stage == CodecStage::kMel && !has_analysis())
    parameters_.merge(random_analysis(start_config_, config_.analysis, config_.seed));
  const bool needs_analysis =
      config_.stage == CodecStage::kEncoder || (uses_codes() && config_.codes != "encoder");
  require(!needs_analysis || has_analysis(), config_.init,
          " holds no analysis network; stage mel makes one, and its checkpoints keep it");
  require(config_.stage == CodecStage::kMel || (uses_codes() && config_.codes == "analysis") ||
              start_config_.encoder.present,
          config_.init, ": the codec has no encoder");
  for (auto& [name, tensor] : parameters_) {
    tensor = tensor.to(device_);
    tensor.set_requires_grad(stage_trains(config_.stage, config_, name));
  }
  codec_ = std::make_unique<CodecModule>(start_config_, parameters_, device_);
  if (config_.adversarial_from >= 0 && config_.stage >= CodecStage::kDecoder) {
    critic_parameters_ = random_discriminators(config_.critics, config_.seed);
    for (auto& [name, tensor] : critic_parameters_) tensor = tensor.to(device_);
    set_gradients(critic_parameters_, true);
  }
}

void CodecTrainer::make_tools() {
  const NanoCodecConfig& codec = codec_->config();
  if (has_analysis()) {
    const AnalysisSize size = size_of(parameters_);
    analysis_ = std::make_unique<AnalysisNetwork>(codec, size, parameters_);
    mel_ = std::make_unique<LogMel>(analysis_mel(codec, size.bands, device_));
  }
  if (config_.stage >= CodecStage::kDecoder)
    spectral_ = std::make_unique<SpectralLoss>(
        codec.sample_rate_hz, device_,
        SpectralRules{.mel_guards = config_.mel_guards, .spread = config_.spread_weight > 0});
  optimizer_ = std::make_unique<AdamW>(config_.optimizer, parameters_);
  if (!critic_parameters_.empty()) {
    critics_ = std::make_unique<Discriminators>(config_.critics, critic_parameters_, device_);
    critic_optimizer_ =
        std::make_unique<AdamW>(OptimizerSettings{.learning_rate = config_.critic_learning_rate,
                                                  .beta1 = 0.8,
                                                  .beta2 = 0.99,
                                                  .max_grad_norm = config_.optimizer.max_grad_norm,
                                                  .total_steps = config_.optimizer.total_steps,
                                                  .schedule = "constant"},
                                critic_parameters_);
  }
  if (config_.ema_decay > 0)
    average_ =
        std::make_unique<WeightAverage>(parameters_, *optimizer_, nullptr, config_.ema_decay);
  if (!uses_codes()) return;
  codes_ = make_cache(*sounds_);
  if (valid_) valid_codes_ = make_cache(*valid_);
}

std::unique_ptr<CodeCache> CodecTrainer::make_cache(const SoundSet& sounds) const {
  std::vector<CodeMaker> makers;
  if (config_.codes != "encoder")
    makers.push_back(
        {[this](const at::Tensor& x) { return analysis_->latent((*mel_)(x)); }, kAnalysisContext});
  if (config_.codes != "analysis")
    makers.push_back(
        {[this](const at::Tensor& x) { return codec_->encode(x); }, codec_->encoder_context()});
  return std::make_unique<CodeCache>(sounds, *codec_, std::move(makers), device_);
}

int64_t CodecTrainer::trained_count() const {
  int64_t count = 0;
  for (const auto& [name, tensor] : parameters_)
    count += tensor.requires_grad() ? tensor.numel() : 0;
  return count;
}

CodecSnapshot CodecTrainer::snapshot() {
  return {.codec = &codec_->config(),
          .parameters = &parameters_,
          .optimizer = optimizer_.get(),
          .average = average_ ? &average_->owned() : nullptr,
          .critics = critics_ ? &critic_parameters_ : nullptr,
          .critic_optimizer = critic_optimizer_.get()};
}

CropBatch CodecTrainer::batch_of(const Source& source, uint64_t seed, uint64_t number,
                                 double starts) const {
  const int64_t hop = codec_->config().samples_per_frame, frames = config_.crop_frames;
  std::vector<at::Tensor> sounds, codes;
  CropBatch out;
  for (int64_t i = 0; i < config_.batch_size; ++i) {
    const Crop crop = source.sounds->crop(seed, number, static_cast<uint64_t>(i), frames, starts);
    const int64_t shift = uses_codes() ? 0 : crop.shift;  // codes stand at whole frames
    sounds.push_back(
        source.sounds->samples(crop.recording, crop.frame * hop + shift, frames * hop));
    out.starts.push_back(crop.frame == 0 && shift == 0);
    if (uses_codes()) codes.push_back(source.codes->codes(crop.recording, crop.frame, frames));
  }
  out.sound = at::stack(sounds).to(device_);
  if (!codes.empty()) out.codes = at::stack(codes).to(device_);
  return out;
}

void CodecTrainer::add_critics(StageResult& result, Figures& figures) {
  const int64_t n = state_.update - config_.adversarial_from;
  if (!critics_ || n < 0) return;
  const at::Tensor verdict =
      critic_loss(critics_->judge(result.real), critics_->judge(result.made.detach()));
  learn_verdict(verdict, n, *critic_optimizer_);
  set_gradients(critic_parameters_, false);
  std::vector<Opinion> real;
  {
    at::NoGradGuard no_grad;
    real = critics_->judge(result.real);
  }
  const std::vector<Opinion> made = critics_->judge(result.made);
  const at::Tensor deception = deception_loss(made), features = feature_loss(real, made);
  set_gradients(critic_parameters_, true);
  const auto count = static_cast<double>(made.size());
  result.loss = result.loss + deception * (config_.adversarial_weight / count) +
                features * config_.feature_weight;
  figures["critic"] = verdict.item<double>() / count;
  figures["deception"] = deception.item<double>() / count;
  figures["features"] = features.item<double>();
}

CodecUpdateReport CodecTrainer::step() {
  const auto start = Clock::now();
  CodecUpdateReport report;
  report.update = state_.update + 1;
  report.total = config_.optimizer.total_steps;
  report.learning_rate = optimizer_->learning_rate(state_.update);
  const auto number = static_cast<uint64_t>(state_.update);
  CropBatch batch =
      batch_of({sounds_.get(), codes_.get()}, config_.seed, number, config_.start_share);
  batch.progress = static_cast<double>(state_.update) / static_cast<double>(report.total);
  batch.noise = splitmix64(splitmix64(config_.seed ^ kNoiseSeed) ^ number);
  report.data_seconds = seconds_since(start);
  report.sound_seconds = static_cast<double>(batch.sound.numel()) / codec_config().sample_rate_hz;

  const StageTools tools{&config_, codec_.get(), analysis_.get(), mel_.get(), spectral_.get()};
  StageResult result = stage_loss(config_.stage, tools, batch);
  report.figures = result.figures;
  add_critics(result, report.figures);
  if (result.digits.defined()) {
    double bits = 0;
    for (const double part : codec_->fsq().entropy_bits(result.digits)) bits += part;
    report.figures["bits"] = bits;
  }
  report.loss = result.loss.item<double>();
  result.loss.backward();
  report.grad_norm = optimizer_->gradient_norm();
  report.skipped = !std::isfinite(report.loss) || !std::isfinite(report.grad_norm);
  optimizer_->step(state_.update, !report.skipped);
  if (report.skipped) {
    ++state_.skipped;
    ++state_.skipped_in_row;
    log_warning("train", "update ", report.update, " is skipped: loss ", report.loss, ", gradient ",
                report.grad_norm);
  } else {
    state_.skipped_in_row = 0;
    if (average_) average_->update(/*follows=*/state_.update < config_.optimizer.warmup_steps);
  }
  ++state_.update;
  report.seconds = seconds_since(start);
  if (state_.skipped_in_row >= kMostSkipped)
    throw Error(ErrorCode::kBadInput, kMostSkipped,
                " updates in a row had no finite loss; a lower "
                "learning_rate may help");
  return report;
}

Figures CodecTrainer::measured(const Source& source, double starts) const {
  const StageTools tools{&config_, codec_.get(), analysis_.get(), mel_.get(), spectral_.get()};
  const int64_t batches = (config_.eval_crops + config_.batch_size - 1) / config_.batch_size;
  Figures sum;
  std::vector<at::Tensor> digits;
  for (int64_t i = 0; i < batches; ++i) {
    const StageResult result = stage_loss(
        config_.stage, tools, batch_of(source, kEvalSeed, static_cast<uint64_t>(i), starts));
    sum["loss"] += result.loss.item<double>() / static_cast<double>(batches);
    for (const auto& [name, value] : result.figures)
      sum[name] += value / static_cast<double>(batches);
    if (result.digits.defined()) digits.push_back(result.digits);
  }
  if (!digits.empty()) {
    int64_t k = 0;
    for (const double bits : codec_->fsq().entropy_bits(at::cat(digits, 0))) {
      sum[concat("bits_", k++)] = bits;
      sum["bits"] += bits;
    }
  }
  return sum;
}

Figures CodecTrainer::evaluate(bool averaged) {
  at::NoGradGuard no_grad;
  ParameterMap kept;  // what averages stand in for
  if (averaged && average_) {
    for (const auto& [name, mean] : average_->owned())
      kept[name] = std::exchange(parameters_.at(name), mean);
  }
  const Source source =
      valid_ ? Source{valid_.get(), valid_codes_.get()} : Source{sounds_.get(), codes_.get()};
  Figures figures = measured(source, /*starts=*/0);
  for (const auto& [name, value] : measured(source, /*starts=*/1)) {
    if (!name.starts_with("bits")) figures["starts_" + name] = value;
  }
  for (auto& [name, tensor] : kept) parameters_.at(name) = tensor;
  return figures;
}

void CodecTrainer::save() { save_codec_checkpoint(config_, snapshot(), state_); }

void CodecTrainer::export_to(const std::filesystem::path& file, CodecStorage storage) {
  ParameterMap all = parameters_;
  if (average_) {
    for (const auto& [name, mean] : average_->owned()) all[name] = mean;
  }
  export_networks(file, {codec_->config(), std::move(all)}, storage);
}

}  // namespace kani::train
