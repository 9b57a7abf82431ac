// flags.cc - see flags.h.
#include "apps/kani/flags.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

namespace kani::cli {
namespace {

// A positional list in CLI11 either has extra arguments allowed, and then loses the brackets of
// "[…]", or takes as many as it expects.  So it expects more than any command line can hold.
constexpr int kManyArguments = 1 << 28;

std::string long_name(const std::string& names) {
  const size_t begin = names.find("--");
  const size_t end = names.find(',', begin);
  return names.substr(begin, end == std::string::npos ? end : end - begin);
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : static_cast<char>(c);
  });
  return out;
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  size_t begin = 0;
  while (true) {
    const size_t end = text.find(separator, begin);
    parts.push_back(text.substr(begin, end == std::string::npos ? end : end - begin));
    if (end == std::string::npos) return parts;
    begin = end + 1;
  }
}

template <typename T>
std::optional<T> parse_whole(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

}  // namespace

std::optional<double> parse_number(std::string_view text) {
  const std::optional<double> value = parse_whole<double>(text);
  return value && std::isfinite(*value) ? value : std::nullopt;
}

std::optional<int64_t> parse_integer(std::string_view text) { return parse_whole<int64_t>(text); }

std::optional<std::optional<uint64_t>> parse_seed(std::string_view text) {
  if (text == "-1") return std::optional<uint64_t>();
  const std::optional<uint64_t> value = parse_whole<uint64_t>(text);
  if (!value) return std::nullopt;
  return value;
}

std::optional<bool> parse_switch(std::string_view text) {
  const std::string word = lower(text);
  if (word == "true" || word == "yes" || word == "on" || word == "1") return true;
  if (word == "false" || word == "no" || word == "off" || word == "0") return false;
  return std::nullopt;
}

double number_in(std::string_view flag, std::string_view text, const Range& range) {
  const std::optional<double> value = parse_number(text);
  const bool inside =
      value && *value <= range.high && (range.above_low ? *value > range.low : *value >= range.low);
  require(inside, flag, " is ", printable(text, 40), ", expected a number ",
          range.above_low ? "above " : "from ", range.low, range.above_low ? " up to " : " to ",
          range.high);
  return *value;
}

int64_t integer_in(std::string_view flag, std::string_view text, int64_t low, int64_t high) {
  const std::optional<int64_t> value = parse_integer(text);
  require(value && *value >= low && *value <= high, flag, " is ", printable(text, 40),
          ", expected a whole number from ", low, " to ", high);
  return *value;
}

CLI::Option* FlagSet::add(const FlagText& text, std::function<void(const std::string&)> take) {
  CLI::Option* option = app_.add_option(
      text.names,
      [take = std::move(take)](const CLI::results_t& results) {
        for (const std::string& result : results) take(result);
        return true;
      },
      text.help);
  option->type_name(text.value)
      ->type_size(1)
      ->expected(1)
      ->group(heading_)
      ->allow_extra_args(false);
  option->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  if (!text.preset.empty()) option->default_str(text.preset);
  return option;
}

void FlagSet::custom(const FlagText& text, std::function<void(const std::string&)> take) {
  add(text, std::move(take));
}

void FlagSet::toggle(const FlagText& text, bool& target) {
  app_.add_flag(text.names, target, text.help)
      ->group(heading_)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
}

void FlagSet::string(const FlagText& text, std::string& target) {
  add(text, [&target](const std::string& value) { target = value; });
}

void FlagSet::string(const FlagText& text, std::optional<std::string>& target) {
  add(text, [&target](const std::string& value) { target = value; });
}

void FlagSet::list(const FlagText& text, std::vector<std::string>& target) {
  add(text, [&target](const std::string& value) {
    target.push_back(value);
  })->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

void FlagSet::number(const FlagText& text, std::optional<double>& target, Range range) {
  add(text, [&target, range, flag = long_name(text.names)](const std::string& value) {
    target = number_in(flag, value, range);
  });
}

void FlagSet::integer(const FlagText& text, std::optional<int>& target, int low, int high) {
  add(text, [&target, low, high, flag = long_name(text.names)](const std::string& value) {
    target = static_cast<int>(integer_in(flag, value, low, high));
  });
}

void FlagSet::seed(const FlagText& text, std::optional<uint64_t>& target) {
  add(text, [&target, flag = long_name(text.names)](const std::string& value) {
    const auto seed = parse_seed(value);
    require(seed.has_value(), flag, " is ", printable(value, 40),
            ", expected a whole number from 0 to 2^64 - 1, or -1");
    target = *seed;
  });
}

void FlagSet::choice(const FlagText& text, std::string& target) {
  add(text,
      [&target, choices = text.value, flag = long_name(text.names)](const std::string& value) {
        const std::vector<std::string> words = split(choices, '|');
        std::string expected;
        for (const std::string& word : words) expected += (expected.empty() ? "" : ", ") + word;
        require(std::find(words.begin(), words.end(), value) != words.end(), flag, " is ",
                printable(value, 40), ", expected one of ", expected);
        target = value;
      });
}

void FlagSet::unavailable(const FlagText& text, ErrorCode code, std::string reason,
                          std::string hint) {
  const std::string flag = long_name(text.names);
  FlagText shown = text;
  shown.help += " (not in this build)";
  const auto refuse = [code, flag, reason = std::move(reason),
                       hint = std::move(hint)](const std::string&) {
    throw Error(code, flag, " is not available in this build: ", reason).with_hint(hint);
  };
  if (!text.value.empty()) {
    add(shown, refuse);
    return;
  }
  app_.add_flag_function(
          text.names, [refuse](int64_t) { refuse({}); }, shown.help)
      ->group(heading_);
}

void FlagSet::positional(const std::string& name, std::vector<std::string>& target,
                         const std::string& help, bool required) {
  CLI::Option* option = app_.add_option(
      name,
      [&target](const CLI::results_t& results) {
        target = results;
        return true;
      },
      help);
  option->type_size(1)->expected(kManyArguments)->allow_extra_args(false)->required(required);
  option->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

void FlagSet::one_of(const std::vector<std::string>& long_names) {
  for (size_t i = 0; i < long_names.size(); ++i) {
    for (size_t j = i + 1; j < long_names.size(); ++j) {
      app_.get_option(long_names[i])->excludes(app_.get_option(long_names[j]));
    }
  }
}

std::vector<std::string> rewrite_arguments(std::vector<std::string> arguments) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 12> kRewrites = {{
      {"-hf", "--hf-repo"},
      {"-hff", "--hf-file"},
      {"-hft", "--hf-token"},
      {"-ngl", "--gpu-layers"},
      {"-dev", "--device"},
      {"-lv", "--log-verbosity"},
      {"--length_scale", "--length-scale"},
      {"--sentence_silence", "--sentence-silence"},
      {"--output_file", "--output-file"},
      {"--output_raw", "--output-raw"},
      {"--output_dir", "--output-dir"},
      {"--input_file", "--input-file"},
  }};
  for (std::string& argument : arguments) {
    if (argument == "--") break;
    const size_t equals = argument.find('=');
    for (const auto& [from, to] : kRewrites) {
      if (argument.substr(0, equals) == from) argument.replace(0, from.size(), to);
    }
    require(!(argument.starts_with("--") && equals != std::string::npos &&
              equals + 1 == argument.size()),
            printable(argument), " has no value behind the equals sign");
  }
  return arguments;
}

}  // namespace kani::cli
