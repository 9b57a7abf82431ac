// table.cc - see table.h.
#include "apps/kani/table.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>

#include "kani/base/utf8.h"

namespace kani::cli {
namespace {

std::vector<size_t> widths(const std::vector<Row>& rows) {
  std::vector<size_t> widest;
  for (const Row& row : rows) {
    widest.resize(std::max(widest.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) widest[i] = std::max(widest[i], utf8_length(row[i]));
  }
  return widest;
}

std::string padded(const std::string& text, size_t width) {
  const size_t length = utf8_length(text);
  return text + std::string(width > length ? width - length : 0, ' ');
}

std::string scaled(uint64_t value, const char* const* units, size_t count) {
  auto scaled_value = static_cast<double>(value);
  size_t unit = 0;
  while (scaled_value >= 999.95 && unit + 1 < count) {
    scaled_value /= 1000;
    ++unit;
  }
  char text[48];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f%s" : "%.1f%s", scaled_value, units[unit]);
  return text;
}

}  // namespace

std::string plain_table(const std::vector<Row>& rows) {
  const std::vector<size_t> width = widths(rows);
  std::string out;
  for (const Row& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) line += padded(row[i], width[i]) + "  ";
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

std::string markdown_table(const std::vector<Row>& rows) {
  const std::vector<size_t> width = widths(rows);
  std::string out;
  for (size_t r = 0; r < rows.size(); ++r) {
    out += "|";
    for (size_t i = 0; i < rows[r].size(); ++i) out += " " + padded(rows[r][i], width[i]) + " |";
    out += "\n";
    if (r != 0) continue;
    out += "|";
    for (const size_t w : width) out += std::string(w + 2, '-') + "|";
    out += "\n";
  }
  return out;
}

std::string csv_table(const std::vector<Row>& rows) {
  std::string out;
  for (const Row& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      if (i > 0) out += ',';
      if (row[i].find_first_of(",\"\r\n") == std::string::npos) {
        out += row[i];
        continue;
      }
      out += '"';
      for (const char c : row[i]) out += c == '"' ? std::string("\"\"") : std::string(1, c);
      out += '"';
    }
    out += "\r\n";
  }
  return out;
}

std::string byte_size(uint64_t bytes) {
  static constexpr const char* kUnits[] = {" bytes", " kB", " MB", " GB", " TB"};
  return scaled(bytes, kUnits, std::size(kUnits));
}

std::string count_size(uint64_t count) {
  static constexpr const char* kUnits[] = {"", " k", " M", " G", " T"};
  return scaled(count, kUnits, std::size(kUnits));
}

}  // namespace kani::cli
