// set_report.h - what a finished set is like, from its lists: hours and clips by language, speaker
// and source, how long, fast, loud and clean they are, what was rejected and why, what it means for
// training.  Source: training.md 15.12.
// Not here: how the page looks (report_page.h).
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "kani/base/json.h"

namespace kani {

/// The facts, from clips.jsonl, rejects.jsonl, set.json and audio_length_statistics.json of a
/// folder.  Nothing in it depends on when or where it was made.  Throws Error(kNotFound,
/// kBadInput).
Json read_report(const std::filesystem::path& folder);

/// report.json and report.html, by name.  Throws as read_report().
std::map<std::string, std::string> make_report(const std::filesystem::path& folder);

}  // namespace kani
