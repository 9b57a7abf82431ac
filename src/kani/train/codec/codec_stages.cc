// codec_stages.cc - see codec_stages.h.
#include "kani/train/codec/codec_stages.h"

#include <algorithm>

#include "kani/base/error.h"
#include "kani/base/random.h"

namespace kani::train {
namespace {

double item(const at::Tensor& x) { return x.item<double>(); }

// 0 before `from`, then a line to 1.
double grown(double progress, double from, double over) {
  return std::clamp((progress - from) / over, 0.0, 1.0);
}

// Some crops keep their first groups alone, so that these learn what matters most.
at::Tensor drop_groups(const at::Tensor& values, const StageTools& tools, const CropBatch& batch) {
  const CodecTrainConfig& c = *tools.config;
  if (!batch.noise || c.group_dropout == 0 || batch.progress < c.group_dropout_from) return values;
  const int64_t groups = tools.codec->config().codebooks, width = values.size(1) / groups;
  if (groups < 2) return values;
  at::Tensor kept = at::ones({values.size(0), values.size(1), 1}, at::kFloat);
  for (int64_t i = 0; i < values.size(0); ++i) {
    Random random(splitmix64(*batch.noise ^ splitmix64(static_cast<uint64_t>(i))));
    if (random.next_uniform() >= c.group_dropout) continue;
    const auto first =
        1 + static_cast<int64_t>(random.next_uniform() * static_cast<double>(groups - 1));
    kept[i].narrow(0, first * width, (groups - first) * width).zero_();
  }
  return values * kept.to(values.device());
}

// Of each item the `count` frames that count, [B, C, count per_frame]: behind `lead` frames, from
// the first one on where a recording begins.
at::Tensor counted(const at::Tensor& x, const CropBatch& batch, int64_t lead, int64_t count,
                   int64_t per_frame = 1) {
  const int64_t last = x.dim() - 1;
  const auto begin = [&](size_t i) { return batch.starts.at(i) ? 0 : lead * per_frame; };
  if (std::find(batch.starts.begin(), batch.starts.end(), true) == batch.starts.end())
    return x.narrow(last, lead * per_frame, count * per_frame);
  std::vector<at::Tensor> parts;
  for (size_t i = 0; i < batch.starts.size(); ++i)
    parts.push_back(x[static_cast<int64_t>(i)].narrow(last - 1, begin(i), count * per_frame));
  return at::stack(parts);
}

at::Tensor real_mel(const StageTools& tools, const at::Tensor& sound) {
  at::NoGradGuard no_grad;
  return (*tools.mel)(sound);
}

// Mels through the decoder's first stage, as far from the real ones as `terms` says.
at::Tensor mel_loss(const StageTools& tools, const CropBatch& batch, const at::Tensor& first,
                    const at::Tensor& mel, Figures& figures) {
  const int64_t rate = tools.codec->config().decoder.rates.front(),
                lead = tools.config->context_frames, steps = mel.size(2);
  const at::Tensor error = tools.analysis->mel(first) - mel;
  const at::Tensor level = counted(error, batch, lead, steps / rate - lead, rate).abs().mean();
  const at::Tensor change =
      (error.narrow(2, 1, steps - 1) - error.narrow(2, 0, steps - 1)).abs().mean();
  figures["mel_l1"] = item(level);
  return level + change * tools.config->change_weight;
}

at::Tensor limit_loss(const StageTools& tools, const at::Tensor& latent) {
  return (latent.abs() - tools.config->latent_limit).clamp_min(0).square().mean() *
         tools.config->limit_weight;
}

StageResult mel_stage(const StageTools& tools, const CropBatch& batch) {
  const CodecTrainConfig& c = *tools.config;
  StageResult out;
  const at::Tensor mel = real_mel(tools, batch.sound);
  const at::Tensor latent = tools.analysis->latent(mel);
  const Fsq::Result quantized = tools.codec->fsq().quantize(latent);
  const at::Tensor first = tools.codec->front(drop_groups(quantized.values, tools, batch));
  out.loss = mel_loss(tools, batch, first, mel, out.figures) + limit_loss(tools, latent);
  const at::Tensor rate = at::log1p(quantized.compressed.abs()).mean();
  const double weight = c.rate_weight * grown(batch.progress, c.rate_from, c.rate_over);
  if (weight > 0) out.loss = out.loss + rate * weight;
  out.figures["rate"] = item(rate);
  out.digits = quantized.digits;
  return out;
}

StageResult encoder_stage(const StageTools& tools, const CropBatch& batch) {
  const CodecTrainConfig& c = *tools.config;
  const Fsq& fsq = tools.codec->fsq();
  const at::Tensor mel = real_mel(tools, batch.sound);
  Fsq::Result wanted;
  {
    at::NoGradGuard no_grad;
    wanted = fsq.quantize(tools.analysis->latent(mel));
  }
  const at::Tensor latent = tools.codec->encode(batch.sound);
  const Fsq::Result got = fsq.quantize(latent);
  // The crop's edges hang on what is not in it.
  const int64_t frames = latent.size(2), edge = frames > 2 ? 1 : 0;
  const auto inside = [&](const at::Tensor& x) {
    return counted(x, batch, edge, frames - 2 * edge);
  };
  StageResult out;
  const at::Tensor distance =
      ((inside(got.compressed) - inside(wanted.compressed)) / fsq.half()).square().mean();
  out.loss = distance + limit_loss(tools, latent);
  // Not before the codes say something: until then the mel term costs more than a third of an
  // update and slows the agreement (distance 0.073 after 450 updates with it, 0.063 without).
  const double weight =
      c.encoder_mel_weight * grown(batch.progress, c.encoder_mel_from, c.encoder_mel_over);
  if (weight > 0)
    out.loss = out.loss +
               mel_loss(tools, batch, tools.codec->front(got.values), mel, out.figures) * weight;
  const at::Tensor a = inside(got.digits), b = inside(wanted.digits);
  out.figures["distance"] = item(distance);
  out.figures["equal_digits"] = item((a == b).to(at::kFloat).mean());
  out.figures["equal_tokens"] = item((fsq.codes(a) == fsq.codes(b)).to(at::kFloat).mean());
  out.digits = got.digits;
  return out;
}

// Sound from values, with everything but what discriminators say.
void add_sound(const StageTools& tools, const CropBatch& batch, const at::Tensor& values,
               StageResult& out) {
  const CodecTrainConfig& c = *tools.config;
  const int64_t hop = tools.codec->config().samples_per_frame, lead = c.context_frames;
  const at::Tensor first = tools.codec->front(values);
  const at::Tensor sound = tools.codec->rest(first);
  const int64_t frames = sound.size(1) / hop - lead;
  out.made = counted(sound, batch, lead, frames, hop);
  out.real = counted(batch.sound, batch, lead, frames, hop);
  const SpectralTerms terms = (*tools.spectral)(out.made, out.real);
  const at::Tensor beyond = (sound.abs() - 1).clamp_min(0).mean();
  out.loss =
      terms.mel * c.mel_weight + terms.magnitude * c.magnitude_weight + beyond * c.clip_weight;
  out.figures["mel"] = item(terms.mel);
  out.figures["magnitude"] = item(terms.magnitude);
  if (c.spread_weight > 0) {
    out.loss = out.loss + terms.spread * c.spread_weight;
    out.figures["spread"] = item(terms.spread);
  }
  if (c.aux_weight > 0 && tools.analysis != nullptr)
    out.loss = out.loss + mel_loss(tools, batch, first, real_mel(tools, batch.sound), out.figures) *
                              c.aux_weight;
}

StageResult decoder_stage(const StageTools& tools, const CropBatch& batch) {
  StageResult out;
  add_sound(tools, batch, tools.codec->fsq().values(batch.codes), out);
  return out;
}

StageResult joint_stage(const StageTools& tools, const CropBatch& batch) {
  StageResult out;
  const at::Tensor latent = tools.codec->encode(batch.sound);
  const Fsq::Result quantized = tools.codec->fsq().quantize(latent);
  add_sound(tools, batch, drop_groups(quantized.values, tools, batch), out);
  out.loss = out.loss + limit_loss(tools, latent);
  if (tools.config->rate_weight > 0)
    out.loss = out.loss + at::log1p(quantized.compressed.abs()).mean() * tools.config->rate_weight;
  out.digits = quantized.digits;
  return out;
}

}  // namespace

StageResult stage_loss(CodecStage stage, const StageTools& tools, const CropBatch& batch) {
  switch (stage) {
    case CodecStage::kMel:
      return mel_stage(tools, batch);
    case CodecStage::kEncoder:
      return encoder_stage(tools, batch);
    case CodecStage::kDecoder:
      return decoder_stage(tools, batch);
    case CodecStage::kJoint:
      break;
  }
  return joint_stage(tools, batch);
}

bool stage_trains(CodecStage stage, const CodecTrainConfig& config, std::string_view name) {
  const bool front = name.starts_with("audio_decoder.pre_conv.") ||
                     name.starts_with("audio_decoder.activations.0.") ||
                     name.starts_with("audio_decoder.up_sample_conv_layers.0.") ||
                     name.starts_with("audio_decoder.res_layers.0.");
  const bool head = name.starts_with("mel_head."), encoder = name.starts_with("audio_encoder."),
             decoder = name.starts_with("audio_decoder.");
  switch (stage) {
    case CodecStage::kMel:
      return front || head || (name.starts_with("analysis.") && config.analysis_learns);
    case CodecStage::kEncoder:
      return encoder || ((front || head) && config.encoder_mel_weight > 0 && config.front_learns);
    case CodecStage::kDecoder:
      return decoder || (head && config.aux_weight > 0);
    case CodecStage::kJoint:
      break;
  }
  return encoder || decoder || (head && config.aux_weight > 0);
}

}  // namespace kani::train
