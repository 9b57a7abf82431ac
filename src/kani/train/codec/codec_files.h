// codec_files.h - codecs of the trainer from and to .nemo files, which the engine and NeMo's class
// read; and the networks that make codes, which only the trainer reads.
#pragma once

#include <filesystem>

#include "kani/spec/nanocodec.h"
#include "kani/train/lfm2_module.h"

namespace kani::train {

struct CodecFile {
  NanoCodecConfig config;
  ParameterMap parameters;  // float32, weight_g and weight_v whatever the file's spelling
};
/// Reads decoder, and encoder if it has one.  Throws Error as open_nemo(), parse_nanocodec_config()
/// and nanocodec_check().
CodecFile load_codec(const std::filesystem::path& nemo);

/// What the weights of a file are kept in: float32, or float16 at half the size.  Readers take
/// either and compute as they like.
enum class CodecStorage { kFloat, kHalf };

/// Writes decoder, encoder and the quantizer's buffers; other parameters are left out.  Atomic.
/// Throws Error(kCannotWrite).
void export_codec(const std::filesystem::path& nemo, const NanoCodecConfig& config,
                  const ParameterMap& parameters, CodecStorage storage = CodecStorage::kFloat);

/// What stage mel has learnt, in one .safetensors file with the codec's YAML in its metadata: who
/// trains on the codes of a codec that is done needs no more (codec_command.h, --codes-of).
/// Parameters that it does not name are left out.  Atomic.  Throws Error(kCannotWrite), and
/// Error(kInvalidArgument) if no analysis network is among them.
void export_code_networks(const std::filesystem::path& file, const NanoCodecConfig& config,
                          const ParameterMap& parameters,
                          CodecStorage storage = CodecStorage::kFloat);
/// The one or the other by the ending: .safetensors, else .nemo.
void export_networks(const std::filesystem::path& file, const CodecFile& networks,
                     CodecStorage storage = CodecStorage::kFloat);
/// What export_code_networks() wrote; the codec's other networks are there as they are before they
/// learn anything. Throws Error(kBadInput) for a file that is none.
CodecFile load_code_networks(const std::filesystem::path& file);

}  // namespace kani::train
