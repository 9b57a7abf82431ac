// manifest_table.cc - a manifest with a column for each field: CSV, TSV, and LJSpeech's own form.
#include <algorithm>

#include "kani/base/error.h"
#include "kani/dataset/manifest_parts.h"

namespace kani {
namespace {

// A quoted field may hold line ends, but a text that is longer than that is a quote that was left
// open; and looking further for each would take a hostile file's lines squared.
constexpr size_t kMostLines = 100;

/// Takes rows off a text.
class RowReader {
 public:
  RowReader(std::string_view text, char separator, bool quotes)
      : text_(text), separator_(separator), quotes_(quotes) {}

  /// False at the end.  Where quotes do not fit, `problem` says so, `fields` are those before, and
  /// the next line is a row of its own: an open quote must not swallow what follows.
  bool next(std::vector<std::string>& fields, std::string& problem) {
    fields.assign(1, "");
    problem.clear();
    if (text_.empty()) return false;
    bool quoted = false, closed = false;
    size_t lines = 0;
    for (size_t i = 0; i < text_.size(); ++i) {
      const char c = text_[i];
      if (quotes_ && c == '"' && quoted) {
        const bool doubled = i + 1 < text_.size() && text_[i + 1] == '"';
        if (doubled) fields.back() += text_[++i];
        quoted = doubled;
        closed = !doubled;
      } else if (quotes_ && c == '"' && fields.back().empty() && !closed) {
        quoted = true;
      } else if (!quoted && c == separator_) {
        fields.emplace_back();
        closed = false;
      } else if (!quoted && c == '\n') {
        drop_return(fields.back());
        take(i + 1);
        return true;
      } else if (closed && c == ' ') {
        continue;
      } else if (closed && c != '\r') {
        return broken(fields, problem, "something stands behind the quote that closes a field");
      } else if (c == '\n' && ++lines == kMostLines) {
        return broken(fields, problem, "a quote is not closed");
      } else {
        fields.back() += c;
      }
    }
    if (quoted) return broken(fields, problem, "a quote is not closed");
    drop_return(fields.back());
    take(text_.size());
    return true;
  }

 private:
  static void drop_return(std::string& field) {
    if (field.ends_with('\r')) field.pop_back();
  }

  void take(size_t characters) {
    const std::string_view taken = text_.substr(0, characters);
    line_ += static_cast<size_t>(std::count(taken.begin(), taken.end(), '\n'));
    text_.remove_prefix(characters);
  }

  bool broken(std::vector<std::string>& fields, std::string& problem, const char* why) {
    fields.back().clear();
    problem = concat("line ", line_, ": ", why);
    const size_t end = text_.find('\n');
    take(end == text_.npos ? text_.size() : end + 1);
    return true;
  }

  std::string_view text_;
  char separator_;
  bool quotes_;
  size_t line_ = 1;  // that text_ begins with
};

bool is_blank(const std::vector<std::string>& fields) {
  return fields.size() == 1 && trimmed(fields[0]).empty();
}

std::vector<ManifestField> header_of(const std::vector<std::string>& names) {
  std::vector<ManifestField> columns;
  for (const std::string& name : names) columns.push_back(manifest_field(trimmed(name)));
  return columns;
}

bool has(const std::vector<ManifestField>& columns, ManifestField field) {
  for (const ManifestField one : columns) {
    if (one == field) return true;
  }
  return false;
}

std::vector<SourceRecord> read_rows(RowReader rows, const std::vector<ManifestField>& columns) {
  std::vector<SourceRecord> records;
  std::vector<std::string> fields;
  std::string problem;
  while (rows.next(fields, problem)) {
    if (is_blank(fields) && problem.empty()) continue;
    SourceRecord record;
    RecordTimes times;
    if (!problem.empty()) {
      record.problem = Reject{RejectReason::kManifest, 0, problem};
    } else if (fields.size() != columns.size()) {
      record.problem = Reject{RejectReason::kManifest, static_cast<double>(fields.size()),
                              concat(fields.size(), " fields, the header has ", columns.size())};
    }
    for (size_t i = 0; i < std::min(fields.size(), columns.size()); ++i)
      set_field(record, times, columns[i], fields[i]);
    finish_times(record, times);
    records.push_back(std::move(record));
  }
  return records;
}

std::vector<SourceRecord> read_ljspeech(RowReader rows) {
  std::vector<SourceRecord> records;
  std::vector<std::string> fields;
  std::string problem;  // never: its form has no quotes
  while (rows.next(fields, problem)) {
    if (is_blank(fields)) continue;
    SourceRecord record;
    record.audio = concat("wavs/", fields[0], ".wav");
    if (fields.size() < 2 || fields.size() > 3) {
      record.problem = Reject{RejectReason::kManifest, static_cast<double>(fields.size()),
                              concat(fields.size(), " fields, expected 2 or 3")};
    } else {
      record.text = trimmed(fields.back()).empty() ? fields[1] : fields.back();
    }
    records.push_back(std::move(record));
  }
  return records;
}

}  // namespace

std::vector<SourceRecord> read_table(std::string_view text, std::string_view name, bool tabs) {
  std::string problem;
  const auto header = [&](char separator, bool quotes, RowReader& rows) {
    rows = RowReader(text, separator, quotes);
    std::vector<std::string> names;
    rows.next(names, problem);
    return header_of(names);
  };
  RowReader rows(text, ',', true);
  std::vector<ManifestField> columns = header(tabs ? '\t' : ',', !tabs, rows);
  if (!tabs && !has(columns, ManifestField::kAudio)) {
    const std::string_view first = text.substr(0, text.find('\n'));
    if (first.find('|') != std::string_view::npos) {
      columns = header('|', /*quotes=*/false, rows);
      if (!has(columns, ManifestField::kAudio)) return read_ljspeech(RowReader(text, '|', false));
    }
  }
  if (!problem.empty()) throw Error(ErrorCode::kBadInput, name, ": ", problem);
  const bool has_text =
      has(columns, ManifestField::kText) || has(columns, ManifestField::kNormalizedText);
  if (!has(columns, ManifestField::kAudio) || !has_text) {
    throw Error(ErrorCode::kBadInput, name, ": its first line names no column ",
                has(columns, ManifestField::kAudio) ? "text" : "audio")
        .with_hint(
            "columns are audio, text, and perhaps language, speaker, source, licence, "
            "start, end");
  }
  return read_rows(rows, columns);
}

}  // namespace kani
