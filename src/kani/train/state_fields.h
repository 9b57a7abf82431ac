// state_fields.h - fields of the state.json that a checkpoint has (run_state.h, codec, speaker),
// read with messages that name file and field.  Not here: LibTorch.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kani/base/json.h"

namespace kani::train {

class StateFields {
 public:
  /// `source` names the text in messages, `what` says what it should be: "state of a training run".
  /// Throws Error(kBadInput) for anything but an object.
  StateFields(std::string_view text, std::string_view source, std::string_view what);

  /// Throws Error(kBadInput) unless fields "format" and "version" have these values.
  void require_format(std::string_view format, int version) const;
  /// A whole number of 0 or more; must be there.  These throw Error(kBadInput).
  int64_t number(const char* key) const;
  /// Nothing where the field is null or not there.
  std::optional<double> real(const char* key) const;
  std::vector<double> reals(const char* key) const;
  std::string word(const char* key) const;

 private:
  Json value(const char* key) const;
  [[noreturn]] void refuse(std::string_view reason) const;
  [[noreturn]] void refuse(const char* key, std::string_view reason) const;

  Json json_;
  std::string source_, what_;
};

}  // namespace kani::train
