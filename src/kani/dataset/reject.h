// reject.h - why a record does not become a clip: a reason from a fixed list, what was measured,
// and the limit that it broke.  One line each in rejects.jsonl.
// Source: training.md 15.6, reliability.md 5.7.  Not here: the limits (clip_limits.h), who checks.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace kani {

enum class RejectReason {
  kManifest,         // its line or file beside it cannot be understood
  kAudioMissing,     // no such file
  kAudio,            // no sound that can be decoded
  kCut,              // start and end do not lie in the recording
  kTooShort,         // seconds after trimming
  kTooLong,          //
  kClipped,          // share of samples at full scale
  kSilent,           // share of silence between first and last sound
  kNoSpeech,         // share of speech; a tone or a hum has none
  kNoisy,            // dB between noise and voice, if a limit is asked for
  kTextMissing,      // nothing, or only white space
  kTextLength,       // characters
  kTextEncoding,     // no UTF-8; byte offset
  kTextControl,      // a control character; its code
  kTextUnspeakable,  // nothing is left that can be said
  kTextScript,       // share of letters in a script of the declared language
  kSpeechRate,       // characters a second
  kVoice,            // the speaker encoder gave no usable vector
  kDuplicateSound,   // same samples as an earlier record
  kNearDuplicate,    // same codes as an earlier record, for the most part
  kDuplicateText,    // the speaker has said it often enough
  kSpeakerShare,     // the speaker has enough of the set
  kSourceShare,      // the source has enough of the set
  kSourceStopped,    // too many errors in its source
  kSplitLeak,        // its text is in the validation split, and its speaker is unknown
  // Of a long recording that was to be divided: no fault of its source, so behind the others.
  kPieceTooLong,   // seconds without a silence to cut at
  kPieceTooShort,  // seconds, and no neighbour to be joined to
};
inline constexpr size_t kRejectReasons = static_cast<size_t>(RejectReason::kPieceTooShort) + 1;

struct Reject {
  RejectReason reason = RejectReason::kManifest;
  std::optional<double> value{};  // as the reason says
  std::string detail{};           // for people; may be empty
};

/// "too_short"
std::string_view reject_name(RejectReason reason);
std::optional<RejectReason> reject_from_name(std::string_view name);

/// True for what is wrong with the record itself: these count towards the error share of a source.
bool is_record_error(RejectReason reason);

}  // namespace kani
