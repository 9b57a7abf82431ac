// sound_targets.cc - see sound_targets.h.
#include "apps/kani/sound_targets.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <system_error>

#include "kani/audio/player.h"
#include "kani/base/file.h"

namespace kani::cli {
namespace {

namespace fs = std::filesystem;

/// FIFOs, devices and names of descriptors (/dev/stdout), which the writer writes in place.
bool is_special(const fs::path& path) {
  const std::string text = path.string();
  if (text.starts_with("/dev/") || text.starts_with("/proc/self/fd/")) return true;
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  return fs::exists(status) && !fs::is_regular_file(status) && !fs::is_directory(status);
}

/// Format by the ending; special files without one are WAV.
SoundFormat format_of(const fs::path& path) {
  if (const auto format = sound_format_from_name(path.string()); format && path.has_extension())
    return *format;
  if (is_special(path)) return SoundFormat::kWav;
  throw Error(ErrorCode::kInvalidArgument, "unknown ending of ", printable(path.string(), 200),
              ", expected .wav, .mp3, .opus, .ogg, .flac, .aac, .pcm or .raw");
}

/// Throws Error(kCannotWrite) if a file could not be made at `path`.
void check_place(const fs::path& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) throw_cannot_write(path, EISDIR);
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  if (!fs::exists(folder, error)) throw_cannot_write(path, error ? error.value() : ENOENT);
  if (!fs::is_directory(folder, error)) throw_cannot_write(path, ENOTDIR);
  if (!is_special(path) && access(folder.c_str(), W_OK) != 0) throw_cannot_write(path, errno);
}

/// What can be told of a sound file before there is sound for it.
void check_sound_file(const fs::path& path) {
  check_place(path);
  format_of(path);
}

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw_cannot_write(folder, error.value());
  if (!fs::is_directory(folder, error)) throw_cannot_write(folder, ENOTDIR);
  if (access(folder.c_str(), W_OK) != 0) throw_cannot_write(folder, errno);
}

OutputKind kind_of(const SayOptions& options, const StandardOutput& out) {
  if (options.output_raw) return OutputKind::kStdoutRaw;
  if (options.output_file == "-") return OutputKind::kStdoutWav;
  if (!options.output_file.empty()) return OutputKind::kFile;
  if (!options.output_dir.empty()) return OutputKind::kFolder;
  return options.play || out.is_terminal() ? OutputKind::kPlayer : OutputKind::kStdoutWav;
}

}  // namespace

OutputPlan plan_output(const SayOptions& options, Context& context) {
  OutputPlan plan;
  plan.kind = kind_of(options, context.out);
  plan.play = options.play || plan.kind == OutputKind::kPlayer;
  const bool to_stdout = plan.kind == OutputKind::kStdoutWav || plan.kind == OutputKind::kStdoutRaw;
  if (to_stdout && context.out.is_terminal()) {
    throw Error(ErrorCode::kInvalidArgument,
                "stdout is a terminal, expected a pipe or a file for the sound")
        .with_hint("name a file with --output-file, or leave the output out to hear it");
  }
  if (plan.play && !find_player()) {
    plan.play = false;
    log_warning("say", "no player found (pw-play, paplay, aplay, ffplay)",
                plan.kind == OutputKind::kPlayer ? ", writing output.wav" : "");
    if (plan.kind == OutputKind::kPlayer) {
      plan.kind = OutputKind::kFile;
      plan.path = "output.wav";
    }
  }
  if (!options.output_file.empty() && plan.kind == OutputKind::kFile)
    plan.path = options.output_file;
  if (plan.kind == OutputKind::kFolder) plan.path = options.output_dir;
  if (plan.kind == OutputKind::kFile) check_sound_file(plan.path);
  if (plan.kind == OutputKind::kFolder) make_folder(plan.path);
  for (const std::string& path : {options.srt, options.vtt, options.timestamps}) {
    if (!path.empty()) check_place(path);
  }
  return plan;
}

SoundTargets::SoundTargets(const SayOptions& options, const OutputPlan& plan, Context& context,
                           int rate_hz)
    : options_(options), plan_(plan), context_(context), rate_hz_(rate_hz) {
  // A file is tried at once; stdout stays untouched until there is sound, so that an error leaves
  // it empty.
  if (plan_.kind == OutputKind::kFile) shared_ = open_file(plan_.path);
}

SoundTargets::~SoundTargets() = default;

bool SoundTargets::uses_stdout() const {
  return plan_.kind == OutputKind::kStdoutWav || plan_.kind == OutputKind::kStdoutRaw;
}

std::unique_ptr<SoundWriter> SoundTargets::open_file(const fs::path& path) {
  SoundWriterOptions writer;
  writer.format = format_of(path);
  writer.input_rate_hz = rate_hz_;
  writer.output_rate_hz = options_.sample_rate_hz.value_or(0);
  writer.tags = !options_.no_tags;
  writer.streaming = options_.stream;
  return open_sound_file(path, writer);
}

std::unique_ptr<SoundWriter> SoundTargets::open_shared() {
  SoundWriterOptions writer;
  writer.format = plan_.kind == OutputKind::kStdoutRaw ? SoundFormat::kRaw : SoundFormat::kWav;
  writer.input_rate_hz = rate_hz_;
  writer.output_rate_hz = options_.sample_rate_hz.value_or(0);
  writer.tags = !options_.no_tags;
  writer.streaming = true;
  return open_sound_stream([this](std::span<const std::byte> bytes) { context_.out.write(bytes); },
                           writer);
}

fs::path SoundTargets::own_path(const Utterance& utterance) {
  if (utterance.output_file) {
    const fs::path path = *utterance.output_file;
    return plan_.kind == OutputKind::kFolder ? plan_.path / path : path;
  }
  if (plan_.kind != OutputKind::kFolder) return {};
  char name[32];
  std::snprintf(name, sizeof name, "%04llu.wav", static_cast<unsigned long long>(++numbered_));
  return plan_.path / name;
}

void SoundTargets::begin(const Utterance& utterance) {
  own_file_ = own_path(utterance);
  if (!own_file_.empty()) {
    check_sound_file(own_file_);
    own_ = open_file(own_file_);
  }
  const double silence_s = options_.sentence_silence_s.value_or(0.2);
  silence_ = shared_samples_ == 0 ? 0 : static_cast<uint64_t>(std::llround(silence_s * rate_hz_));
  offset_s_ = static_cast<double>(shared_samples_ + silence_) / rate_hz_;
}

void SoundTargets::write(std::span<const float> samples) {
  if (samples.empty()) return;
  if (own_) own_->write(samples);
  static constexpr std::array<float, 4096> kSilence = {};
  while (silence_ > 0) {
    const size_t count = static_cast<size_t>(std::min<uint64_t>(silence_, kSilence.size()));
    write_shared(std::span(kSilence).first(count));
    silence_ -= count;
  }
  write_shared(samples);
}

void SoundTargets::write_shared(std::span<const float> samples) {
  if (!own_ && (uses_stdout() || shared_)) {
    if (!shared_) shared_ = open_shared();
    shared_->write(samples);
  }
  // A text with a file of its own is no part of the shared one, and heard only with --play.
  const bool heard = plan_.play && (!own_ || options_.play);
  if (heard) {
    if (!player_) player_ = open_player(rate_hz_);
    if (!player_)
      throw Error(ErrorCode::kNotFound,
                  "no player could be started (pw-play, paplay, aplay, ffplay)");
    player_->write(samples);
  }
  if (!own_ || heard) shared_samples_ += samples.size();
}

void SoundTargets::end() {
  if (!own_) return;
  own_->finish();
  own_.reset();
  silence_ = 0;
}

void SoundTargets::finish() {
  // If every text had a file of its own, there is nothing for the shared one.
  if (shared_ && shared_->samples() > 0) shared_->finish();
  shared_.reset();
  if (player_) player_->finish();
  player_.reset();
}

double SoundTargets::shared_s() const { return static_cast<double>(shared_samples_) / rate_hz_; }

}  // namespace kani::cli
