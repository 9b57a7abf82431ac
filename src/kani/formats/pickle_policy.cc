// pickle_policy.cc - the three lists of what a pickle may contain.  Opcodes are bytes here; their
// names are in pickle_machine.cc.
#include "kani/formats/pickle.h"

namespace kani {
namespace {

constexpr char kCheckpointOpcodes[] = "().JKMNQRXbchjqrstu}\x80\x85\x86\x87\x88\x89";
constexpr char kVoiceOpcodes[] = "().JKMNQRX]acehqrstu}\x80\x85\x86\x87\x88\x89\x8c";

constexpr char kOptimizerOpcodes[] = "().GJKMNQRX]acehjqrstu}\x80\x85\x86\x87\x88\x89";

constexpr DType kCheckpointStorages[] = {DType::kF32, DType::kF16, DType::kBF16,
                                         DType::kF64, DType::kI32, DType::kI64};
constexpr DType kVoiceStorages[] = {DType::kF32, DType::kF16, DType::kBF16, DType::kF64};
constexpr DType kOptimizerStorages[] = {DType::kF32, DType::kF16, DType::kBF16};

}  // namespace

constinit const PicklePolicy kCheckpointPickle{
    .opcodes = kCheckpointOpcodes,
    .storages = kCheckpointStorages,
    .unwraps_state_dict = true,
    .bytes = 8 << 20,  // published ones have below 0.5 MB
    .stack = 1 << 16,  // Python puts 1,000 dictionary entries on the stack at once
    .memo = 1 << 20,
    .values = 1'000'000,  // 30 a tensor and 3 a module: room for 30,000 tensors in at most 60 MB
    .entries = 65'534,    // as many as the archive can have members
};

constinit const PicklePolicy kOptimizerPickle{
    .opcodes = kOptimizerOpcodes,
    .storages = kOptimizerStorages,
    .integer_keys = true,
    .depth = 4,  // "param_groups/0/params/0"
    .bytes = 8 << 20,
    .stack = 1 << 16,
    .memo = 1 << 20,
    .values = 1'000'000,  // 100 a parameter, with its three tensors
    .entries = 65'534,
};

constinit const PicklePolicy kVoicePickle{
    .opcodes = kVoiceOpcodes,
    .storages = kVoiceStorages,
    .parameters = true,
    .bytes = 4096,
    .stack = 64,
    .memo = 64,
    .values = 4096,
    .entries = 16,
};

}  // namespace kani
