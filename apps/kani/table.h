// table.h - rows of text in columns, for people.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace kani::cli {

using Row = std::vector<std::string>;

/// Columns padded with blanks, two between them, no blanks at the ends of lines.
std::string plain_table(const std::vector<Row>& rows);
/// A Markdown table; the first row is the heading.
std::string markdown_table(const std::vector<Row>& rows);
/// RFC 4180.
std::string csv_table(const std::vector<Row>& rows);

/// 1,234,567 bytes as "1.2 MB".
std::string byte_size(uint64_t bytes);
/// 370123456 as "370.1 M".
std::string count_size(uint64_t count);

}  // namespace kani::cli
