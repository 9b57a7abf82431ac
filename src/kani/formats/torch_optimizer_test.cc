// torch_optimizer_test.cc - an optimizer's state is read as torch.save writes it, and nothing else
// is.
#include "kani/formats/torch_optimizer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "kani/base/file.h"
#include "kani/formats/bytes.h"
#include "kani/formats/test_expect.h"
#include "kani/formats/test_optimizer_file.h"

namespace kani {
namespace {

using test::expect_refused;
using test::OptimizerPickle;
using test::p_int;
using test::p_real;
using test::p_text;
using test::pickle_file;

TorchOptimizer read(const std::string& file) {
  return parse_torch_optimizer(bytes_of(file), "optimizer.pt");
}

OptimizerPickle small() {
  return OptimizerPickle({{{2, 3}, 7, {1, 2, 3, 4, 5, 6}, {6, 5, 4, 3, 2, 1}},
                          {{}, 7, {0.5}, {0.25}},
                          {{2}, 0, {}, {}},
                          {{1}, 6, {-1}, {2}}},
                         {3, 1});
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos);
  return text.replace(at, from.size(), to);
}

TEST(TorchOptimizer, moments_counts_and_groups_are_read) {
  const std::string file = small().file();
  const TorchOptimizer optimizer = read(file);
  ASSERT_EQ(optimizer.groups.size(), 2u);
  EXPECT_EQ(optimizer.groups[0].parameters, 3u);
  EXPECT_EQ(optimizer.groups[1].parameters, 1u);
  EXPECT_EQ(optimizer.groups[0].settings.at("initial_lr"), 9e-4);
  EXPECT_EQ(optimizer.groups[0].settings.at("lr"), 4.5e-4);
  EXPECT_EQ(optimizer.groups[1].settings.at("initial_lr"), 1.5 * 9e-4);
  ASSERT_EQ(optimizer.state.size(), 3u);
  EXPECT_FALSE(optimizer.state.contains(2));  // never updated
  const SavedMoments& first = optimizer.state.at(0);
  EXPECT_EQ(first.steps, 7);
  EXPECT_EQ(first.first.shape, (std::vector<uint64_t>{2, 3}));
  EXPECT_EQ(tensor_to_f32(first.first), (std::vector<float>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(tensor_to_f32(first.second), (std::vector<float>{6, 5, 4, 3, 2, 1}));
  EXPECT_TRUE(optimizer.state.at(1).first.shape.empty());
  EXPECT_EQ(tensor_to_f32(optimizer.state.at(1).second), std::vector<float>{0.25});
  EXPECT_EQ(optimizer.state.at(3).steps, 6);
}

// Made by torch 2.11: two updates with constant gradients.
TEST(TorchOptimizer, what_torch_writes_is_read) {
  for (const auto& [name, tolerance] : {std::pair{"adamw.pt", 1e-6}, {"adamw_bf16.pt", 0.008}}) {
    SCOPED_TRACE(name);
    const std::string file =
        read_file(std::filesystem::path(KANI_TEST_DATA) / "training" / "optimizer" / name, 1 << 20);
    const TorchOptimizer optimizer = read(file);
    ASSERT_EQ(optimizer.groups.size(), 2u);
    EXPECT_EQ(optimizer.groups[0].parameters, 3u);
    EXPECT_EQ(optimizer.groups[1].parameters, 1u);
    EXPECT_EQ(optimizer.groups[1].settings.at("initial_lr"), 1.35e-3);
    ASSERT_EQ(optimizer.state.size(), 3u);
    const std::map<int64_t, std::vector<float>> gradients{
        {0, {1, 2, 3, 4, 5, 6}}, {1, {-2, -2, -2, -2}}, {3, {0.5}}};
    for (const auto& [number, gradient] : gradients) {
      const SavedMoments& moments = optimizer.state.at(number);
      EXPECT_EQ(moments.steps, 2);
      const std::vector<float> first = tensor_to_f32(moments.first),
                               second = tensor_to_f32(moments.second);
      ASSERT_EQ(first.size(), gradient.size());
      for (size_t i = 0; i < gradient.size(); ++i) {
        const double g = double{gradient[i]};
        EXPECT_NEAR(double{first[i]}, 0.19 * g, tolerance * std::abs(g));
        EXPECT_NEAR(double{second[i]}, 0.001999 * g * g, tolerance * 0.002 * g * g);
      }
    }
  }
}

TEST(TorchOptimizer, what_is_no_state_of_adam_is_refused) {
  const OptimizerPickle good = small();
  const auto change = [&](std::string_view from, std::string_view to) {
    return replaced(good.pickle, from, to);
  };
  const std::string second = p_text("exp_avg_sq"), params = p_text("params") + "](";
  struct Hostile {
    std::string what, pickle, reason;
  };
  const std::vector<Hostile> table = {
      {"another moment", change(second, p_text("max_exp_avg_sq")), "does not belong"},
      {"a moment twice", change(second, p_text("exp_avg")), "occurs twice"},
      {"no count", change(p_text("step"), p_text("exp_avg")), "occurs twice"},
      {"a setting twice", change(p_text("eps"), p_text("lr")), "occurs twice"},
      {"numbers do not begin at 0", change(params + p_int(0), params + p_int(1)), "expected 0"},
      {"a number is a real", change(params + p_int(0), params + p_real(0)), "expected 0"},
      {"a number is a truth value", change(params + p_int(0), params + "\x89"), "does not belong"},
      {"a number is missing", change(params + p_int(0), params), "is 1, expected 0"},
      {"params are a tuple",
       change(params + p_int(0) + p_int(1) + p_int(2) + "e", p_text("params") + p_int(0) + "\x85"),
       "expected 0"},
      {"params of params", change(params + p_int(0), params + "](" + p_int(0) + "e"),
       "does not belong"},
      {"state of a parameter beyond", change("}(" + p_int(0), "}(" + p_int(4)),
       "have 4 parameters"},
      {"state of a negative parameter", change("}(" + p_int(0), "}(" + p_int(-1)),
       "whole number from 0"},
      {"state of a parameter that is a real", change("}(" + p_int(0), "}(" + p_real(0)),
       "whole number from 0"},
      {"state of a name", change("}(" + p_int(0), "}(" + p_text("w")), "does not belong"},
      {"state of a name with slashes", change("}(" + p_int(0), "}(" + p_text("0/exp_avg/x")),
       "does not belong"},
      {"another part", change(p_text("state"), p_text("stats")), "does not belong"},
      {"no groups", pickle_file("}" + p_text("state") + "}s"), "no param_groups"},
      {"nothing", pickle_file("}"), "no param_groups"},
      {"a list", pickle_file("]"), "no dictionary"},
      {"a tensor", pickle_file(test::TensorPickle{}.text()), ""},
      {"a number at the top", pickle_file("}" + p_text("state") + p_int(1) + "s"),
       "does not belong"},
      {"moments of two shapes", change(test::p_tuple({2, 3}), test::p_tuple({3, 2})),
       "leave the storage"},
      {"moments of two sizes", change(test::p_tuple({2, 3}), test::p_tuple({1, 3})), "shapes"},
      {"a moment beyond its storage", change(test::p_tuple({2, 3}), test::p_tuple({9, 3})),
       "leave the storage"},
      {"a storage that is not there", change(p_text("3"), p_text("99")), "no storage"},
      {"whole numbers as moments", change("FloatStorage", "LongStorage"), "accepted names"},
      {"a module",
       change(p_text("lr") + p_real(4.5e-4), p_text("lr") + test::p_global("os", "system")),
       "\"os.system\""},
      {"an optimizer's class",
       change(p_text("lr") + p_real(4.5e-4),
              p_text("lr") + test::p_global("torch.optim.adamw", "AdamW")),
       "accepted names"},
      {"a real cut off", "\x80\x02G\x3f\xf0", "8 bytes wanted"},
  };
  for (const Hostile& h : table) {
    SCOPED_TRACE(h.what);
    const std::string file = good.file_of(h.pickle);
    expect_refused([&] { read(file); }, "optimizer.pt", h.reason);
  }
}

TEST(TorchOptimizer, counts_that_are_none_are_refused) {
  for (const float steps : {-1.0F, 0.5F, 1e9F, std::numeric_limits<float>::infinity(),
                            std::numeric_limits<float>::quiet_NaN()}) {
    const std::string file = OptimizerPickle({{{1}, steps, {1}, {1}}}, {1}).file();
    expect_refused([&] { read(file); }, "optimizer.pt", "must be a whole number");
  }
}

// Small files that would grow: containers that are in many places, or in themselves; long keys.
TEST(TorchOptimizer, nothing_grows_beyond_the_limits) {
  const auto refused = [](const std::string& body, std::string_view reason) {
    const std::string file = small().file_of(pickle_file(body));
    expect_refused([&] { read(file); }, "optimizer.pt", reason);
  };
  std::string many = "](" + std::string(1000, 'N') + "e";
  for (char level = 0; level < 2; ++level) {  // each holds the one before 1,000 times
    many = "](" + many + 'q' + level;
    for (int i = 1; i < 1000; ++i) many += {'h', level};
    many += 'e';
  }
  refused("}" + p_text("state") + many + "s", "more than 65534 entries");
  refused(std::string("}q\0", 3) + p_text("state") + std::string("h\0s", 3), "does not belong");
  const std::string key = p_text(std::string(100, 'k'));
  refused("}" + p_text("state") + "}" + key + p_int(1) + "ss", "a key of 100 bytes");
}

TEST(TorchOptimizer, every_cut_is_refused_and_every_damage_seen) {
  const std::string file = small().file();
  for (size_t length = 0; length < file.size(); length += 3) {
    const std::string cut = file.substr(0, length);
    expect_refused([&] { read(cut); }, "optimizer.pt", "");
  }
  std::string damaged = file;
  const float value = 6;  // of the first moments
  char bytes[4];
  std::memcpy(bytes, &value, 4);
  damaged[file.find(std::string(bytes, 4))] ^= 1;
  expect_refused([&] { read(damaged); }, "optimizer.pt", "CRC");
}

}  // namespace
}  // namespace kani
