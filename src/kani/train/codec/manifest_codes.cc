// manifest_codes.cc - see manifest_codes.h.
#include "kani/train/codec/manifest_codes.h"

#include <ATen/Parallel.h>

#include <sstream>
#include <unordered_map>

#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/base/json.h"
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

  std::istringstream lines(read_file(manifest, kMaxManifestBytes));
  std::string text;
  size_t done = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    Json row = parse_json(line, manifest.string());
    const fs::path sound = manifest.parent_path() / path_in_record(row, manifest.string());
    const auto found = recordings.find(sound.string());
    if (found != recordings.end())
      row["codes"] = lists_of(cache.codes(found->second, 0, sounds.frames(found->second)));
    text += row.dump() + "\n";
    if (!tell(++done, sounds.size())) return false;
  }
  write_file(out, text);
  return true;
}

}  // namespace kani::train
