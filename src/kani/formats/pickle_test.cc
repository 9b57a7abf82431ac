// pickle_test.cc - the pickle part of the "torch ZIP / pickle" list of reliability.md 6, with its
// numbers, under both policies.
#include "kani/formats/pickle.h"

#include <gtest/gtest.h>

#include "kani/formats/bytes.h"
#include "kani/formats/test_expect.h"
#include "kani/formats/test_files.h"

namespace kani {
namespace {

using test::expect_refused;
using test::p_dictionary;
using test::p_global;
using test::p_int;
using test::p_text;
using test::p_tuple;
using test::pickle_file;
using test::TensorPickle;

PickleContent read(const std::string& pickle, const PicklePolicy& policy = kVoicePickle) {
  return read_pickle(bytes_of(pickle), policy, "t.pkl");
}

std::string tensor(void (*change)(TensorPickle&)) {
  TensorPickle pickle;
  change(pickle);
  return pickle_file(pickle.text());
}

const std::string kTensor = TensorPickle{}.text();

TEST(Pickle, tensor_is_described) {
  const std::string pickle = tensor([](TensorPickle& t) {
    t.storage_type = p_global("torch", "HalfStorage");
    t.key = p_text("12");
    t.numel = p_int(700);
    t.offset = p_int(300);
    t.shape = p_tuple({2, 3});
    t.strides = p_tuple({100, 1});
    t.grad = "\x88";
  });
  const PickleContent content = read(pickle);
  EXPECT_EQ(content.form, PickleContent::Form::kTensor);
  const PickledTensor& t = content.tensors.at(0);
  EXPECT_EQ(t.dtype, DType::kF16);
  EXPECT_EQ(t.key, "12");
  EXPECT_EQ(t.numel, 700u);
  EXPECT_EQ(t.offset, 300u);
  EXPECT_EQ(t.shape, (std::vector<uint64_t>{2, 3}));
  EXPECT_EQ(t.strides, (std::vector<uint64_t>{100, 1}));
}

TEST(Pickle, dictionaries_and_lists_of_tensors_are_described) {
  for (const std::string& body :
       {"}" + p_text("a") + kTensor + "s", p_dictionary() + "(" + p_text("a") + kTensor + "u"}) {
    const std::string pickle = pickle_file(body);
    const PickleContent content = read(pickle);
    EXPECT_EQ(content.form, PickleContent::Form::kDictionary);
    EXPECT_EQ(content.tensors.at(0).name, "a");
  }
  for (const std::string& body : {"]" + kTensor + "a", "](" + kTensor + "e"}) {
    const PickleContent content = read(pickle_file(body));
    EXPECT_EQ(content.form, PickleContent::Form::kList);
    EXPECT_EQ(content.tensors.size(), 1u);
  }
  const std::string pickle =
      pickle_file("}(" + p_text("n") + p_int(1) + p_text("t") + kTensor + "u");
  const PickleContent mixed = read(pickle);
  EXPECT_EQ(mixed.others, std::vector<std::string_view>{"n"});
  EXPECT_EQ(mixed.tensors.size(), 1u);
}

TEST(Pickle, parameter_is_its_tensor) {
  const std::string body = p_global("torch._utils", "_rebuild_parameter") + "(" + kTensor + "\x88" +
                           p_dictionary() + "tR";
  EXPECT_EQ(read(pickle_file(body)).tensors.size(), 1u);
  expect_refused([&] { read(pickle_file(body), kCheckpointPickle); }, "t.pkl",
                 "list of accepted names");
}

TEST(Pickle, state_dict_is_unwrapped_in_checkpoints_alone) {
  const std::string inner = p_dictionary() + "(" + p_text("a") + kTensor + "u";
  const std::string wrapped =
      pickle_file("}(" + p_text("epoch") + p_int(3) + p_text("state_dict") + inner + "u");
  EXPECT_EQ(read(wrapped, kCheckpointPickle).tensors.at(0).name, "a");
  EXPECT_TRUE(read(wrapped).tensors.empty());
  // A tensor of that name is no wrapping.
  const std::string named = pickle_file("}" + p_text("state_dict") + kTensor + "s");
  EXPECT_EQ(read(named, kCheckpointPickle).tensors.at(0).name, "state_dict");
}

TEST(Pickle, short_text_is_read) {
  const std::string pickle = pickle_file(
      "}\x8c\x01"
      "a" +
      kTensor + "s");
  EXPECT_EQ(read(pickle).tensors.at(0).name, "a");
}

// Both policies keep lists and these things apart; a policy to come may not.
TEST(Pickle, lists_are_no_dictionaries_under_any_policy) {
  PicklePolicy all = kVoicePickle;
  const std::string opcodes = std::string(all.opcodes) + "b";
  all.opcodes = opcodes;
  all.unwraps_state_dict = true;
  EXPECT_EQ(read(pickle_file("]" + kTensor + "a"), all).form, PickleContent::Form::kList);
  const std::string list = pickle_file("}" + p_text("state_dict") + "]s");
  EXPECT_EQ(read(list, all).others, std::vector<std::string_view>{"state_dict"});
  expect_refused([&] { read(pickle_file("}]b"), all); }, "t.pkl", "BUILD needs a dictionary");
}

TEST(Pickle, metadata_of_a_checkpoint_is_read_and_dropped) {
  const std::string versions = "}" + p_text("version") + p_int(1) + "s";
  const std::string metadata =
      p_dictionary() + "(" + p_text("") + versions + p_text("x") + versions + "u";
  const std::string body = p_dictionary() + "(" + p_text("a") + kTensor + "u";
  const std::string good = body + "}" + p_text("_metadata") + metadata + "sb";
  EXPECT_EQ(read(pickle_file(good), kCheckpointPickle).tensors.size(), 1u);
  expect_refused([&] { read(pickle_file(good)); }, "t.pkl", "opcode 98");
  for (const std::string& state :
       {std::string("}"), "}" + p_text("__class__") + p_int(1) + "s",
        "}(" + p_text("_metadata") + "}" + p_text("x") + p_int(1) + "u"}) {
    expect_refused([&] { read(pickle_file(body + state + "b"), kCheckpointPickle); }, "t.pkl",
                   "else than _metadata");
  }
  expect_refused([&] { read(pickle_file(body + "Nb"), kCheckpointPickle); }, "t.pkl",
                 "BUILD needs");
  expect_refused([&] { read(pickle_file(kTensor + "}b"), kCheckpointPickle); }, "t.pkl",
                 "no dictionary");
}

struct Hostile {
  std::string_view item;  // number in the list, and what
  std::string pickle;
  std::string_view reason;
};

TEST(Pickle, hostile_streams_are_refused_with_their_reason) {
  const std::string call = p_global("torch._utils", "_rebuild_tensor_v2");
  const auto global = [](std::string_view module, std::string_view name) {
    return pickle_file(p_global(module, name));
  };
  std::vector<Hostile> table = {
      {"empty", "", "1 bytes wanted"},
      {"8 protocol 4", "\x80\x04.", "protocol 2"},
      {"8 protocol 5", "\x80\x05.", "protocol 2"},
      {"8 protocol 0", "(lp0\n.", "protocol 2"},
      {"8 a second PROTO", pickle_file("\x80\x02" + kTensor), "opcode 128"},
      {"9 os.system", global("os", "system"), "\"os.system\""},
      {"9 posix.system", global("posix", "system"), "\"posix.system\""},
      {"9 builtins.eval", global("builtins", "eval"), "\"builtins.eval\""},
      {"9 older rebuild", global("torch._utils", "_rebuild_tensor"), "accepted names"},
      {"9 torch.hub", global("torch.hub", "load"), "accepted names"},
      {"9 storage of another type", global("torch", "QInt8Storage"), "accepted names"},
      {"9 collections.deque", global("collections", "deque"), "accepted names"},
      {"9 newline in front", global("torch", "\nFloatStorage"), "accepted names"},
      {"9 carriage return", global("torch", "FloatStorage\r"), "FloatStorage\\x0d"},
      {"9 blank", global("torch ", "FloatStorage"), "accepted names"},
      {"9 no end of line", pickle_file("ctorch\n" + std::string(100, 'x')), "no end of line"},
      {"10 REDUCE on a persistent id",
       pickle_file("(" + p_text("storage") + p_global("torch", "FloatStorage") + p_text("0") +
                   p_text("cpu") + p_int(1) + "tQ)R"),
       "REDUCE needs a name"},
      {"10 REDUCE on text", pickle_file(p_text("os") + ")R"), "REDUCE needs a name"},
      {"10 REDUCE without a tuple", pickle_file(call + p_int(1) + "R"), "REDUCE needs a name"},
      {"10 REDUCE on a storage type", pickle_file(p_global("torch", "FloatStorage") + ")R"),
       "not called"},
      {"11 memo index 2^31", pickle_file("Nr" + test::little(0x80000000u)),
       "memo index 2147483648"},
      {"11 memo index over the limit", pickle_file("Nq\x40" + std::string(100, 'N')),
       "memo index 64"},
      {"11 memo index never set", pickle_file("h\x05"), "never set"},
      {"11 memo index in a gap", pickle_file("Nq\x05h\x04"), "never set"},
      {"11 memo of an empty stack", pickle_file(std::string("q\0", 2)), "the stack is empty"},
      {"12 underflow by TUPLE1", pickle_file("\x85"), "the stack is empty"},
      {"12 underflow by TUPLE3", pickle_file("NN\x87"), "the stack is empty"},
      {"12 underflow by REDUCE", pickle_file(")R"), "the stack is empty"},
      {"12 underflow by SETITEM", pickle_file("NNs"), "the stack is empty"},
      {"12 underflow by BINPERSID", pickle_file("Q"), "the stack is empty"},
      {"12 underflow through a mark", pickle_file("N(\x85"), "the stack is empty"},
      {"12 empty stack at STOP", pickle_file(""), "STOP with 0 items"},
      {"12 two items at STOP", pickle_file("NN"), "STOP with 2 items"},
      {"12 missing STOP", "\x80\x02N", "1 bytes wanted"},
      {"12 two STOPs", pickle_file(kTensor) + ".", "1 bytes follow"},
      {"13 MARK without TUPLE", pickle_file("(N"), "and 1 marks"},
      {"13 TUPLE without MARK", pickle_file("Nt"), "no mark"},
      {"13 SETITEMS without MARK", pickle_file("}u"), "no mark"},
      {"14 dictionary in itself",
       pickle_file(std::string("}q\0", 3) + p_text("a") + std::string("h\0s", 3)), ""},
      {"16 negative shape", tensor([](TensorPickle& t) { t.shape = p_tuple({-128}); }), "shape"},
      {"16 negative stride", tensor([](TensorPickle& t) { t.strides = p_tuple({-1}); }), "strides"},
      {"16 negative offset", tensor([](TensorPickle& t) { t.offset = p_int(-1); }), "offset"},
      {"16 negative size", tensor([](TensorPickle& t) { t.numel = p_int(-1); }), "elements"},
      {"16 rank of shape and strides", tensor([](TensorPickle& t) {
         t.strides = p_tuple({1, 1});
       }),
       "1 sizes and 2 strides"},
      {"16 rank 17",
       tensor([](TensorPickle& t) { t.shape = t.strides = p_tuple(std::vector<int64_t>(17, 1)); }),
       "more than 16 dimensions"},
      {"16 shape is a number", tensor([](TensorPickle& t) { t.shape = p_int(128); }),
       "not a tuple"},
      {"16 shape holds text", tensor([](TensorPickle& t) { t.shape = p_text("a") + "\x85"; }),
       "whole numbers"},
      {"20 location of 3 kB",
       tensor([](TensorPickle& t) { t.location = p_text(std::string(3000, 'c')); }), "location"},
      {"20 location is a number", tensor([](TensorPickle& t) { t.location = p_int(0); }),
       "location"},
      {"21 more entries than the stack holds", pickle_file("}(" + std::string(100, 'N')),
       "more than 64 items"},
      {"21 more marks than the stack holds", pickle_file(std::string(100, '(')),
       "more than 64 items"},
      {"26 nested tuples", pickle_file("N" + std::string(3000, '\x85')), "neither a tensor"},
      {"7 longer than 4 KiB", pickle_file(std::string(5000, ')')), "at most 4096"},
      {"key is a path", tensor([](TensorPickle& t) { t.key = p_text("../0"); }), "decimal number"},
      {"key is empty", tensor([](TensorPickle& t) { t.key = p_text(""); }), "decimal number"},
      {"key is long", tensor([](TensorPickle& t) { t.key = p_text("00000000000"); }),
       "decimal number"},
      {"key is a number", tensor([](TensorPickle& t) { t.key = p_int(0); }), "decimal number"},
      {"storage type is text", tensor([](TensorPickle& t) { t.storage_type = p_text("F"); }),
       "no storage type"},
      {"storage type is a function",
       tensor([](TensorPickle& t) { t.storage_type = p_global("collections", "OrderedDict"); }),
       "no storage type"},
      {"requires_grad is a number", tensor([](TensorPickle& t) { t.grad = p_int(0); }),
       "requires_grad"},
      {"hooks are full",
       tensor([](TensorPickle& t) { t.hooks = "}" + p_text("a") + p_int(1) + "s"; }), "hooks"},
      {"hooks are nothing", tensor([](TensorPickle& t) { t.hooks = "N"; }), "hooks"},
      {"hooks are a list", tensor([](TensorPickle& t) { t.hooks = "]"; }), "hooks"},
      {"persistent id is text", pickle_file(p_text("storage") + "Q"), "not a tuple"},
      {"persistent id of something else", pickle_file(p_text("module") + "\x85Q"),
       "not that of a storage"},
      {"persistent id without a kind", pickle_file("(NNNNNtQ"), "not that of a storage"},
      {"persistent id of another kind", pickle_file("(" + p_text("module") + "NNNNtQ"),
       "not that of a storage"},
      {"tensor of nothing", pickle_file(call + "(NNNNNNtR"), "no storage"},
      {"tensor of 5 arguments", pickle_file(call + "(NNNNNtR"), "5 arguments"},
      {"parameter of nothing",
       pickle_file(p_global("torch._utils", "_rebuild_parameter") + "(NNNtR"),
       "_rebuild_parameter needs"},
      {"parameter of two",
       pickle_file(p_global("torch._utils", "_rebuild_parameter") + "(" + kTensor + "\x88tR"),
       "_rebuild_parameter needs"},
      {"parameter without a truth value",
       pickle_file(p_global("torch._utils", "_rebuild_parameter") + "(" + kTensor + "N" +
                   p_dictionary() + "tR"),
       "_rebuild_parameter needs"},
      {"parameter with hooks",
       pickle_file(p_global("torch._utils", "_rebuild_parameter") + "(" + kTensor + "\x88NtR"),
       "_rebuild_parameter needs"},
      {"OrderedDict with arguments", pickle_file(p_global("collections", "OrderedDict") + "N\x85R"),
       "with arguments"},
      {"key without value", pickle_file("}(" + p_text("a") + "u"), "without a value"},
      {"key is no text", pickle_file("}" + p_int(1) + "Ns"), "key is not text"},
      {"items for a list", pickle_file("](" + p_text("a") + "Nu"), "no dictionary"},
      {"items for a dictionary", pickle_file("}Na"), "no list"},
      {"text of 2^31-1 bytes", pickle_file("X" + test::little(0x7FFFFFFFu)),
       "2147483647 bytes wanted"},
      {"text is not UTF-8", pickle_file(p_text("\xC3")), "not UTF-8"},
      {"a number", pickle_file(p_int(1)), "neither a tensor"},
  };
  for (const Hostile& h : table) {
    SCOPED_TRACE(h.item);
    if (h.item.starts_with("14")) {
      EXPECT_TRUE(read(h.pickle).tensors.empty());  // harmless: nobody walks into it
    } else {
      expect_refused([&] { read(h.pickle); }, "t.pkl", h.reason);
    }
  }
}

TEST(Pickle, every_opcode_outside_the_lists_is_refused) {  // 8
  const std::string voice = "().JKMNQRX]acehqrstu}\x80\x85\x86\x87\x88\x89\x8c";
  const std::string checkpoint = "().JKMNQRXbchjqrstu}\x80\x85\x86\x87\x88\x89";
  const std::string optimizer = "().GJKMNQRX]acehjqrstu}\x80\x85\x86\x87\x88\x89";
  for (int opcode = 0; opcode < 256; ++opcode) {
    const char c = static_cast<char>(opcode);
    const std::string reason = concat("opcode ", opcode, " is not on the list");
    const std::string pickle = pickle_file("N" + std::string(1, c) + std::string(16, '\0'));
    if (voice.find(c) == std::string::npos) {
      expect_refused([&] { read(pickle); }, "t.pkl", reason);
    }
    if (checkpoint.find(c) == std::string::npos) {
      expect_refused([&] { read(pickle, kCheckpointPickle); }, "t.pkl", reason);
    }
    if (optimizer.find(c) == std::string::npos) {
      expect_refused([&] { read(pickle, kOptimizerPickle); }, "t.pkl", reason);
    }
  }
}

TEST(Pickle, checkpoint_limits_hold) {
  const auto refused = [](const std::string& body, std::string_view reason) {
    expect_refused([&] { read(pickle_file(body), kCheckpointPickle); }, "t.pkl", reason);
  };
  refused(std::string((8 << 20) + 1, 'N'), "at most 8388608");
  refused(std::string(70'000, 'N'), "more than 65536 items");
  std::string tuples;
  for (int i = 0; i < 400'000; ++i) tuples += "NN\x86\x85";
  refused(tuples, "items on the stack");
  std::string values = "(";
  for (int i = 0; i < 40; ++i) values += "(" + std::string(30'000, 'N') + "t";
  refused(values + "t", "more than 1000000 values");
  std::string entries = "}";
  for (int i = 0; i < 4; ++i) {
    entries += "(";
    for (int j = 0; j < 20'000; ++j) entries += "X" + std::string(4, '\0') + "N";
    entries += "u";
  }
  refused(entries, "80000 entries");
  refused("N" + std::string("r") + test::little(2'000'000u), "memo index 2000000");
}

TEST(Pickle, every_cut_of_a_stream_is_refused) {
  const std::string pickle = pickle_file("}" + p_text("a") + kTensor + "s");
  for (size_t length = 0; length < pickle.size(); ++length) {
    expect_refused([&] { read(pickle.substr(0, length)); }, "t.pkl", "");
  }
}

}  // namespace
}  // namespace kani
