// manifest_table.cc - a manifest with a column for each field: CSV, TSV, and LJSpeech's own form.
#include "kani/base/error.h"
#include "kani/dataset/manifest_parts.h"

namespace kani {
namespace {

/// Takes rows off a text.
class RowReader {
 public:
  RowReader(std::string_view text, char separator, bool quotes)
      : text_(text), separator_(separator), quotes_(quotes) {}

  /// False at the end.  A quote that is never closed ends with the text.
  bool next(std::vector<std::string>& fields) {
    fields.clear();
    if (text_.empty()) return false;
    fields.emplace_back();
    bool quoted = false;
    for (size_t i = 0; i < text_.size(); ++i) {
      const char c = text_[i];
      if (quotes_ && c == '"') {
        if (quoted && i + 1 < text_.size() && text_[i + 1] == '"') {
          fields.back() += text_[++i];
        } else if (quoted || fields.back().empty()) {
          quoted = !quoted;
        } else {
          fields.back() += c;
        }
      } else if (!quoted && c == separator_) {
        fields.emplace_back();
      } else if (!quoted && c == '\n') {
        text_.remove_prefix(i + 1);
        drop_return(fields.back());
        return true;
      } else {
        fields.back() += c;
      }
    }
    text_ = {};
    drop_return(fields.back());
    return true;
  }

 private:
  static void drop_return(std::string& field) {
    if (field.ends_with('\r')) field.pop_back();
  }

  std::string_view text_;
  char separator_;
  bool quotes_;
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
  while (rows.next(fields)) {
    if (is_blank(fields)) continue;
    SourceRecord record;
    RecordTimes times;
    if (fields.size() != columns.size()) {
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
  while (rows.next(fields)) {
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
  const auto header = [&](char separator, bool quotes, RowReader& rows) {
    rows = RowReader(text, separator, quotes);
    std::vector<std::string> names;
    rows.next(names);
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
  if (!has(columns, ManifestField::kAudio) || !has(columns, ManifestField::kText)) {
    throw Error(ErrorCode::kBadInput, name, ": its first line names no column ",
                has(columns, ManifestField::kAudio) ? "text" : "audio")
        .with_hint(
            "columns are audio, text, and perhaps language, speaker, source, licence, "
            "start, end");
  }
  return read_rows(rows, columns);
}

}  // namespace kani
