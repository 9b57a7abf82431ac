// bench.cc - `kani bench`: times of the engine's parts and of a whole sentence.  interfaces.md 2.5.
// -o, -p, -n, -b and -t have llama-bench's meanings here, not those of `kani say`.
#include <chrono>
#include <cmath>
#include <cstdio>
#include <functional>

#include "apps/kani/command.h"
#include "apps/kani/json_text.h"
#include "apps/kani/machine.h"
#include "apps/kani/ranges.h"
#include "apps/kani/table.h"

namespace kani::cli {
namespace {

constexpr int kDecodePrompt = 64;
constexpr double kCodecSeconds = 4;
constexpr int kCodecFramesPerPush = 4;
constexpr const char* kShortText = "The quick brown fox jumps over the lazy dog.";

struct Measurement {
  int threads = 0;
  std::string backend;
  std::string test;
  std::string unit;
  std::vector<double> samples;

  double mean() const {
    double sum = 0;
    for (const double sample : samples) sum += sample;
    return sum / static_cast<double>(samples.size());
  }
  /// Of the samples, not of their mean; 0 for a single one.
  double deviation() const {
    if (samples.size() < 2) return 0;
    double sum = 0;
    for (const double sample : samples) sum += (sample - mean()) * (sample - mean());
    return std::sqrt(sum / static_cast<double>(samples.size() - 1));
  }
};

struct BenchOptions {
  ModelOptions model;
  std::optional<int> repetitions;
  std::string output = "md";
  std::vector<int> prompts = {64};
  std::vector<int> tokens = {200};
  std::vector<int> batches = {1};
  std::vector<int> threads;  // empty = the default number
};

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

class BenchCommand : public Command {
 public:
  void define(FlagSet& flags) override {
    flags.heading("Bench");
    flags.integer({"-r,--repetitions", "N", "measurements of each test", "5"}, options_.repetitions,
                  1, 1000);
    flags.choice({"-o,--output", "md|csv|json|jsonl", "form of the results", "md"},
                 options_.output);
    list(flags, {"-p,--prompt-lengths", "LIST", "tokens of prefill tests, 0 is none", "64"},
         options_.prompts, 0, 4096);
    list(flags, {"-n,--tokens", "LIST", "tokens of decode tests, 0 is none", "200"},
         options_.tokens, 0, 6000);
    list(flags, {"-b,--batch-sizes", "LIST", "sequences decoded together", "1"}, options_.batches,
         1, 256);
    list(flags,
         {"-t,--threads", "LIST", "compute threads", "physical cores of one socket, at most 16"},
         options_.threads, 1, 1024);
    define_model(flags, options_.model, ThreadFlag::kLeftToCaller);
  }

  int run(Context& context) override {
    if (options_.model.list_devices) {
      print_devices(context.out, common);
      return 0;
    }
    if (common.json) options_.output = common.json_lines ? "jsonl" : "json";
    if (options_.threads.empty()) options_.threads.push_back(thread_count(std::nullopt));
    for (const int threads : options_.threads) measure_with(threads, context);
    context.console.clear_bar();
    print(context);
    return 0;
  }

 private:
  static void list(FlagSet& flags, const FlagText& text, std::vector<int>& target, int low,
                   int high) {
    const std::string flag = text.names.substr(text.names.find("--"));
    flags.custom(text, [&target, flag, low, high](const std::string& value) {
      target = parse_ranges(flag, value, low, high);
    });
  }

  void measure_with(int threads, Context& context) {
    ModelOptions with = options_.model;
    with.threads = threads;
    const EngineOptions engine_options = with.engine();
    context.console.bar("loading");
    const auto start = std::chrono::steady_clock::now();
    Engine engine(engine_options);
    Measurement load = make("load", "ms", engine, engine_options.threads);
    load.samples = {seconds_since(start) * 1000};
    info_ = engine.info();
    rows_.push_back(std::move(load));
    const auto rate = [&](const std::string& test, const std::string& unit,
                          const std::function<double()>& once) {
      repeat(make(test, unit, engine, engine_options.threads), context, once);
    };
    for (const int prompt : options_.prompts) {
      if (prompt == 0) continue;
      rate(concat("pp", prompt), "t/s", [&] { return per_second(engine.time_prefill(prompt)); });
    }
    for (const int tokens : options_.tokens) {
      for (const int batch : options_.batches) {
        if (tokens == 0) continue;
        const std::string test =
            batch == 1 ? concat("tg", tokens) : concat("tg", tokens, " b", batch);
        rate(test, "t/s",
             [&] { return per_second(engine.time_decode(kDecodePrompt, tokens, batch)); });
      }
    }
    rate("codec 4s", "x real time", [&] {
      return kCodecSeconds / engine.time_codec(kCodecSeconds, kCodecFramesPerPush).seconds;
    });
    measure_speech(engine, engine_options.threads, context);
    Measurement memory = make("peak memory", "MB", engine, engine_options.threads);
    memory.samples = {static_cast<double>(peak_resident_bytes()) / 1e6};
    rows_.push_back(std::move(memory));
  }

  void measure_speech(Engine& engine, int threads, Context& context) {
    SpeechRequest request;
    request.text = kShortText;
    request.sampling.seed = 1;
    Measurement first = make("first sound", "ms", engine, threads);
    repeat(make("e2e short", "x real time", engine, threads), context, [&] {
      const SpeechResult result =
          engine.speak(request, [](std::span<const float>) { return true; });
      first.samples.push_back(result.first_sound_s * 1000);
      return result.sound_s / result.elapsed_s;
    });
    first.samples.erase(first.samples.begin());  // the warm-up
    rows_.push_back(std::move(first));
  }

  /// One run to warm up, then the repetitions.
  void repeat(Measurement measurement, Context& context, const std::function<double()>& once) {
    const int repetitions = options_.repetitions.value_or(5);
    for (int i = -1; i < repetitions; ++i) {
      context.console.bar(concat(measurement.test, ", ", measurement.threads, " threads, ", i + 1,
                                 "/", repetitions));
      const double value = once();
      if (i >= 0) measurement.samples.push_back(value);
    }
    rows_.push_back(std::move(measurement));
  }

  static double per_second(const BenchTimes& times) {
    return static_cast<double>(times.units) / times.seconds;
  }

  static Measurement make(std::string test, std::string unit, const Engine& engine, int threads) {
    Measurement measurement;
    measurement.threads = threads;
    measurement.backend = engine.backend_name();
    measurement.test = std::move(test);
    measurement.unit = std::move(unit);
    return measurement;
  }

  Row row(const Measurement& m, bool exact) const {
    char value[64];
    std::snprintf(value, sizeof value, exact ? "%.6g" : "%.2f", m.mean());
    char spread[64];
    std::snprintf(spread, sizeof spread, exact ? "%.6g" : "%.2f", m.deviation());
    Row cells = {info_.model_path.filename().string(),
                 byte_size(info_.file_bytes + info_.codec_file_bytes),
                 count_size(info_.parameters + info_.codec_parameters),
                 m.backend,
                 concat(m.threads),
                 m.test};
    if (exact) {
      cells.insert(cells.end(), {value, spread, m.unit});
    } else {
      cells.insert(
          cells.end(),
          {m.samples.size() > 1 ? concat(value, " ± ", spread) : std::string(value), m.unit});
    }
    return cells;
  }

  Json json_row(const Measurement& m, const BuildInfo& build, const std::string& cpu) const {
    return {{"build_version", build.version},
            {"build_commit", build.commit},
            {"compiler", build.compiler},
            {"cpu", cpu},
            {"gpu", nullptr},
            {"model", info_.model_path.string()},
            {"size_bytes", info_.file_bytes + info_.codec_file_bytes},
            {"parameters", info_.parameters + info_.codec_parameters},
            {"type", info_.stored_type},
            {"backend", m.backend},
            {"threads", m.threads},
            {"test", m.test},
            {"unit", m.unit},
            {"mean", m.mean()},
            {"deviation", m.deviation()},
            {"samples", m.samples}};
  }

  void print(Context& context) const {
    const bool csv = options_.output == "csv";
    if (csv || options_.output == "md") {
      std::vector<Row> rows = {
          {"model", "size", "params", "backend", "threads", "test", "value", "unit"}};
      if (csv) rows[0].insert(rows[0].begin() + 7, "deviation");
      for (const Measurement& m : rows_) rows.push_back(row(m, csv));
      context.out.write(csv ? csv_table(rows) : markdown_table(rows));
      return;
    }
    const BuildInfo build = build_info();
    std::string cpu;
    for (const Device& device : devices()) {
      if (device.name == "cpu") cpu = device.description;
    }
    Json list = Json::array();
    for (const Measurement& m : rows_) {
      Json entry = json_row(m, build, cpu);
      if (options_.output == "jsonl") {
        context.out.line(json_line(entry));
      } else {
        list.push_back(std::move(entry));
      }
    }
    if (options_.output == "json") context.out.line(json_document(list));
  }

  BenchOptions options_;
  ModelInfo info_;
  std::vector<Measurement> rows_;
};

}  // namespace

std::unique_ptr<Command> make_bench() { return std::make_unique<BenchCommand>(); }

}  // namespace kani::cli
