// voice_report.cc - see voice_report.h.
#include "apps/kani/voice_report.h"

#include <cmath>

#include "kani/base/error.h"
#include "kani/base/log.h"
#include "kani/base/numbers.h"

namespace kani::cli {
namespace {

std::string clipping_text(double share) {
  if (share <= 0) return "no clipping";
  return share < 1e-4 ? "clipped below 0.01 %" : concat("clipped ", fixed(100 * share, 2), " %");
}

}  // namespace

std::string recording_line(const RecordingReport& report) {
  return concat(printable(report.file, 1000), ": ", report.cut ? "the first " : "",
                fixed(report.seconds, 1), " s, ", report.rate_hz, " Hz, ", report.channels,
                report.channels == 1 ? " channel" : " channels", ", peak ",
                fixed(report.peak_db, 1), " dB, ", clipping_text(report.clipped_share),
                ", noise at ", fixed(report.noise_floor_db, 0), " dB, ",
                fixed(report.noise_distance_db, 0), " dB below the voice, speech ",
                fixed(100 * report.speech_share, 0), " %");
}

Json to_json(const RecordingReport& report) {
  Json json = {{"file", report.file},
               {"seconds", report.seconds},
               {"cut", report.cut},
               {"sample_rate_hz", report.rate_hz},
               {"channels", report.channels},
               {"peak_db", report.peak_db},
               {"clipped_share", report.clipped_share},
               {"noise_floor_db", report.noise_floor_db},
               {"snr_db", report.noise_distance_db},
               {"speech_share", report.speech_share},
               {"warnings", report.warnings}};
  if (!report.sha256.empty()) json["sha256"] = report.sha256;
  return json;
}

void warn_of_recordings(const ClonedVoice& cloned) {
  for (const RecordingReport& report : cloned.recordings) {
    for (const std::string& warning : report.warnings)
      log_warning("voice", printable(report.file, 300), ": ", warning);
  }
  for (const std::string& warning : cloned.warnings) log_warning("voice", warning);
}

Json to_json(const VoiceEntry& entry) {
  return {{"id", entry.name},
          {"name", entry.display_name},
          {"language", entry.language},
          {"description", entry.description},
          {"kind", voice_place_name(entry.place)},
          {"path", entry.path.string()},
          {"length", entry.length},
          {"usable", entry.length > 0}};
}

Json to_json(const Voice& voice) {
  Json json = voice.details;
  json["id"] = voice.name;
  if (!json.contains("name")) json["name"] = voice.name;
  json["language"] = voice.language;
  json["length"] = voice.values.size();
  json["norm"] = norm_of(voice);
  json["path"] = voice.path.string();
  return json;
}

std::vector<Row> to_rows(const Voice& voice) {
  std::vector<Row> rows = {{"voice", voice.name}};
  if (!voice.path.empty()) rows.push_back({"file", voice.path.string()});
  rows.push_back({"numbers", concat(voice.values.size(), ", norm ", fixed(norm_of(voice), 4))});
  if (!voice.language.empty()) rows.push_back({"language", voice.language});
  for (const auto& [key, value] : voice.details) {
    if (key != "language") rows.push_back({key, printable(value, 300)});
  }
  return rows;
}

double norm_of(const Voice& voice) {
  double squares = 0;
  for (const float value : voice.values) squares += double{value} * double{value};
  return std::sqrt(squares);
}

}  // namespace kani::cli
