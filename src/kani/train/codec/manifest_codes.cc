// manifest_codes.cc - see manifest_codes.h.
#include "kani/train/codec/manifest_codes.h"

#include <ATen/Parallel.h>

#include <fstream>
#include <span>
#include <sstream>
#include <unordered_map>

#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/base/json.h"
#include "kani/base/sha256.h"
#include "kani/train/codec/analysis.h"
#include "kani/train/codec/code_cache.h"
#include "kani/train/codec/codec_checkpoint.h"

namespace kani::train {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMaxManifestBytes = uint64_t{4} << 30;

Json lists_of(const at::Tensor& codes) {  // [G, T]
  Json out = Json::array();
  const at::Tensor values = codes.contiguous();
  const int64_t* value = values.const_data_ptr<int64_t>();
  for (int64_t book = 0; book < values.size(0); ++book) {
    out.push_back(std::vector<int64_t>(value, value + values.size(1)));
    value += values.size(1);
  }
  return out;
}

/// Rows that are done, in a file beside the one to be: a first line that says of what, then a line
/// for each row.  Lines of a killed run that are not whole are made again.
class PartFile {
 public:
  PartFile(fs::path path, const std::string& of) : path_(std::move(path)) {
    std::error_code ignored;
    std::string text =
        fs::exists(path_, ignored) ? read_file(path_, kMaxManifestBytes) : std::string();
    text.erase(text.rfind('\n') + 1);  // npos + 1 is 0
    if (text.starts_with(of + "\n")) {
      std::istringstream lines(text.substr(of.size() + 1));
      for (std::string line; std::getline(lines, line);) rows_.push_back(line);
    } else {
      text = of + "\n";
    }
    write_file(path_, text);
    out_.open(path_, std::ios::app | std::ios::binary);
  }

  const std::vector<std::string>& rows() const { return rows_; }
  void add(const std::string& row) {
    out_ << row << '\n' << std::flush;
    if (!out_) throw Error(ErrorCode::kCannotWrite, path_, ": cannot be written");
    rows_.push_back(row);
  }
  void remove() {
    out_.close();
    std::error_code ignored;
    fs::remove(path_, ignored);
  }

 private:
  fs::path path_;
  std::vector<std::string> rows_;
  std::ofstream out_;
};

/// The path of a row's sound, from the manifest that is to be: that may lie in another folder.
std::string path_from(const fs::path& out, const fs::path& manifest, const std::string& path) {
  const fs::path here = fs::absolute(out).parent_path().lexically_normal();
  const fs::path there = fs::absolute(manifest).parent_path().lexically_normal();
  if (here == there || fs::path(path).is_absolute()) return path;
  return (there / path).lexically_normal().lexically_relative(here).generic_string();
}

std::string digest(const std::string& text) {
  return sha256_hex(std::as_bytes(std::span(text.data(), text.size())));
}

/// What the codes hang on: every number of the networks, every byte of the manifest.
std::string identity(const ParameterMap& parameters, const std::string& manifest) {
  std::string all;
  for (const auto& [name, tensor] : parameters) {
    const at::Tensor plain = tensor.detach().to(at::kCPU).contiguous();
    all += name + " " +
           digest(std::string(static_cast<const char*>(plain.const_data_ptr()), plain.nbytes())) +
           "\n";
  }
  return dump_json(Json{{"networks", digest(all)}, {"manifest", digest(manifest)}});
}

}  // namespace

bool write_manifest_codes(const fs::path& networks, const fs::path& manifest, const fs::path& out,
                          const std::function<bool(size_t done, size_t all)>& tell) {
  at::NoGradGuard no_grad;
  at::set_num_threads(1);  // layers this narrow gain nothing from more
  const CodecFile file = load_networks(networks);
  if (!file.parameters.contains("analysis.in.weight"))
    throw Error(ErrorCode::kBadInput, networks, " holds no analysis network; stage mel makes one");
  const AnalysisSize size = size_of(file.parameters);
  const CodecModule codec(file.config, file.parameters);
  const AnalysisNetwork analysis(file.config, size, file.parameters);
  const LogMel mel = analysis_mel(file.config, size.bands, at::kCPU);
  const SoundSet sounds({manifest.string()}, file.config.sample_rate_hz,
                        file.config.samples_per_frame);
  CodeCache cache(
      sounds, codec,
      {{[&](const at::Tensor& x) { return analysis.latent(mel(x)); }, kAnalysisContext}}, at::kCPU);
  std::unordered_map<std::string, size_t> recordings;
  for (size_t i = 0; i < sounds.size(); ++i) recordings.emplace(sounds.name(i), i);

  const std::string text = read_file(manifest, kMaxManifestBytes);
  PartFile part(out.string() + ".part", identity(file.parameters, text));
  std::istringstream lines(text);
  size_t done = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    if (done == part.rows().size()) {
      Json row = parse_json(line, manifest.string());
      const fs::path sound = manifest.parent_path() / path_in_record(row, manifest.string());
      const auto found = recordings.find(sound.string());
      if (found != recordings.end())
        row["codes"] = lists_of(cache.codes(found->second, 0, sounds.frames(found->second)));
      std::string& path = row[path_key_of_record(row, manifest.string())].get_ref<std::string&>();
      path = path_from(out, manifest, path);
      part.add(dump_json(row));
    }
    if (!tell(++done, sounds.size())) return false;
  }
  std::string rows;
  for (const std::string& row : part.rows()) rows += row + "\n";
  write_file(out, rows);
  part.remove();
  return true;
}

}  // namespace kani::train
