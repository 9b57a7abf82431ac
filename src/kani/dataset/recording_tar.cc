// recording_tar.cc - see recording_tar.h.
#include "kani/dataset/recording_tar.h"

#include <algorithm>
#include <unordered_map>

#include "kani/base/error.h"
#include "kani/base/log.h"
#include "kani/dataset/manifest_parts.h"
#include "kani/dataset/passed_over.h"
#include "kani/dataset/recording_rows.h"
#include "kani/dataset/split_files.h"
#include "kani/formats/byte_source.h"
#include "kani/formats/tar.h"

namespace kani {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMostArchives = 1'000'000;
constexpr size_t kMostMembers = 10'000'000;  // of one archive, which is 5 GB of headers
// A sound is in memory as it is in the archive: three hours of WAV, sixty of MP3.  With eight
// workers that is 8 GiB at most.
constexpr uint64_t kMostSoundBytes = uint64_t{1} << 30;

/// Members by their names.
class TarMembers {
 public:
  TarMembers(const fs::path& path, const InputFile& archive)
      : archive_(archive), files_(list(path, archive)) {
    for (const TarFile& file : files_) by_name_.emplace(file.name, &file);
  }

  const std::vector<TarFile>& files() const { return files_; }

  /// What lies beside `sound`, by the names that it has in a folder; what is wrong with it becomes
  /// the record's problem.
  void read_beside(const TarFile& sound, SourceRecord& record) const {
    const std::string stem = sound.name.substr(0, sound.name.rfind('.'));
    const bool has_json = read(stem + ".json", record);
    const bool has_text = read(stem + ".normalized.txt", record) || read(stem + ".txt", record) ||
                          read(stem + ".lab", record);
    if (!has_json && !has_text)
      record.problem = Reject{RejectReason::kTextMissing, {}, "no text member beside it"};
  }

 private:
  static std::vector<TarFile> list(const fs::path& path, const InputFile& archive) {
    std::byte first[2]{};
    archive.read_at(0, first);
    if (looks_like_gzip(first)) refuse_packed_archive(path);
    return list_tar(*file_source(archive), kMostMembers, path.string());
  }

  /// False if there is no such member.
  bool read(const std::string& name, SourceRecord& record) const {
    const auto found = by_name_.find(name);
    if (found == by_name_.end()) return false;
    const TarFile& file = *found->second;
    if (!check_text_size(name, file.bytes, record)) return true;
    std::string content(file.bytes, '\0');
    archive_.read_at(file.at, std::as_writable_bytes(std::span(content)));
    take_text(name, content, record);
    return true;
  }

  const InputFile& archive_;
  std::vector<TarFile> files_;
  std::unordered_map<std::string_view, const TarFile*> by_name_;
};

/// What macOS's tar adds to each file.
bool is_shadow(const fs::path& member) { return member.filename().string().starts_with("._"); }

}  // namespace

std::vector<fs::path> find_tars(const fs::path& folder) {
  std::vector<std::string> all;
  std::error_code error;
  fs::recursive_directory_iterator entries(folder, fs::directory_options::skip_permission_denied,
                                           error);
  PassedOver passed;
  for (; !error && entries != fs::recursive_directory_iterator(); entries.increment(error)) {
    passed.see(*entries);
    if (entries->path().extension() != ".tar" || entries->is_directory(error)) continue;
    const std::string relative = entries->path().lexically_relative(folder).string();
    if (relative.starts_with('.') || relative.find("/.") != std::string::npos) continue;
    all.push_back(relative);
    if (all.size() > kMostArchives)
      throw Error(ErrorCode::kBadInput, folder, ": more than ", kMostArchives, " files *.tar");
  }
  if (error) throw Error(ErrorCode::kBadInput, folder, ": cannot be read: ", error.message());
  if (!all.empty()) passed.warn_of_files(folder, PassedOver::Taken::kArchives);
  if (all.empty() && !is_set_folder(folder)) passed.refuse_packed();
  std::sort(all.begin(), all.end());
  std::vector<fs::path> files;
  for (const std::string& path : files_of_split(all, "train")) files.push_back(folder / path);
  if (files.empty() && !all.empty())
    throw Error(ErrorCode::kNotFound, folder, ": none of ", all.size(),
                " files *.tar is of the split train");
  if (files.size() < all.size()) {
    log_warning("dataset", folder, ": ", all.size() - files.size(),
                " files *.tar are of other splits and are left out");
  }
  return files;
}

std::vector<SourceRecord> read_recording_tar(const fs::path& file, const fs::path& folder,
                                             bool speaker_folders) {
  const InputFile archive(file);
  const TarMembers members(file, archive);
  const std::string name = file.lexically_relative(folder).string();
  std::vector<SourceRecord> records;
  for (const TarFile& member : members.files()) {
    const fs::path path = member.name;
    if (!is_sound_name(path) || is_shadow(path)) continue;
    SourceRecord record;
    record.set_file = name;
    record.audio = concat(name, ": ", member.name);
    record.row = static_cast<int64_t>(member.at);
    record.member_bytes = static_cast<int64_t>(member.bytes);
    members.read_beside(member, record);
    if (record.speaker.empty()) record.speaker = libritts_speaker(path);
    if (record.speaker.empty() && speaker_folders) record.speaker = speaker_folder(path, true);
    if (member.bytes > kMostSoundBytes && !record.problem) {
      record.problem = Reject{RejectReason::kAudio, static_cast<double>(member.bytes),
                              concat("bytes of a member, at most ", kMostSoundBytes)};
    }
    records.push_back(std::move(record));
  }
  return records;
}

std::span<const std::byte> TarSounds::sound(const fs::path& file, uint64_t at, uint64_t bytes) {
  if (bytes == 0) throw Error(ErrorCode::kNotFound, file, ": nothing in the member");
  // Asked for twice in turn: once for its hash, once to be decoded.
  if (file_ && file == path_ && at == at_ && sound_.size() == bytes) return sound_;
  sound_.clear();
  if (!file_ || file != path_) {
    file_.reset();
    file_.emplace(file);
    path_ = file;
  }
  if (at > file_->size() || bytes > file_->size() - at)
    throw Error(ErrorCode::kBadInput, file, ": ends before the member does");
  sound_.resize(bytes);
  const size_t got = file_->read_at(at, sound_);
  if (got < bytes) {
    sound_.clear();
    throw Error(ErrorCode::kBadInput, file, ": ends before the member does");
  }
  at_ = at;
  return sound_;
}

}  // namespace kani
