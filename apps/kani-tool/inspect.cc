// inspect.cc - `kani-tool inspect`: tensors of any model file with shape, dtype and size.
#include <cstdio>
#include <iostream>

#include "kani/base/error.h"
#include "kani/formats/nemo.h"
#include "kani/formats/safetensors.h"
#include "kani/formats/voice_file.h"
#include "model.h"
#include "tool.h"

namespace kani::tool {
namespace {

Json tensor_rows(const TensorFile& file) {
  Json rows = Json::array();
  for (const TensorInfo& tensor : file.tensors()) {
    rows.push_back({{"name", tensor.name},
                    {"dtype", dtype_name(tensor.dtype)},
                    {"shape", tensor.shape},
                    {"bytes", tensor.bytes.size()}});
  }
  return rows;
}

Json inspect(const std::filesystem::path& path) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored))
    throw Error(ErrorCode::kNotFound, "no such file: ", path);
  const std::string name = path.filename().string();
  if (path.extension() == ".nemo") {
    const NemoArchive archive = open_nemo(path);
    return {{"file", path.string()},
            {"format", "nemo"},
            {"config", archive.config_yaml},
            {"tensors", tensor_rows(*archive.weights)}};
  }
  if (std::filesystem::is_directory(path) || path.extension() == ".safetensors" ||
      name.ends_with(".safetensors.index.json")) {
    const auto file = open_safetensors(path);
    return {{"file", path.string()},
            {"format", "safetensors"},
            {"metadata", file->metadata()},
            {"tensors", tensor_rows(*file)}};
  }
  const VoiceFile voice = read_voice_file(path);
  const Json row{{"name", "speaker_emb"},
                 {"dtype", dtype_name(voice.stored_dtype)},
                 {"shape", voice.stored_shape},
                 {"bytes", voice.values.size() * dtype_size(voice.stored_dtype)}};
  return {{"file", path.string()},
          {"format", voice.format},
          {"metadata", voice.metadata},
          {"tensors", Json::array({row})}};
}

void print_table(const Json& report) {
  uint64_t bytes = 0, count = 0;
  for (const Json& row : report["tensors"]) {
    const auto shape = row["shape"].get<std::vector<uint64_t>>();
    std::printf("%-5s %-20s %12llu  %s\n", row["dtype"].get<std::string>().c_str(),
                shape_text(shape).c_str(),
                static_cast<unsigned long long>(row["bytes"].get<uint64_t>()),
                printable(row["name"].get<std::string>(), 200).c_str());
    bytes += row["bytes"].get<uint64_t>();
    ++count;
  }
  std::printf("%llu tensors, %llu bytes, %s\n", static_cast<unsigned long long>(count),
              static_cast<unsigned long long>(bytes), report["format"].get<std::string>().c_str());
}

}  // namespace

void add_inspect(CLI::App& app, Action& action) {
  Command command(app, "inspect", "lists the tensors of a model file");
  auto path = std::make_shared<std::filesystem::path>();
  auto json = std::make_shared<bool>(false);
  command.need("file", *path, "safetensors, index, folder, .nemo or voice file");
  command.toggle("--json", *json, "one JSON document");
  command.runs(action, [path, json] {
    const Json report = inspect(*path);
    if (*json) {
      std::cout << dump_json(report, -1, InvalidUtf8::kReplace) << '\n';
    } else {
      print_table(report);
    }
  });
}

}  // namespace kani::tool
