// prepare_fault.cc - see prepare_fault.h.
#include "kani/dataset/prepare_fault.h"

namespace kani {

std::string_view fault_name(RowFault fault) {
  switch (fault) {
    case RowFault::kTextMissing:
      return "text_missing";
    case RowFault::kTextInvalid:
      return "text_invalid";
    case RowFault::kTextControl:
      return "text_control";
    case RowFault::kTextLength:
      return "text_length";
    case RowFault::kCodesMissing:
      return "codes_missing";
    case RowFault::kCodesEmpty:
      return "codes_empty";
    case RowFault::kCodesRagged:
      return "codes_ragged";
    case RowFault::kCodeOutOfRange:
      return "code_out_of_range";
    case RowFault::kLengthMissing:
      return "length_missing";
    case RowFault::kLengthOutOfRange:
      return "length_out_of_range";
    case RowFault::kLengthWrong:
      return "length_wrong";
    case RowFault::kVoiceMissing:
      return "voice_missing";
    case RowFault::kVoiceSize:
      return "voice_size";
    case RowFault::kVoiceNotFinite:
      return "voice_not_finite";
    case RowFault::kVoiceLength:
      return "voice_length";
    case RowFault::kSequence:
      return "sequence";
    case RowFault::kExtra:
      return "extra";
  }
  return "unknown";
}

void FaultCounts::add(const BadRow& row) {
  Entry& entry = reasons[row.fault()];
  if (entry.rows++ == 0) entry.first = row.what();
}

uint64_t FaultCounts::rows() const {
  uint64_t sum = 0;
  for (const auto& [fault, entry] : reasons) sum += entry.rows;
  return sum;
}

}  // namespace kani
