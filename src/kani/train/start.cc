// start.cc - see start.h.
#include "kani/train/start.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "kani/base/error.h"
#include "kani/base/file.h"
#include "kani/base/json.h"
#include "kani/base/log.h"
#include "kani/base/sha256.h"
#include "kani/train/grow.h"
#include "kani/train/lora.h"
#include "kani/train/model_files.h"
#include "kani/train/name_parts.h"

namespace kani::train {
namespace {

constexpr size_t kClipsLookedAt = 100;  // of a new language

void take_voice_size(const TrainConfig& config, Lfm2Config& model) {
  if (const auto& size = config.growth.speaker_emb_dim)
    model.speaker_emb_dim = static_cast<int>(*size);
}

// A text model's rows are no whole codebooks of sound; as if the last ones were one makes its
// configuration one that the reader takes.
Lfm2Config text_config(const std::filesystem::path& folder, const Lfm2Overrides& wanted) {
  const std::filesystem::path path = folder / "config.json";
  const std::string text = read_file(path, kMaxConfigBytes);
  const Json json = parse_json(text, path.string());
  Lfm2Overrides overrides = wanted;
  int64_t rows = 65536;
  if (json.is_object() && json.contains("vocab_size") && json["vocab_size"].is_number_integer())
    rows = std::clamp<int64_t>(json["vocab_size"].get<int64_t>(), 14, 1 << 22);
  overrides.tokens_per_frame = 1;
  overrides.audio_tokens_start = static_cast<int>(rows - 1);
  overrides.use_learnable_rope.reset();  // settled by what the file holds
  return parse_lfm2_config(text, path.string(), overrides);
}

// The configuration of a model that is complete.
Lfm2Config complete_config(const TrainConfig& config, const Lfm2Overrides& overrides) {
  const std::filesystem::path path = std::filesystem::path(config.model_id) / "config.json";
  Lfm2Config model = parse_lfm2_config(read_file(path, kMaxConfigBytes), path.string(), overrides);
  take_voice_size(config, model);
  return model;
}

Lfm2Module trained_model(const TrainConfig& config, const Lfm2Overrides& overrides) {
  const std::filesystem::path folder = config.model_id;
  Lfm2Config model = complete_config(config, overrides);
  return load_module_as(folder, std::move(model), config.allow_unexpected);
}

// A model of which only config.json and tokenizer are there.
Lfm2Module new_model(const TrainConfig& config, const Lfm2Overrides& overrides) {
  Lfm2Config model = complete_config(config, overrides);
  model.accepts_voice = true;
  const bool turns = model.use_learnable_rope.value_or(true);
  model.use_learnable_rope = false;  // its factors have a start of their own
  ParameterMap parameters = random_parameters(model, config.seed + 5);
  model.use_learnable_rope = turns;
  grow(model, growth_of(config, model.alpha_min, model.alpha_max), config.seed + 6, parameters);
  return {std::move(model), std::move(parameters)};
}

// Upstream loads its base in bf16 and goes on in float32 (training.md 7.1).
void round_once(ParameterMap& parameters) {
  for (auto& [name, parameter] : parameters)
    parameter = parameter.detach().to(at::kBFloat16).to(at::kFloat).set_requires_grad(true);
}

// Of a base whose config.json has Kani's keys the ids are as these say.  One that has rows of audio
// ids speaks already: with other ids its rows would be other codes'.
GrowthSettings with_own_ids(const std::filesystem::path& folder, GrowthSettings settings,
                            int64_t rows) {
  const std::filesystem::path path = folder / "config.json";
  const Json json = parse_json(read_file(path, kMaxConfigBytes), path.string());
  const auto start = json.find("audio_tokens_start");
  const bool speaks = start != json.end() && start->is_number_integer() && *start < rows;
  for (auto& [name, setting] : {std::pair{"audio_tokens_start", &settings.audio_tokens_start},
                                std::pair{"tokens_per_frame", &settings.tokens_per_frame}}) {
    const auto found = json.find(name);
    if (found == json.end() || !found->is_number_integer()) continue;
    const auto own = found->get<int64_t>();
    if (!*setting) *setting = own;
    require(!speaks || **setting == own, "first_train: the base speaks already, its ", name, " is ",
            own, ", not ", **setting);
  }
  settings.validate();
  require(!speaks || settings.rows() == rows, "first_train: the base speaks already, with ", rows,
          " rows, not ", settings.rows(),
          " (audio_tokens_start + tokens_per_frame x audio_codebook_size); leave first_train out");
  return settings;
}

Lfm2Module first_model(const TrainConfig& given, const Lfm2Overrides& overrides) {
  Lfm2Config text = text_config(given.model_id, overrides);
  TrainConfig config = given;
  config.growth = with_own_ids(config.model_id, config.growth, text.vocab_size);
  take_voice_size(config, text);  // a model that has everything already is taken, too
  Lfm2Config grown = grown_config(text, config.growth);
  const GrowthSettings growth = growth_of(config, grown.alpha_min, grown.alpha_max);
  require(config.lora.rank == 0 || grown.vocab_size == text.vocab_size,
          "lora_rank beside first_train: new rows must be trained whole, and adapters belong to a "
          "base that others have; train without lora_rank first");
  ParameterMap parameters;
  if (growth.init_from_scratch) {
    Lfm2Config plain = text;
    plain.use_learnable_rope = false;  // its factors have a start of their own
    parameters = random_parameters(plain, config.seed + 5);
  } else {
    Lfm2Module base = load_module_as(config.model_id, text, config.allow_unexpected);
    parameters = std::move(base.parameters());
    if (config.parity) round_once(parameters);
    grown.separate_head = base.config().separate_head;
  }
  grow(grown, growth, config.seed + 6, parameters);
  return {std::move(grown), std::move(parameters)};
}

// The embedding as sums, if it is to be: drawn where nothing is learnt yet, else the nearest ones.
TableFactors factorise(const TrainConfig& config, const Lfm2Config& model,
                       ParameterMap& parameters) {
  if (!config.factorised()) return {};
  const TableFactors factors = TableFactors::of(model, config.levels());
  require(factors.ids() == model.vocab_size, "audio_table: factorised makes rows of ",
          factors.ids(), " ids, the model has ", model.vocab_size,
          "; ids behind the audio ids need audio_table: rows");
  const at::Tensor rows = parameters["model.embed_tokens.weight"].detach();
  put_factors(factors,
              config.growth.init_from_scratch
                  ? random_table(factors, rows.size(1), kStartDeviation, config.seed + 7)
                  : fitted_table(factors, rows),
              parameters);
  return factors;
}

void add_languages(const TrainConfig& config, Lfm2Config& model, ParameterMap& parameters,
                   std::vector<LanguageToken>& tokens) {
  tokens = language_tokens(config.add_languages, config.model_id, model);
  add_language_tokens(tokens, model, parameters);
  for (const std::string& entry : config.add_languages) {
    const auto [language, token] = language_entry(entry);
    require(
        token.empty() || config.lora.rank == 0, "add_languages: ", entry,
        " beside lora_rank: a new row must be trained whole; give the language without a token");
    model.language_tags_available = true;
    auto& known = model.language_tags;
    const std::string& tag = token.empty() ? language : token;  // as upstream's program takes it
    if (std::find(known.begin(), known.end(), tag) == known.end()) known.push_back(tag);
  }
  validate(model, "the model with its languages");
}

}  // namespace

void check_base(const TrainConfig& config) {
  const std::filesystem::path folder = config.model_id;
  if (std::filesystem::is_directory(folder)) return;
  const std::string& id = config.model_id;
  const bool hub = std::count(id.begin(), id.end(), '/') == 1 && id.front() != '/' &&
                   id.front() != '.' && id.back() != '/';
  throw Error(ErrorCode::kNotFound, "model_id is \"", id, "\", must be a folder on this machine")
      .with_hint(
          hub ? concat("it looks like a name of the Hugging Face hub, and nothing is fetched "
                       "here: hf download ",
                       id, " --local-dir ", folder.filename().string(), ", then --model ",
                       folder.filename().string())
              : std::string("a folder with config.json, model.safetensors and tokenizer.json; "
                            "--model FOLDER"));
}

GrowthSettings growth_of(const TrainConfig& config, double alpha_min, double alpha_max) {
  constexpr double kNear = 1e-9;
  GrowthSettings out = config.growth;
  const double middle = (alpha_min + alpha_max) / 2;
  require(!config.parity || std::abs(out.alpha_init.value_or(middle) - middle) < kNear,
          "alpha_init contradicts parity: it must be ", middle,
          ", the middle of alpha_min and alpha_max, or left out");
  if (!out.alpha_init) out.alpha_init = config.parity ? middle : 1;
  if (!out.init_audio_rows) out.init_audio_rows = config.parity ? "mean" : "mean+noise";
  return out;
}

Lfm2Module start_model(const TrainConfig& config, std::vector<LanguageToken>* tokens) {
  const Lfm2Overrides overrides = config.growth.overrides();
  Lfm2Module base = config.growth.first_train         ? first_model(config, overrides)
                    : config.growth.init_from_scratch ? new_model(config, overrides)
                                                      : trained_model(config, overrides);
  ParameterMap parameters = std::move(base.parameters());
  Lfm2Config model = base.config();
  std::vector<LanguageToken> own;
  add_languages(config, model, parameters, tokens == nullptr ? own : *tokens);
  const TableFactors table = factorise(config, model, parameters);
  check_name_parts("freeze", config.freeze, parameters);
  for (auto& [name, parameter] : parameters) {
    const bool frozen = std::any_of(
        config.freeze.begin(), config.freeze.end(),
        [&, &whole = name](const auto& part) { return whole.find(part) != std::string::npos; });
    if (frozen) parameter.set_requires_grad(false);
  }
  if (config.lora.rank > 0) add_adapters(config.lora, config.seed + 4, parameters);
  std::vector<std::string> rated;
  for (const auto& [part, factor] : TrainConfig::numbers_of(config.group_lr, "group_lr"))
    rated.push_back(part);
  check_name_parts("group_lr", rated, parameters);
  return {std::move(model),
          std::move(parameters),
          {.bf16 = config.bf16,
           .fp8 = config.fp8,
           .rope_bf16 = config.rope_precision == "bf16",
           .recompute = config.gradient_checkpointing,
           .adapter_scale = config.lora.scale(),
           .adapter_dropout = config.lora.dropout,
           .table = table,
           .token_rows = config.lora.token_ids()}};
}

void check_languages(const TrainConfig& config, const Lfm2Config& model, const ClipSet& clips,
                     const std::vector<LanguageToken>& tokens) {
  const std::filesystem::path folder = config.model_id;
  for (const std::string& entry : config.add_languages) {
    const std::string language = language_entry(entry).first;
    std::vector<int32_t> begin;
    if (const auto own =
            std::find_if(tokens.begin(), tokens.end(),
                         [&](const auto& token) { return token.language == language; });
        own != tokens.end()) {
      begin = {TokenLayout::of(model).start_of_text, own->id};
    } else if (std::filesystem::exists(folder / "tokenizer.json")) {
      begin = encode(Tokenizer::load(folder), tagged_text(model, "", language),
                     AddedTokens::kPlainText);
      begin.pop_back();  // the blank, which belongs to the first word of a text
    }
    size_t found = 0;
    for (size_t i = 0; i < clips.size() && found < kClipsLookedAt; ++i) {
      if (clips.language(i) != language) continue;
      ++found;
      const std::vector<int32_t> text = clips.clip(i).text;
      if (text.size() < begin.size() || !std::equal(begin.begin(), begin.end(), text.begin())) {
        throw Error(ErrorCode::kBadInput, clips.name(i), " is of the language ", language,
                    " but its text does not begin with \"", language, ": \"");
      }
    }
    if (found == 0)
      throw Error(ErrorCode::kBadInput, "add_languages: the data has no clip of ", language);
  }
}

void check_tokenizer(const TrainConfig& config, const ClipSet& clips) {
  const std::filesystem::path folder = config.model_id, file = folder / "tokenizer.json";
  if (!std::filesystem::exists(file) || clips.tokenizer().empty() ||
      clips.tokenizer() == sha256_hex(file))
    return;
  const Tokenizer tokenizer = Tokenizer::load(folder);
  size_t compared = 0;
  for (size_t i = 0; i < clips.size() && compared < kClipsLookedAt;
       i += std::max<size_t>(1, clips.size() / kClipsLookedAt)) {
    const TrainingClip clip = clips.clip(i);
    if (clip.utf8.empty()) continue;
    ++compared;
    std::string text;
    for (const int32_t id : clip.text) text += tokenizer.bytes(id);
    if (text.find(clip.utf8) != std::string::npos) continue;
    throw Error(ErrorCode::kBadInput, clips.name(i), ": its text ids are \"", printable(text),
                "\" in the model's tokenizer, its text is \"", printable(clip.utf8), "\"")
        .with_hint("the set was made with another tokenizer: make it anew with this model's");
  }
  if (compared == 0)
    log_warning("train", "the data was made with another tokenizer.json than ", folder,
                " has, and has no text to compare: its ids may mean something else");
}

}  // namespace kani::train
