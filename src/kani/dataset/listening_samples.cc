// listening_samples.cc - see listening_samples.h.
#include "kani/dataset/listening_samples.h"

#include <memory>

#include "kani/audio/sound_writer.h"
#include "kani/backend/registry.h"
#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/base/log.h"
#include "kani/codec/streaming_decoder.h"
#include "kani/formats/nemo.h"

namespace kani {
namespace {

namespace fs = std::filesystem;

struct Decoder {
  std::unique_ptr<Backend> backend;
  NemoArchive archive;
  std::unique_ptr<NanoCodecDecoder> codec;
};

/// Nothing for a codec without one.
std::unique_ptr<Decoder> open_decoder(const ClipRules& rules) {
  auto out = std::make_unique<Decoder>();
  out->backend = make_backend({.device = "cpu", .threads = 1, .isa = rules.options().isa});
  try {
    out->archive = open_nemo(rules.parts().codec, [](std::string_view name) {
      return nanocodec_wants(name, /*encoder=*/false);
    });
    out->codec = std::make_unique<NanoCodecDecoder>(rules.codec(), *out->archive.weights,
                                                    out->backend->signal());
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kBadInput) throw;
    log_warning("dataset", "no listening samples: ", error.what());
    return nullptr;
  }
  return out;
}

}  // namespace

Json write_samples(const ClipRules& rules, const std::vector<TrainingClip>& clips,
                   const fs::path& folder, const CancelToken* cancel) {
  Json list = Json::array();
  if (clips.empty()) return list;
  const std::unique_ptr<Decoder> decoder = open_decoder(rules);
  if (!decoder) return list;
  std::error_code error;
  fs::create_directories(folder / "report", error);
  if (error) throw_cannot_write(folder / "report", error.value());
  for (const TrainingClip& clip : clips) {
    if (cancel != nullptr && cancel->cancelled()) throw Error(ErrorCode::kCancelled, "interrupted");
    const std::string name = concat("report/sample-", list.size() + 1, ".wav");
    const auto writer =
        open_sound_file(folder / name, {.input_rate_hz = rules.codec().sample_rate_hz});
    writer->write(decode_frames(*decoder->codec, clip.codes));
    writer->finish();
    list.push_back({{"file", name},
                    {"text", clip.utf8},
                    {"speaker", clip.speaker},
                    {"audio", parse_json(clip.notes, "notes").value("audio", "")},
                    {"seconds", rounded(clip.duration_s, 2)}});
  }
  return list;
}

}  // namespace kani
