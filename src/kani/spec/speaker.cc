// speaker.cc - see speaker.h.
#include "kani/spec/speaker.h"

#include "kani/base/error.h"
#include "kani/base/json.h"

namespace kani {
namespace {

using Shape = std::vector<uint64_t>;

class List {
 public:
  void add(std::string name, Shape shape, bool matrix = false) {
    tensors_.push_back({std::move(name), std::move(shape), /*optional=*/false, matrix});
  }
  void add_affine(const std::string& name, uint64_t out, uint64_t in) {
    add(name + ".weight", {out, in}, /*matrix=*/true);
    add(name + ".bias", {out});
  }
  void add_norm(const std::string& name, uint64_t width) {
    add(name + ".weight", {width});
    add(name + ".bias", {width});
  }
  std::vector<TensorSpec> take() { return std::move(tensors_); }

 private:
  std::vector<TensorSpec> tensors_;
};

}  // namespace

std::vector<TensorSpec> speaker_tensors(const SpeakerConfig& c) {
  const auto width = static_cast<uint64_t>(c.hidden_size),
             conv = static_cast<uint64_t>(c.conv_width);
  const auto heads = static_cast<uint64_t>(c.heads),
             inner = static_cast<uint64_t>(c.intermediate_size);
  const auto head = static_cast<uint64_t>(c.head_width),
             embedding = static_cast<uint64_t>(c.embedding_size);
  List list;
  for (size_t i = 0; i < c.conv_kernels.size(); ++i) {
    const std::string name = concat("wavlm.feature_extractor.conv_layers.", i, ".");
    list.add(name + "conv.weight",
             {conv, i == 0 ? 1 : conv, static_cast<uint64_t>(c.conv_kernels[i])}, true);
    list.add_norm(name + "layer_norm", conv);
  }
  list.add_norm("wavlm.feature_projection.layer_norm", conv);
  list.add_affine("wavlm.feature_projection.projection", width, conv);
  const std::string position = "wavlm.encoder.pos_conv_embed.conv.";
  const auto kernel = static_cast<uint64_t>(c.position_kernel);
  list.add(position + "bias", {width});
  list.add(position + "parametrizations.weight.original0", {1, 1, kernel});
  list.add(position + "parametrizations.weight.original1",
           {width, width / static_cast<uint64_t>(c.position_groups), kernel});
  for (int l = 0; l < c.layers; ++l) {
    const std::string layer = concat("wavlm.encoder.layers.", l, ".");
    list.add_norm(layer + "layer_norm", width);
    for (const char* part : {"q_proj", "k_proj", "v_proj", "out_proj"}) {
      list.add_affine(concat(layer, "attention.", part), width, width);
    }
    list.add_affine(layer + "attention.gru_rel_pos_linear", 8, width / heads);
    list.add(layer + "attention.gru_rel_pos_const", {1, heads, 1, 1});
    if (l == 0) {
      list.add(layer + "attention.rel_attn_embed.weight",
               {static_cast<uint64_t>(c.buckets), heads});
    }
    list.add_norm(layer + "final_layer_norm", width);
    list.add_affine(layer + "feed_forward.intermediate_dense", inner, width);
    list.add_affine(layer + "feed_forward.output_dense", width, inner);
  }
  list.add_norm("wavlm.encoder.layer_norm", width);
  list.add("top_layers.affine1.weight", {head, 2 * width, 1}, true);
  list.add("top_layers.affine1.bias", {head});
  list.add("top_layers.affine2.weight", {embedding, head, 1}, true);
  list.add("top_layers.affine2.bias", {embedding});
  for (const auto& [name, size] : {std::pair<const char*, uint64_t>{"1", head}, {"2", embedding}}) {
    list.add(concat("top_layers.batchnorm", name, ".running_mean"), {size});
    list.add(concat("top_layers.batchnorm", name, ".running_var"), {size});
  }
  return list.take();
}

std::string speaker_config_json(const SpeakerConfig& c) {
  const std::vector<int> widths(c.conv_kernels.size(), c.conv_width);
  const Json json{{"architectures", {"EmbeddingsModel"}},
                  {"model_type", "wavlm"},
                  {"hidden_size", c.hidden_size},
                  {"num_hidden_layers", c.layers},
                  {"num_attention_heads", c.heads},
                  {"intermediate_size", c.intermediate_size},
                  {"layer_norm_eps", 1e-5},
                  {"conv_dim", widths},
                  {"conv_kernel", c.conv_kernels},
                  {"conv_stride", c.conv_strides},
                  {"conv_bias", false},
                  {"feat_extract_norm", "layer"},
                  {"feat_extract_activation", "gelu"},
                  {"hidden_act", "gelu"},
                  {"do_stable_layer_norm", true},
                  {"num_feat_extract_layers", c.conv_kernels.size()},
                  {"num_conv_pos_embeddings", c.position_kernel},
                  {"num_conv_pos_embedding_groups", c.position_groups},
                  {"num_buckets", c.buckets},
                  {"max_bucket_distance", c.max_bucket_distance},
                  {"embd_size", c.embedding_size},
                  {"top_interm_size", c.head_width},
                  {"add_adapter", false},
                  {"torch_dtype", "float32"}};
  return json.dump(1) + "\n";
}

}  // namespace kani
