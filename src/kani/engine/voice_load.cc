// voice_load.cc - from a name, a path or a mix to a voice, and from a voice to a file.
#include <cmath>
#include <utility>

#include "kani/base/log.h"
#include "kani/engine/model.h"
#include "kani/engine/model_files.h"
#include "kani/engine/voice_files.h"
#include "kani/engine/voice_names.h"
#include "kani/formats/voice_file.h"

namespace kani {
namespace {

namespace fs = std::filesystem;

// Norms of the voices that are known: 1 for a single recording, 0.81 to 0.97 for means of several.
constexpr double kShortest = 0.5, kLongest = 1.05;

VoiceFormat format_named(std::string_view name) {
  const std::optional<VoiceFormat> format = voice_format_of(name);
  require(format.has_value(), "voice format is ", printable(name, 40),
          ", expected safetensors, pt, npy or json");
  return *format;
}

std::map<std::string, std::string> details_of(const Voice& voice) {
  std::map<std::string, std::string> details = voice.details;
  if (!voice.language.empty()) details["language"] = voice.language;
  if (!voice.name.empty()) details.emplace("name", voice.name);
  return details;
}

}  // namespace

bool is_voice_file_name(const fs::path& path) {
  const std::string ending = path.extension().string();
  if (path.filename() == kSpeakerMapFile || path.filename() == kOpenAiVoicesFile) return false;
  return !ending.empty() && voice_format_of(ending.substr(1)) && is_voice_id(path.stem().string());
}

VoiceEntry describe_voice_file(const std::string& id, const fs::path& path, VoicePlace place) {
  VoiceEntry entry;
  entry.name = entry.display_name = id;
  entry.path = path;
  entry.place = place;
  try {
    const Voice voice = read_voice(path);
    entry.length = voice.values.size();
    entry.language = voice.language;
    if (const auto at = voice.details.find("name");
        at != voice.details.end() && !at->second.empty())
      entry.display_name = at->second;
    if (const auto at = voice.details.find("description"); at != voice.details.end())
      entry.description = at->second;
  } catch (const Error& error) {  // told again, and loudly, to whoever asks for it
    log_trace("voices", error.what());
  }
  return entry;
}

void check_voice_length(const fs::path& path, size_t length, size_t expected) {
  if (expected == 0 || length == expected) return;
  throw Error(ErrorCode::kBadInput, path, ": voice has ", length, " numbers, the model takes ",
              expected)
      .with_hint("it was made by another speaker encoder");
}

Voice load_voice_file(const fs::path& path, size_t expected) {
  Voice voice = read_voice(path);
  check_voice_length(path, voice.values.size(), expected);
  double squares = 0;
  for (const float value : voice.values) squares += double{value} * double{value};
  if (const double norm = std::sqrt(squares); norm < kShortest || norm > kLongest) {
    log_warning("voices", path, ": the voice has a norm of ", norm, ", usual are ", kShortest,
                " to ", kLongest, "; it is used as it is");
  }
  return voice;
}

KnownModel known_model(const fs::path& model, size_t voice_length) {
  KnownModel known;
  known.voice_length = voice_length;
  try {
    known.language = find_language_model(model, known.set);
  } catch (const Error&) {
    if (!model.empty()) throw;
    return known;  // no default model: voices of the user remain
  }
  if (voice_length == 0) {
    const Lfm2Config config = load_config(known.language, {});
    known.voice_length = static_cast<size_t>(config.speaker_emb_dim);
  }
  return known;
}

Voice read_voice(const fs::path& path) {
  VoiceFile file = read_voice_file(path);
  Voice voice;
  voice.name = path.stem().string();
  voice.values = std::move(file.values);
  voice.path = path;
  voice.details = std::move(file.metadata);
  voice.details.erase("format");
  if (const auto at = voice.details.find("language"); at != voice.details.end())
    voice.language = at->second;
  return voice;
}

std::string voice_file_bytes(const Voice& voice, std::string_view format) {
  return voice_bytes(format_named(format), voice.values, details_of(voice));
}

void save_voice(const Voice& voice, const fs::path& path) {
  const std::string ending = path.extension().string();
  require(!ending.empty(), "voice file ", printable(path.string(), 200),
          " has no ending, expected .safetensors, .pt, .npy or .json");
  write_voice(path, format_named(ending.substr(1)), voice.values, details_of(voice));
}

Voice VoiceLibrary::load(const std::string& voice) const { return load_any(voice, /*paths=*/true); }

Voice VoiceLibrary::load_named(const std::string& voice) const {
  return load_any(voice, /*paths=*/false);
}

void VoiceLibrary::check_length(const Voice& voice) const {
  check_voice_length(voice.path, voice.values.size(), options_.voice_length);
}

std::optional<Voice> VoiceLibrary::load_single(const std::string& voice, bool paths) const {
  if (const VoiceEntry* entry = find(voice)) {
    Voice loaded = load_voice_file(entry->path, options_.voice_length);
    loaded.name = entry->name;
    return loaded;
  }
  std::error_code ignored;
  if (paths && fs::exists(voice, ignored)) return load_voice_file(voice, options_.voice_length);
  return std::nullopt;
}

Voice VoiceLibrary::load_any(const std::string& voice, bool paths) const {
  if (std::optional<Voice> single = load_single(voice, paths)) return std::move(*single);
  if (looks_like_mix(voice)) return load_mix(voice, paths);
  throw no_such_voice(voice);
}

// The mean with the weights, in double; its length is not touched.
Voice VoiceLibrary::load_mix(const std::string& mix, bool paths) const {
  std::vector<double> sums;
  Voice mixed;
  for (const MixTerm& term : parse_mix(mix)) {
    const std::optional<Voice> voice = load_single(term.voice, paths);
    if (!voice) throw no_such_voice(term.voice);
    if (sums.empty()) {
      sums.resize(voice->values.size());
      mixed.language = voice->language;
    }
    if (voice->values.size() != sums.size()) {
      throw Error(ErrorCode::kBadInput, voice->path, ": voice has ", voice->values.size(),
                  " numbers, the one before it in the mix has ", sums.size());
    }
    for (size_t i = 0; i < sums.size(); ++i) sums[i] += term.weight * double{voice->values[i]};
    if (voice->language != mixed.language) mixed.language.clear();
  }
  mixed.name = mixed.details["mix"] = mix;
  for (const double sum : sums) mixed.values.push_back(static_cast<float>(sum));
  return mixed;
}

Error VoiceLibrary::no_such_voice(const std::string& voice) const {
  std::string known;
  for (const VoiceEntry& entry : entries_) {
    if (known.size() < 400) known += (known.empty() ? "" : ", ") + entry.name;
  }
  return Error(ErrorCode::kNotFound, "no such voice: ", printable(voice))
      .with_hint(known.empty() ? "there are no named voices here; give the path of a voice file"
                               : "known voices: " + printable(known, 400));
}

}  // namespace kani
