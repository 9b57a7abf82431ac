// out_folder.h - whether a folder may be written to by `build`: one that is new, or that an earlier
// build has begun or finished.  Nothing else is touched, whatever it is named.
// Not here: what a set's files are called (set_files.h).
#pragma once

#include <filesystem>
#include <string_view>
#include <utility>

namespace kani {

/// Names of what may lie in OUT/work (work_unit.h, cutting.h, build_plan.h): these may be deleted.
bool is_work_name(std::string_view name);

/// Whether `build` has finished a set there, or begun one and made its plan.
bool is_built_set(const std::filesystem::path& folder);

/// Makes `out` if it is not there.  Throws Error(kInvalidArgument) for a folder that is not empty
/// and not ours (ours has work/plan.json with work_version, or set.json of a kani-set, or nothing
/// but a work/ that was just begun), and for one that holds `input`; Error(kCannotWrite).
void take_out_folder(const std::filesystem::path& out, const std::filesystem::path& input);

/// For `prepare` and `convert`: `out` must be empty, or hold nothing but what an interrupted one
/// has left (OUT/.part), which is deleted.  Returns OUT/.part, made anew; publish_set() takes it
/// from there.  Throws as above.
std::filesystem::path take_empty_folder(const std::filesystem::path& out);

/// OUT/.part while it is filled; it goes with the object, unless it was published.
class PartFolder {
 public:
  explicit PartFolder(std::filesystem::path out)
      : out_(std::move(out)), path_(take_empty_folder(out_)) {}
  PartFolder(const PartFolder&) = delete;
  PartFolder& operator=(const PartFolder&) = delete;
  ~PartFolder();
  const std::filesystem::path& path() const { return path_; }
  /// As publish_set().
  void publish();

 private:
  std::filesystem::path out_, path_;
};

}  // namespace kani
