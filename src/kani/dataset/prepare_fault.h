// prepare_fault.h - why a row of a data set cannot become a clip.  The same list of reasons serves
// both ways of going on: stop with one error, or drop the row and count (training.md 5.6).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "kani/base/error.h"

namespace kani {

enum class RowFault {
  kTextMissing,
  kTextInvalid,  // no UTF-8, or too long for anything
  kTextControl,
  kTextLength,
  kCodesMissing,
  kCodesEmpty,
  kCodesRagged,  // codebooks of different length
  kCodeOutOfRange,
  kLengthMissing,
  kLengthOutOfRange,
  kLengthWrong,  // not that of the codes
  kVoiceMissing,
  kVoiceSize,
  kVoiceNotFinite,
  kVoiceLength,
  kSequence,  // ids that are no prompt and codes
  kExtra,     // a column that only tells more: duration, sha256, quality
};

/// "codes_ragged", …
std::string_view fault_name(RowFault fault);

/// A row that is bad by itself: the next one can be read.  The message begins with the place.
class BadRow : public Error {
 public:
  template <typename... Parts>
  explicit BadRow(RowFault fault, const Parts&... parts)
      : Error(ErrorCode::kBadInput, parts...), fault_(fault) {}
  RowFault fault() const noexcept { return fault_; }

 private:
  RowFault fault_;
};

/// Rows dropped, by reason, with the first message of each.
struct FaultCounts {
  struct Entry {
    uint64_t rows = 0;
    std::string first;
  };
  std::map<RowFault, Entry> reasons;

  void add(const BadRow& row);
  uint64_t rows() const;
};

/// What is done with a bad row.
enum class BadRows { kStop, kDrop };

}  // namespace kani
