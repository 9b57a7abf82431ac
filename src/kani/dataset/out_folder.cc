// out_folder.cc - see out_folder.h.
#include "kani/dataset/out_folder.h"

#include <algorithm>
#include <string>

#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/base/json.h"
#include "kani/dataset/set_files.h"

namespace kani {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMostJsonBytes = uint64_t{1} << 26;

/// An object, or null if there is none.
Json object_of(const fs::path& path) {
  std::error_code error;
  if (!fs::is_regular_file(path, error)) return {};
  try {
    Json json = parse_json(read_file(path, kMostJsonBytes), path.string());
    return json.is_object() ? json : Json();
  } catch (const Error&) {
    return {};
  }
}

/// Names of what is there before the plan is.
bool is_first_name(const std::string& name) {
  return is_work_name(name) && name != "plan.json" && name != "rejects.jsonl" && name != "set" &&
         !name.starts_with("unit-");
}

/// Killed before it had a plan.
bool is_just_begun(const fs::path& out) {
  for (const fs::directory_entry& entry : fs::directory_iterator(out)) {
    if (entry.path().filename() != "work" || !entry.is_directory()) return false;
    for (const fs::directory_entry& one : fs::directory_iterator(entry.path())) {
      if (!is_first_name(one.path().filename().string())) return false;
    }
  }
  return true;  // of an empty folder, too
}

/// Whether `inside` is `folder` or lies in it, links followed.
bool holds(const fs::path& folder, const fs::path& inside) {
  const fs::path outer = fs::weakly_canonical(folder), inner = fs::weakly_canonical(inside);
  const auto [end, at] = std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end());
  return end == outer.end() || end->empty();
}

[[noreturn]] void refuse_full(const fs::path& out) {
  throw Error(ErrorCode::kInvalidArgument, out, ": exists and is not empty")
      .with_hint("name another folder or remove this one");
}

void make_folder(const fs::path& out) {
  std::error_code error;
  if (fs::exists(out, error) && !fs::is_directory(out, error))
    throw Error(ErrorCode::kCannotWrite, out, ": is no folder");
  fs::create_directories(out, error);
  if (error) throw_cannot_write(out, error.value());
}

}  // namespace

bool is_built_set(const fs::path& folder) {
  const Json plan = object_of(folder / "work" / "plan.json");
  if (plan.is_object() && plan.contains("work_version")) return true;
  const Json set = object_of(folder / "set.json");
  return set.is_object() && set.value("format", Json()) == "kani-set";
}

bool is_work_name(std::string_view name) {
  const auto is = [name](std::string_view begin, std::string_view end) {
    return name.size() >= begin.size() + end.size() && name.starts_with(begin) &&
           name.ends_with(end);
  };
  return name == "plan.json" || name == "plan-lock" || name == "rejects.jsonl" || name == "set" ||
         is("lock-", "") || is("journal-", ".jsonl") || is("unit-", ".jsonl") ||
         is("unit-", ".kshard") || is("cuts-", ".json") || is(".", ".tmp");
}

void take_out_folder(const fs::path& out, const fs::path& input) {
  std::error_code error;
  if (fs::is_directory(out, error)) {
    if (!is_built_set(out) && !is_just_begun(out)) refuse_full(out);
    if (holds(out, input)) {
      throw Error(ErrorCode::kInvalidArgument, input, ": lies in the folder of the set, ", out)
          .with_hint("name another --out");
    }
  }
  make_folder(out);
}

fs::path take_empty_folder(const fs::path& out) {
  const fs::path part = out / kPartFolder;
  std::error_code error;
  if (fs::is_directory(out, error)) {
    for (const fs::directory_entry& entry : fs::directory_iterator(out)) {
      if (entry.path() != part || !holds_only_set_files(part)) refuse_full(out);
    }
    fs::remove_all(part, error);
    if (error) throw_cannot_write(part, error.value());
  }
  make_folder(out);
  make_folder(part);
  return part;
}

PartFolder::~PartFolder() {
  std::error_code error;
  fs::remove_all(path_, error);
}

void PartFolder::publish() { publish_set(path_, out_); }

}  // namespace kani
