// voice_report.h - voices and recordings as people and programs read about them.  Never their
// numbers: an embedding is a person's.
#pragma once

#include <string>

#include "apps/kani/table.h"
#include "kani/base/json.h"
#include "kani/voice.h"

namespace kani::cli {

/// "anna.wav: 12.4 s, 48000 Hz, 2 channels, peak -3.1 dB, no clipping, noise 31 dB below the voice,
/// speech 78 %".
std::string recording_line(const RecordingReport& report);
Json to_json(const RecordingReport& report);

/// Each warning about the recordings as a line of the log.
void warn_of_recordings(const ClonedVoice& cloned);

Json to_json(const VoiceEntry& entry);
/// A voice with its texts, without its path's entry.
Json to_json(const Voice& voice);
std::vector<Row> to_rows(const Voice& voice);

/// Root of the sum of squares: 1 for the voice of a single recording, less for means and mixes.
double norm_of(const Voice& voice);

}  // namespace kani::cli
