// command_words.cc - see command_words.h.
#include "kani/dataset/command_words.h"

#include <algorithm>
#include <charconv>

#include "kani/base/error.h"

namespace kani {
namespace {

template <typename Number>
Number number_in(std::string_view name, const std::string& text, Number least, Number most) {
  Number number{};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  require(error == std::errc() && stop == end && number >= least && number <= most, name, " is \"",
          printable(text), "\", must be a number from ", least, " to ", most);
  return number;
}

}  // namespace

CommandWords::CommandWords(std::span<const std::string> args,
                           std::span<const std::string_view> switches) {
  for (size_t i = 0; i < args.size(); ++i) {
    const std::string& word = args[i];
    if (!word.starts_with("--") || word == "--") {
      rest_.push_back(word);
    } else if (std::find(switches.begin(), switches.end(), word) != switches.end()) {
      flags_.push_back({word, ""});
    } else if (const size_t sign = word.find('='); sign != std::string::npos) {
      flags_.push_back({word.substr(0, sign), word.substr(sign + 1)});
    } else if (i + 1 < args.size()) {
      flags_.push_back({word, args[++i]});
    } else {
      flags_.push_back({word, std::nullopt});
    }
  }
}

std::optional<std::string> CommandWords::take(std::string_view name) {
  for (auto flag = flags_.begin(); flag != flags_.end(); ++flag) {
    if (flag->name != name) continue;
    require(flag->value.has_value(), name, " needs a value");
    std::optional<std::string> value = std::move(flag->value);
    flags_.erase(flag);
    return value;
  }
  return std::nullopt;
}

std::string CommandWords::need(std::string_view name) {
  std::optional<std::string> value = take(name);
  require(value && !value->empty(), name, " is missing");
  return *value;
}

std::optional<int> CommandWords::take_number(std::string_view name, int least, int most) {
  const std::optional<std::string> value = take(name);
  if (!value) return std::nullopt;
  return number_in(name, *value, least, most);
}

std::optional<double> CommandWords::take_real(std::string_view name, double least, double most) {
  const std::optional<std::string> value = take(name);
  if (!value) return std::nullopt;
  return number_in(name, *value, least, most);
}

std::string CommandWords::take_choice(std::string_view name,
                                      std::span<const std::string_view> choices) {
  const std::optional<std::string> value = take(name);
  if (!value) return std::string(choices[0]);
  if (std::find(choices.begin(), choices.end(), *value) != choices.end()) return *value;
  std::string all;
  for (size_t i = 0; i < choices.size(); ++i)
    all += concat(i == 0 ? "" : i + 1 == choices.size() ? " or " : ", ", choices[i]);
  throw Error(ErrorCode::kInvalidArgument, name, " is \"", printable(*value), "\", must be ", all);
}

void CommandWords::expect_nothing_else(size_t rest) const {
  if (!flags_.empty())
    throw Error(ErrorCode::kInvalidArgument, printable(flags_[0].name), " is not known");
  require(rest_.size() == rest, rest_.size(), " names of files given, expected ", rest);
}

}  // namespace kani
