// command_words.h - the words of a command line of the data program: flags with a value
// ("--flag VALUE", "--flag=VALUE"), flags without, and the rest in order.
// Not here: what the flags mean (arrow_commands.cc, build_command.cc).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace kani {

/// Every fault of the caller is Error(kInvalidArgument) naming the flag.
class CommandWords {
 public:
  /// `switches` are the flags that have no value.
  CommandWords(std::span<const std::string> args, std::span<const std::string_view> switches);

  /// The first value of a flag that was not taken yet; empty for a switch.
  std::optional<std::string> take(std::string_view name);
  /// The same, and it must be there and not be empty.
  std::string need(std::string_view name);
  std::optional<int> take_number(std::string_view name, int least, int most);
  /// A plain decimal number in [least, most].
  std::optional<double> take_real(std::string_view name, double least, double most);
  /// One of `choices`; the first of them if the flag is not there.
  std::string take_choice(std::string_view name, std::span<const std::string_view> choices);

  const std::vector<std::string>& rest() const { return rest_; }

  /// After everything known was taken.
  void expect_nothing_else(size_t rest) const;

 private:
  struct Flag {
    std::string name;
    std::optional<std::string> value;  // nothing for the last word
  };
  std::vector<std::string> rest_;
  std::vector<Flag> flags_;
};

}  // namespace kani
