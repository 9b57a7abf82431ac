// pickle_machine.h - the stack machine that a pickle is a program for: opcodes, stack, memo,
// tuples, dictionaries, lists. What names and persistent ids mean is left to a subclass
// (pickle.cc).
// No recursion and no tree: a value is 16 bytes that refer into flat arenas, so a pickle nested or
// cyclic to any depth costs neither stack nor an endless walk. Not a public header.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "kani/formats/bytes.h"
#include "kani/formats/pickle.h"

namespace kani {

struct PickleValue {
  // kGlobal, kStorage and kTensor are the subclass's; it numbers them as it likes.
  enum Kind : uint32_t {
    kNone,
    kBool,
    kInt,
    kReal,
    kText,
    kTuple,
    kContainer,
    kGlobal,
    kStorage,
    kTensor
  };
  Kind kind = kNone;
  uint32_t index = 0;  // kText and above: its place in the arena of its kind
  int64_t number = 0;  // kBool, kInt; of kReal the bits
};

/// A tuple: neighbours among the items.
struct PickleTuple {
  uint32_t first = 0;
  uint32_t count = 0;
};

/// A dictionary or list: a chain of pairs, because it grows while others do.
struct PickleContainer {
  bool dictionary = false;
  uint32_t first = 0;
  uint32_t last = 0;
  uint32_t count = 0;
};

struct PicklePair {
  PickleValue key;  // kText, or kInt where the policy has it; kNone in a list
  PickleValue value;
  uint32_t next = 0;
};

/// Runs once.  Every member throws Error(kBadInput, "<where>: …").
class PickleMachine {
 public:
  PickleMachine(std::span<const std::byte> pickle, const PicklePolicy& policy,
                std::string_view where);
  virtual ~PickleMachine() = default;

  /// The value that STOP leaves.
  PickleValue run();

 protected:
  virtual PickleValue global(std::string_view module, std::string_view name) = 0;
  virtual PickleValue persistent(PickleTuple id) = 0;
  virtual PickleValue call(const PickleValue& callee, PickleTuple arguments) = 0;
  virtual void set_state(const PickleContainer& object, const PickleContainer& state) = 0;

  template <typename... Parts>
  [[noreturn]] void fail(const Parts&... parts) const {
    refuse(where_, "pickle opcode at offset ", opcode_at_, ": ", parts...);
  }

  const PicklePolicy& policy() const { return policy_; }
  std::string_view where() const { return where_; }
  std::string_view text(const PickleValue& value) const { return texts_[value.index]; }
  PickleTuple tuple(const PickleValue& value) const { return tuples_[value.index]; }
  const PickleValue& item(PickleTuple tuple, size_t i) const { return items_[tuple.first + i]; }
  const PickleContainer& container(const PickleValue& value) const {
    return containers_[value.index];
  }
  const PicklePair& pair(uint32_t place) const { return pairs_[place]; }
  PickleValue new_dictionary() { return new_container(/*dictionary=*/true); }

 private:
  [[noreturn]] void refuse_opcode(uint8_t opcode) const;
  std::span<const std::byte> take(size_t count);
  template <typename T>
  T take_number() {
    return load<T>(take(sizeof(T)), 0);
  }
  std::string_view take_line();

  void step(uint8_t opcode);
  void push(PickleValue value);
  void push_int(int64_t number) { push({.kind = PickleValue::kInt, .number = number}); }
  void push_real();
  void push_mark();
  void push_text(size_t length);
  void push_tuple(size_t first);
  void push_tuple_of(size_t count);
  void push_global();
  PickleValue pop();
  size_t pop_mark();
  const PickleValue& top() const;
  size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }

  void put(size_t index);
  void get(size_t index);
  PickleTuple tuple_from(size_t first);
  PickleValue new_container(bool dictionary);
  PickleContainer& container_at_top(bool dictionary);
  void add(PickleContainer& to, const PickleValue& key, const PickleValue& value);
  void add_items(bool dictionary);
  void persistent_id();
  void reduce();
  void build();

  std::span<const std::byte> pickle_;
  const PicklePolicy& policy_;
  std::string_view where_;
  std::array<bool, 256> accepted_{};
  size_t at_ = 0;
  size_t opcode_at_ = 0;
  size_t values_ = 0;

  std::vector<PickleValue> stack_;
  std::vector<uint32_t> marks_;  // heights of the stack
  std::vector<std::optional<PickleValue>> memo_;
  std::vector<std::string_view> texts_;
  std::vector<PickleValue> items_;
  std::vector<PickleTuple> tuples_;
  std::vector<PickleContainer> containers_;
  std::vector<PicklePair> pairs_;
};

}  // namespace kani
