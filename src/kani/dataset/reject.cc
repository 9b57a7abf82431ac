// reject.cc - see reject.h.
#include "kani/dataset/reject.h"

namespace kani {
namespace {

constexpr std::array<std::string_view, kRejectReasons> kNames = {"manifest",
                                                                 "audio_missing",
                                                                 "audio",
                                                                 "cut",
                                                                 "too_short",
                                                                 "too_long",
                                                                 "clipped",
                                                                 "silent",
                                                                 "no_speech",
                                                                 "noisy",
                                                                 "text_missing",
                                                                 "text_length",
                                                                 "text_encoding",
                                                                 "text_control",
                                                                 "text_unspeakable",
                                                                 "text_script",
                                                                 "speech_rate",
                                                                 "voice",
                                                                 "duplicate_sound",
                                                                 "near_duplicate",
                                                                 "duplicate_text",
                                                                 "speaker_share",
                                                                 "source_share",
                                                                 "source_stopped",
                                                                 "split_leak",
                                                                 "piece_too_long",
                                                                 "piece_too_short"};

}  // namespace

std::string_view reject_name(RejectReason reason) { return kNames[static_cast<size_t>(reason)]; }

std::optional<RejectReason> reject_from_name(std::string_view name) {
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<RejectReason>(i);
  }
  return std::nullopt;
}

bool is_record_error(RejectReason reason) { return reason < RejectReason::kDuplicateSound; }

}  // namespace kani
