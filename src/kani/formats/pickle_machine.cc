// pickle_machine.cc - the opcodes.  Source: the comments of Python's pickletools.
#include "kani/formats/pickle_machine.h"

#include <algorithm>
#include <bit>

#include "kani/base/utf8.h"

namespace kani {
namespace {

// By their names in pickletools.
enum Opcode : uint8_t {
  kMark = '(',
  kEmptyTuple = ')',
  kStop = '.',
  kBinFloat = 'G',
  kBinInt = 'J',
  kBinInt1 = 'K',
  kBinInt2 = 'M',
  kNone = 'N',
  kBinPersId = 'Q',
  kReduce = 'R',
  kBinUnicode = 'X',
  kEmptyList = ']',
  kAppend = 'a',
  kBuild = 'b',
  kGlobal = 'c',
  kAppends = 'e',
  kBinGet = 'h',
  kLongBinGet = 'j',
  kBinPut = 'q',
  kLongBinPut = 'r',
  kSetItem = 's',
  kTuple = 't',
  kSetItems = 'u',
  kEmptyDict = '}',
  kProto = 0x80,
  kTuple1 = 0x85,
  kTuple2 = 0x86,
  kTuple3 = 0x87,
  kNewTrue = 0x88,
  kNewFalse = 0x89,
  kShortBinUnicode = 0x8c,
};

constexpr size_t kMaxLine = 64;  // bytes of a module or a name

uint32_t last_of(const auto& arena) { return static_cast<uint32_t>(arena.size() - 1); }

}  // namespace

PickleMachine::PickleMachine(std::span<const std::byte> pickle, const PicklePolicy& policy,
                             std::string_view where)
    : pickle_(pickle), policy_(policy), where_(where) {
  for (const char opcode : policy.opcodes) accepted_[static_cast<uint8_t>(opcode)] = true;
}

PickleValue PickleMachine::run() {
  if (pickle_.size() > policy_.bytes) {
    refuse(where_, "pickle of ", pickle_.size(), " bytes, at most ", policy_.bytes,
           " are accepted");
  }
  if (take_number<uint8_t>() != kProto || take_number<uint8_t>() != 2) {
    refuse(where_, "not a pickle of protocol 2");
  }
  for (;;) {
    opcode_at_ = at_;
    const auto opcode = take_number<uint8_t>();
    if (!accepted_[opcode]) refuse_opcode(opcode);
    if (opcode == kStop) break;
    step(opcode);
  }
  if (!marks_.empty() || stack_.size() != 1) {
    fail("STOP with ", stack_.size(), " items and ", marks_.size(), " marks, must be 1 and 0");
  }
  if (at_ != pickle_.size()) fail("STOP, but ", pickle_.size() - at_, " bytes follow");
  return stack_.front();
}

void PickleMachine::refuse_opcode(uint8_t opcode) const {
  fail("opcode ", unsigned{opcode}, " is not on the list of accepted opcodes");
}

void PickleMachine::step(uint8_t opcode) {
  switch (opcode) {
    case kMark:
      return push_mark();
    case kEmptyTuple:
      return push_tuple(stack_.size());
    case kTuple1:
      return push_tuple_of(1);
    case kTuple2:
      return push_tuple_of(2);
    case kTuple3:
      return push_tuple_of(3);
    case kTuple:
      return push_tuple(pop_mark());
    case kBinInt:
      return push_int(take_number<int32_t>());
    case kBinInt1:
      return push_int(take_number<uint8_t>());
    case kBinInt2:
      return push_int(take_number<uint16_t>());
    case kBinFloat:
      return push_real();
    case kNone:
      return push({});
    case kNewTrue:
    case kNewFalse:
      return push({.kind = PickleValue::kBool, .number = opcode == kNewTrue});
    case kBinUnicode:
      return push_text(take_number<uint32_t>());
    case kShortBinUnicode:
      return push_text(take_number<uint8_t>());
    case kGlobal:
      return push_global();
    case kBinPut:
      return put(take_number<uint8_t>());
    case kLongBinPut:
      return put(take_number<uint32_t>());
    case kBinGet:
      return get(take_number<uint8_t>());
    case kLongBinGet:
      return get(take_number<uint32_t>());
    case kEmptyDict:
    case kEmptyList:
      return push(new_container(opcode == kEmptyDict));
    case kSetItem: {
      const PickleValue value = pop();
      const PickleValue key = pop();
      return add(container_at_top(/*dictionary=*/true), key, value);
    }
    case kAppend: {
      const PickleValue value = pop();
      return add(container_at_top(/*dictionary=*/false), {}, value);
    }
    case kSetItems:
      return add_items(/*dictionary=*/true);
    case kAppends:
      return add_items(/*dictionary=*/false);
    case kBinPersId:
      return persistent_id();
    case kReduce:
      return reduce();
    case kBuild:
      return build();
    default:
      refuse_opcode(opcode);  // a second PROTO
  }
}

std::span<const std::byte> PickleMachine::take(size_t count) {
  if (count > pickle_.size() - at_) {
    fail(count, " bytes wanted, the pickle has ", pickle_.size() - at_, " left");
  }
  at_ += count;
  return pickle_.subspan(at_ - count, count);
}

std::string_view PickleMachine::take_line() {
  const std::string_view rest = text_of(pickle_.subspan(at_)).substr(0, kMaxLine + 1);
  const size_t length = rest.find('\n');
  if (length == std::string_view::npos) fail("no end of line within ", kMaxLine, " bytes");
  at_ += length + 1;
  return rest.substr(0, length);
}

// Bounds memory: what is once pushed stays in some arena to the end.
void PickleMachine::push(PickleValue value) {
  if (stack_.size() + marks_.size() >= policy_.stack) {
    fail("more than ", policy_.stack, " items on the stack");
  }
  if (++values_ > policy_.values) fail("more than ", policy_.values, " values");
  stack_.push_back(value);
}

// The only number in a pickle that is written big end first.
void PickleMachine::push_real() {
  uint64_t bits = 0;
  for (const std::byte byte : take(sizeof bits)) bits = bits << 8 | std::to_integer<uint64_t>(byte);
  push({.kind = PickleValue::kReal, .number = std::bit_cast<int64_t>(bits)});
}

void PickleMachine::push_mark() {
  if (stack_.size() + marks_.size() >= policy_.stack) {
    fail("more than ", policy_.stack, " items on the stack");
  }
  marks_.push_back(static_cast<uint32_t>(stack_.size()));
}

// Nothing below the last mark may be taken: those items belong to what was begun before.
const PickleValue& PickleMachine::top() const {
  if (stack_.size() <= floor()) fail("the stack is empty");
  return stack_.back();
}

PickleValue PickleMachine::pop() {
  const PickleValue value = top();
  stack_.pop_back();
  return value;
}

size_t PickleMachine::pop_mark() {
  if (marks_.empty()) fail("no mark on the stack");
  const size_t first = marks_.back();
  marks_.pop_back();
  return first;
}

void PickleMachine::push_text(size_t length) {
  const std::string_view text = text_of(take(length));
  if (find_invalid_utf8(text)) fail("text is not UTF-8");
  texts_.push_back(text);
  push({.kind = PickleValue::kText, .index = last_of(texts_)});
}

PickleTuple PickleMachine::tuple_from(size_t first) {
  const PickleTuple tuple{static_cast<uint32_t>(items_.size()),
                          static_cast<uint32_t>(stack_.size() - first)};
  items_.insert(items_.end(), stack_.begin() + static_cast<std::ptrdiff_t>(first), stack_.end());
  stack_.resize(first);
  return tuple;
}

void PickleMachine::push_tuple(size_t first) {
  tuples_.push_back(tuple_from(first));
  push({.kind = PickleValue::kTuple, .index = last_of(tuples_)});
}

void PickleMachine::push_tuple_of(size_t count) {
  if (stack_.size() < floor() + count) fail("the stack is empty");
  push_tuple(stack_.size() - count);
}

void PickleMachine::push_global() {
  const std::string_view module = take_line();
  const std::string_view name = take_line();
  push(global(module, name));
}

void PickleMachine::put(size_t index) {
  // An honest pickle numbers its memo from 0 and takes two bytes at least for each; nothing is
  // allocated for a mere claim.
  const size_t limit = std::min(policy_.memo, pickle_.size());
  if (index >= limit) fail("memo index ", index, ", must be below ", limit);
  const PickleValue value = top();
  if (index >= memo_.size()) memo_.resize(index + 1);
  memo_[index] = value;
}

void PickleMachine::get(size_t index) {
  if (index >= memo_.size() || !memo_[index]) fail("memo index ", index, " was never set");
  push(*memo_[index]);
}

PickleValue PickleMachine::new_container(bool dictionary) {
  containers_.push_back({.dictionary = dictionary});
  return {.kind = PickleValue::kContainer, .index = last_of(containers_)};
}

PickleContainer& PickleMachine::container_at_top(bool dictionary) {
  const PickleValue& value = top();
  if (value.kind != PickleValue::kContainer || containers_[value.index].dictionary != dictionary) {
    fail("there is no ", dictionary ? "dictionary" : "list", " to add to");
  }
  return containers_[value.index];
}

void PickleMachine::add(PickleContainer& to, const PickleValue& key, const PickleValue& value) {
  if (to.dictionary && key.kind != PickleValue::kText) {
    if (!policy_.integer_keys) fail("a dictionary key is not text");
    if (key.kind != PickleValue::kInt || key.number < 0) {
      fail("a dictionary key is neither text nor a whole number from 0");
    }
  }
  pairs_.push_back({.key = key, .value = value});
  if (to.count++ == 0) {
    to.first = last_of(pairs_);
  } else {
    pairs_[to.last].next = last_of(pairs_);
  }
  to.last = last_of(pairs_);
}

void PickleMachine::add_items(bool dictionary) {
  const size_t first = pop_mark();
  const size_t step = dictionary ? 2 : 1;
  if ((stack_.size() - first) % step != 0) fail("a dictionary key without a value");
  const PickleTuple added = tuple_from(first);
  PickleContainer& to = container_at_top(dictionary);
  for (size_t i = 0; i < added.count; i += step) {
    add(to, dictionary ? item(added, i) : PickleValue{}, item(added, i + step - 1));
  }
  items_.resize(added.first);  // they live on as pairs
}

void PickleMachine::persistent_id() {
  const PickleValue id = pop();
  if (id.kind != PickleValue::kTuple) fail("a persistent id is not a tuple");
  push(persistent(tuple(id)));
}

void PickleMachine::reduce() {
  const PickleValue arguments = pop();
  const PickleValue callee = pop();
  if (callee.kind != PickleValue::kGlobal || arguments.kind != PickleValue::kTuple) {
    fail("REDUCE needs a name from the list and a tuple");
  }
  push(call(callee, tuple(arguments)));
}

void PickleMachine::build() {
  const PickleValue state = pop();
  const PickleContainer& object = container_at_top(/*dictionary=*/true);
  if (state.kind != PickleValue::kContainer || !container(state).dictionary) {
    fail("BUILD needs a dictionary");
  }
  set_state(object, container(state));
}

}  // namespace kani
