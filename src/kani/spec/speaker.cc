// speaker.cc - see speaker.h.
#include "kani/spec/speaker.h"

#include <string_view>

#include "kani/base/error.h"
#include "kani/spec/json_fields.h"

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
  // The gain and the direction of a weight norm.
  void add_normed(const std::string& name, Shape gain, Shape direction) {
    add(name + "parametrizations.weight.original0", std::move(gain));
    tensors_.back().other_name = name + "weight_g";
    add(name + "parametrizations.weight.original1", std::move(direction));
    tensors_.back().other_name = name + "weight_v";
  }
  std::vector<TensorSpec> take() { return std::move(tensors_); }

 private:
  std::vector<TensorSpec> tensors_;
};

constexpr size_t kMaxBytes = 1 << 20;  // of config.json
constexpr std::string_view kPosition = "wavlm.encoder.pos_conv_embed.conv.";

/// Refuses a value that stands for another network.
void expect_kind(const JsonFields& fields, const char* name, const Json& fallback,
                 const Json& wanted) {
  const Json* value = fields.find(name);
  const Json& found = value ? *value : fallback;
  if (found == wanted) return;
  throw Error(ErrorCode::kUnsupported, fields.source(), ": ", name, " is ",
              JsonFields::shown(found), value ? "" : " (the library's default)", ", only ",
              JsonFields::shown(wanted), " is supported");
}

std::vector<int> int_list(const JsonFields& fields, const char* name, std::vector<int> fallback) {
  const Json* value = fields.find(name);
  if (!value) return fallback;
  std::vector<int> list;
  for (const Json& entry : fields.as_array(*value, name))
    list.push_back(fields.as_integer(entry, name));
  return list;
}

bool is_ignored(std::string_view name) {
  return name == "wavlm.masked_spec_embed" || name.ends_with(".num_batches_tracked");
}

}  // namespace

SpeakerConfig parse_speaker_config(std::string_view json, std::string_view source) {
  if (json.size() > kMaxBytes) {
    throw Error(ErrorCode::kBadInput, source, " has ", json.size(), " bytes, at most ", kMaxBytes,
                " are read");
  }
  const Json document = parse_json(json, source, {.values = 100'000});
  const JsonFields fields(document, source);
  expect_kind(fields, "model_type", nullptr, "wavlm");
  expect_kind(fields, "feat_extract_norm", "group", "layer");
  expect_kind(fields, "do_stable_layer_norm", false, true);
  expect_kind(fields, "conv_bias", false, false);
  expect_kind(fields, "add_adapter", false, false);
  expect_kind(fields, "feat_extract_activation", "gelu", "gelu");
  expect_kind(fields, "hidden_act", "gelu", "gelu");
  SpeakerConfig config;
  config.hidden_size = fields.integer("hidden_size", 768);
  config.layers = fields.integer("num_hidden_layers", 12);
  config.heads = fields.integer("num_attention_heads", 12);
  config.intermediate_size = fields.integer("intermediate_size", 3072);
  config.layer_norm_eps = fields.number("layer_norm_eps", 1e-5);
  config.conv_dims = int_list(fields, "conv_dim", config.conv_dims);
  config.conv_kernels = int_list(fields, "conv_kernel", config.conv_kernels);
  config.conv_strides = int_list(fields, "conv_stride", config.conv_strides);
  config.position_kernel = fields.integer("num_conv_pos_embeddings", 128);
  config.position_groups = fields.integer("num_conv_pos_embedding_groups", 16);
  config.buckets = fields.integer("num_buckets", 320);
  config.max_bucket_distance = fields.integer("max_bucket_distance", 800);
  for (const auto& [name, slot] :
       {std::pair{"embd_size", &config.embedding_size}, {"top_interm_size", &config.head_width}}) {
    if (!fields.find(name))
      throw Error(ErrorCode::kBadInput, source, ": ", name, " is missing, must be a number");
    *slot = fields.integer(name, 0);
  }
  validate(config, source);
  return config;
}

void validate(const SpeakerConfig& c, std::string_view source) {
  constexpr int kMaxWidth = 65536, kMaxKernel = 1024;
  check_range(source, "hidden_size", c.hidden_size, 1, kMaxWidth);
  check_range(source, "num_hidden_layers", c.layers, 1, 256);
  check_range(source, "num_attention_heads", c.heads, 1, 1024);
  check_range(source, "intermediate_size", c.intermediate_size, 1, kMaxWidth);
  check_range(source, "layer_norm_eps", c.layer_norm_eps, 1e-12, 1.0);
  check_range(source, "num_conv_pos_embeddings", c.position_kernel, 1, kMaxKernel);
  check_range(source, "num_conv_pos_embedding_groups", c.position_groups, 1, c.hidden_size);
  check_range(source, "num_buckets", c.buckets, 4, 65536);
  check_range(source, "max_bucket_distance", c.max_bucket_distance, c.buckets / 4 + 1, 1 << 24);
  check_range(source, "embd_size", c.embedding_size, 1, 4096);
  check_range(source, "top_interm_size", c.head_width, 1, kMaxWidth);
  const auto rule = [&](bool holds, auto&&... text) {
    if (!holds) throw Error(ErrorCode::kBadInput, source, ": ", text...);
  };
  rule(c.hidden_size % c.heads == 0, "hidden_size ", c.hidden_size,
       " is no multiple of num_attention_heads ", c.heads);
  rule(c.hidden_size % c.position_groups == 0, "hidden_size ", c.hidden_size,
       " is no multiple of num_conv_pos_embedding_groups ", c.position_groups);
  rule(c.buckets % 4 == 0, "num_buckets is ", c.buckets, ", must be a multiple of 4");
  rule(!c.conv_dims.empty() && c.conv_dims.size() <= 16, "conv_dim has ", c.conv_dims.size(),
       " entries, must have 1 to 16");
  rule(c.conv_kernels.size() == c.conv_dims.size() && c.conv_strides.size() == c.conv_dims.size(),
       "conv_dim, conv_kernel and conv_stride have ", c.conv_dims.size(), ", ",
       c.conv_kernels.size(), " and ", c.conv_strides.size(), " entries, must have as many");
  for (const int dim : c.conv_dims) check_range(source, "an entry of conv_dim", dim, 1, kMaxWidth);
  uint64_t hop = 1;
  for (size_t i = 0; i < c.conv_dims.size(); ++i) {
    check_range(source, "an entry of conv_kernel", c.conv_kernels[i], 1, kMaxKernel);
    check_range(source, "an entry of conv_stride", c.conv_strides[i], 1, kMaxKernel);
    hop *= static_cast<uint64_t>(c.conv_strides[i]);
    rule(hop <= 1 << 20, "the product of conv_stride is too large");
  }
}

std::vector<TensorSpec> speaker_tensors(const SpeakerConfig& c) {
  const auto width = static_cast<uint64_t>(c.hidden_size);
  const auto heads = static_cast<uint64_t>(c.heads),
             inner = static_cast<uint64_t>(c.intermediate_size);
  const auto head = static_cast<uint64_t>(c.head_width),
             embedding = static_cast<uint64_t>(c.embedding_size);
  List list;
  uint64_t conv = 1;  // channels so far
  for (size_t i = 0; i < c.conv_kernels.size(); ++i) {
    const std::string name = concat("wavlm.feature_extractor.conv_layers.", i, ".");
    const auto out = static_cast<uint64_t>(c.conv_dims[i]);
    list.add(name + "conv.weight", {out, conv, static_cast<uint64_t>(c.conv_kernels[i])}, true);
    list.add_norm(name + "layer_norm", out);
    conv = out;
  }
  list.add_norm("wavlm.feature_projection.layer_norm", conv);
  list.add_affine("wavlm.feature_projection.projection", width, conv);
  const std::string position(kPosition);
  const auto kernel = static_cast<uint64_t>(c.position_kernel);
  list.add(position + "bias", {width});
  list.add_normed(position, {1, 1, kernel},
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

void speaker_check(const SpeakerConfig& config, const TensorFile& file) {
  const std::vector<TensorSpec> specs = speaker_tensors(config);
  check_tensor_list(specs, file);
  warn_of_strangers(specs, file, is_ignored);
}

std::string speaker_config_json(const SpeakerConfig& c) {
  const Json json{{"architectures", {"EmbeddingsModel"}},
                  {"model_type", "wavlm"},
                  {"hidden_size", c.hidden_size},
                  {"num_hidden_layers", c.layers},
                  {"num_attention_heads", c.heads},
                  {"intermediate_size", c.intermediate_size},
                  {"layer_norm_eps", c.layer_norm_eps},
                  {"conv_dim", c.conv_dims},
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
  return dump_json(json, 1) + "\n";
}

}  // namespace kani
