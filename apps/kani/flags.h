// flags.h - the door to CLI11: how a subcommand declares its flags.  Values are parsed here and not
// by CLI11's own conversions, which take "010" as eight, "nan" as inside any range, and cut
// brackets off "[pause:1s]". Source: interfaces.md 1.4, 2.1.  Environment and configuration file
// are settings.h.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kani/base/error.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace kani::cli {

/// Both ends belong to the range, the low one only if `above_low` is false.
struct Range {
  double low = 0;
  double high = 0;
  bool above_low = false;
};

/// Plain decimal numbers, the whole of `text`; nothing otherwise (NaN and infinity are never
/// numbers here).
std::optional<double> parse_number(std::string_view text);
std::optional<int64_t> parse_integer(std::string_view text);
/// -1 = random (an empty optional inside), else 0 … 2^64 - 1; nothing if it is neither.
std::optional<std::optional<uint64_t>> parse_seed(std::string_view text);
/// true/yes/on/1, false/no/off/0 in any case; nothing otherwise.
std::optional<bool> parse_switch(std::string_view text);

/// Parses `text` as the value of `flag`.  Throws Error(kInvalidArgument) naming flag, value and
/// range.
double number_in(std::string_view flag, std::string_view text, const Range& range);
int64_t integer_in(std::string_view flag, std::string_view text, int64_t low, int64_t high);

/// What a flag is called and how help, man page check and completion show it.
struct FlagText {
  std::string names;  // "-t,--threads"
  std::string value;  // placeholder: N, X, FILE, FOLDER, …, or the choices: "auto|f32|bf16"; empty
                      // = a switch
  std::string help;    // lower case, no full stop
  std::string preset;  // the default, for people; empty = none worth naming
};

/// Declares flags on one CLI::App.  The targets must outlive the parse.  Of a flag given twice the
/// last one counts, except for lists.
class FlagSet {
 public:
  explicit FlagSet(CLI::App& app) : app_(app) {}

  /// The flags that follow stand under this heading in the help.
  void heading(std::string text) { heading_ = std::move(text); }

  void toggle(const FlagText& text, bool& target);
  void string(const FlagText& text, std::string& target);
  /// Tells an empty value from none.
  void string(const FlagText& text, std::optional<std::string>& target);
  void list(const FlagText& text, std::vector<std::string>& target);
  void number(const FlagText& text, std::optional<double>& target, Range range);
  void integer(const FlagText& text, std::optional<int>& target, int low, int high);
  void seed(const FlagText& text, std::optional<uint64_t>& target);
  /// text.value is the list of choices.
  void choice(const FlagText& text, std::string& target);
  /// Hands the value to `take`, which may throw Error.
  void custom(const FlagText& text, std::function<void(const std::string&)> take);
  /// A flag of the full program that this build cannot honour: giving it is an Error with this
  /// code.
  void unavailable(const FlagText& text, ErrorCode code, std::string reason, std::string hint);
  /// Arguments without a dash.
  void positional(const std::string& name, std::vector<std::string>& target,
                  const std::string& help, bool required);
  /// At most one of these long names may be given.
  void one_of(const std::vector<std::string>& long_names);

 private:
  CLI::Option* add(const FlagText& text, std::function<void(const std::string&)> take);

  CLI::App& app_;
  std::string heading_ = "Flags";
};

/// Rewrites what CLI11 cannot read: the six long names with one dash (-hf, -hff, -hft, -ngl, -dev,
/// -lv) and Piper's six names with underscores.  Nothing else, and nothing behind "--".  Throws
/// Error(kInvalidArgument) for "--flag=" without a value, which CLI11 would fill with the next
/// argument.
std::vector<std::string> rewrite_arguments(std::vector<std::string> arguments);

}  // namespace kani::cli
