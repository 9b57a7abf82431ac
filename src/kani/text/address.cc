// address.cc - every run of characters that can be in an address is classified once.
#include "kani/text/address.h"

#include <algorithm>
#include <array>

#include "kani/text/number.h"

namespace kani {

namespace {

constexpr size_t kNone = std::u32string_view::npos;

bool is_alnum(char32_t c) { return is_ascii_letter(c) || is_ascii_digit(c); }

bool is_address_char(char32_t c) {
  return is_alnum(c) || std::u32string_view(U"-._~:/?#@!$&*+,;=%").find(c) != kNone;
}

/// Endings after which a name with points in it is taken for an address or a file.
bool is_known_ending(std::u32string_view ending) {
  static constexpr std::u32string_view kEndings[] = {
      U"ai",  U"app",  U"br",   U"ca",   U"cc",  U"ch",   U"cn",  U"com",  U"cpp",  U"csv",
      U"de",  U"dev",  U"doc",  U"docx", U"edu", U"es",   U"eu",  U"exe",  U"fr",   U"gov",
      U"htm", U"html", U"info", U"io",   U"jp",  U"jpeg", U"jpg", U"js",   U"json", U"kg",
      U"kr",  U"md",   U"mp3",  U"mp4",  U"net", U"org",  U"pdf", U"png",  U"pt",   U"py",
      U"ru",  U"sh",   U"tv",   U"txt",  U"uk",  U"wav",  U"xml", U"yaml", U"zip",
  };
  std::u32string lower;
  for (const char32_t c : ending) lower.push_back(to_lower(c));
  return std::binary_search(std::begin(kEndings), std::end(kEndings), std::u32string_view(lower));
}

/// "example.com", "a.b.co.uk:80/x": labels, the last one known.
bool is_host(std::u32string_view run) {
  const std::u32string_view host = run.substr(0, run.find_first_of(U"/:?#"));
  const size_t point = host.rfind(U'.');
  if (point == kNone || point == 0 || host.find(U"..") != kNone) return false;
  for (const char32_t c : host) {
    if (!is_alnum(c) && c != U'-' && c != U'.' && c != U'_') return false;
  }
  const bool has_letter =
      std::any_of(host.begin(), host.begin() + static_cast<std::ptrdiff_t>(point), is_ascii_letter);
  return has_letter && is_known_ending(host.substr(point + 1));
}

bool is_mail(std::u32string_view run) {
  const size_t at = run.find(U'@');
  if (at == kNone || at == 0) return false;
  const std::u32string_view domain = run.substr(at + 1);
  const size_t point = domain.find(U'.');
  return point != kNone && point > 0 && point + 2 < domain.size() && domain.find(U'@') == kNone;
}

bool is_address(std::u32string_view run) {
  const size_t scheme = run.find(U"://");
  if (scheme != kNone && scheme > 1 && scheme + 3 < run.size()) {
    const std::u32string_view name = run.substr(0, scheme);
    if (std::all_of(name.begin(), name.end(), is_alnum)) return true;
  }
  if (run.starts_with(U"www.") && run.size() > 4) return true;
  return is_mail(run) || is_host(run);
}

std::u32string_view without_prefixes(std::u32string_view address) {
  const size_t scheme = address.find(U"://");
  if (scheme != kNone) address.remove_prefix(scheme + 3);
  if (address.starts_with(U"www.")) address.remove_prefix(4);
  while (address.ends_with(U'/')) address.remove_suffix(1);
  return address;
}

std::u32string_view name_of(const Language& language, char32_t sign) {
  for (const Symbol& symbol : language.url_symbols) {
    if (symbol.sign == sign) return symbol.name;
  }
  return {};
}

}  // namespace

std::vector<Span> find_addresses(std::u32string_view text) {
  std::vector<Span> found;
  for (size_t i = 0; i < text.size();) {
    if (!is_address_char(text[i])) {
      ++i;
      continue;
    }
    size_t end = i;
    while (end < text.size() && is_address_char(text[end])) ++end;
    size_t begin = i, last = end;
    while (begin < last && !is_alnum(text[begin])) ++begin;
    while (last > begin && !is_alnum(text[last - 1]) && text[last - 1] != U'/') --last;
    const bool in_word = begin > 0 && begin == i && is_letter(text[begin - 1]);
    if (!in_word && last > begin && is_address(text.substr(begin, last - begin))) {
      found.push_back({begin, last});
    }
    i = end;
  }
  return found;
}

std::u32string say_address(const TextTools& tools, std::u32string_view address) {
  const Scan scan{tools, without_prefixes(address)};
  std::u32string words;
  const auto space = [&] {
    if (!words.empty() && words.back() != U' ') words.push_back(U' ');
  };
  for (size_t i = 0; i < scan.text.size();) {
    const char32_t c = scan.text[i];
    if (is_ascii_digit(c)) {
      space();
      Number number;
      while (is_ascii_digit(scan.peek(i)))
        number.integer.push_back(static_cast<char>(scan.text[i++]));
      words +=
          number.integer.size() > 4 ? say_digits(tools, number.integer) : say_number(tools, number);
      space();
    } else if (is_ascii_letter(c)) {
      words.push_back(c);
      ++i;
    } else {
      space();
      words += name_of(tools.language, c);
      space();
      ++i;
    }
  }
  while (words.ends_with(U' ')) words.pop_back();
  return words;
}

}  // namespace kani
