// html.h - what pages made by programs of the house share: text that stays text, and one look.
// Nothing is loaded from anywhere, no script; readable on a telephone and in the dark.
#pragma once

#include <string>
#include <string_view>

namespace kani {

/// For text between tags and in attributes; bytes that are no UTF-8 become U+FFFD.
std::string html_text(std::string_view text);

/// The style sheet of reports: cards, figures, tables, details, players, in both colour schemes.
std::string_view report_style();

}  // namespace kani
