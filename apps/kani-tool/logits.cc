// logits.cc - `kani-tool logits`: all elements of a sequence in one pass.
#include "kani/base/error.h"
#include "model.h"
#include "tensor_output.h"
#include "tool.h"

namespace kani::tool {
namespace {

struct Flags {
  ModelFlags model;
  std::filesystem::path ids, voice, out;
  bool layers = false;
};

void run(const Flags& flags) {
  const std::vector<int32_t> ids = read_ids(flags.ids);
  const std::vector<float> voice = read_voice(flags.voice);
  const LanguageModel model = load_language_model(flags.model);
  const std::vector<Element> elements = prompt_elements(model, ids, !voice.empty());
  const size_t count = elements.size();
  const auto width = static_cast<size_t>(model.lm->config().hidden_size);
  const auto vocabulary = static_cast<size_t>(model.lm->config().vocab_size);

  NamedTensor logits{"logits", std::vector<float>(count * vocabulary), {count, vocabulary}};
  NamedTensor positions{"positions", {}, {count}};
  for (const Element& element : elements)
    positions.values.push_back(static_cast<float>(element.position));
  std::vector<NamedTensor> layers;
  if (flags.layers) {
    for (size_t i = 0; i < model.lm->config().layers.size(); ++i) {
      layers.push_back({concat("layer.", i), {}, {count, width}});
    }
  }
  const Lfm2Observer observer = [&](std::string_view name, int layer, ConstMatrix rows) {
    if (name != "out") return;
    std::vector<float>& values = layers[static_cast<size_t>(layer)].values;
    for (size_t t = 0; t < rows.rows(); ++t)
      values.insert(values.end(), rows.row(t), rows.row(t) + rows.cols());
  };
  Lfm2Sequence sequence(*model.lm, count, voice);
  const SequenceStep step{&sequence, elements};
  const ConstMatrix hidden = model.lm->forward({&step, 1}, /*every_element=*/true,
                                               flags.layers ? observer : Lfm2Observer{});
  model.lm->all_logits(hidden, {logits.values.data(), count, vocabulary});
  layers.insert(layers.begin(), std::move(positions));
  layers.insert(layers.begin(), std::move(logits));
  write_tensors(flags.out, layers);
}

}  // namespace

void add_logits(CLI::App& app, Action& action) {
  Command command(app, "logits", "logits and positions of every element of a sequence");
  auto flags = std::make_shared<Flags>();
  flags->model.add_to(command);
  command.need("--ids", flags->ids, "JSON array of ids, without the voice slot");
  command.take("--voice", flags->voice, "voice file");
  command.toggle("--layers", flags->layers, "also the output of every layer");
  command.need("-o,--out", flags->out, "safetensors file to write");
  command.runs(action, [flags] { run(*flags); });
}

}  // namespace kani::tool
