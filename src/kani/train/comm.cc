// comm.cc - see comm.h.  The one file that names c10d.
#include "kani/train/comm.h"

#include <future>
#include <thread>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include "kani/base/error.h"
#include "kani/base/sha256.h"
#include "kani/train/cuda_device.h"

namespace kani::train {
namespace {

constexpr int64_t kPieceBytes = int64_t{16} << 20;
constexpr std::chrono::seconds kStoreAnswers{3};

constexpr std::chrono::milliseconds kGivingUp{1500}, kLook{50};

std::string place_of(int rank) { return concat("at/", rank); }
std::string end_of(int rank) { return concat("gave up/", rank); }

void put(c10d::Store& store, const std::string& key, int64_t calls) {
  const std::string text = std::to_string(calls);
  store.set(key, std::vector<uint8_t>(text.begin(), text.end()));
}

// 0 if nothing was put there.
int64_t number_at(c10d::Store& store, const std::string& key) {
  if (!store.check({key})) return 0;
  const std::vector<uint8_t> text = store.get(key);
  return std::stoll(std::string(text.begin(), text.end()));
}

template <typename Is>
std::string ranks_that(int rank, int size, const char* what, const Is& is) {
  std::string found;
  for (int r = 0; r < size; ++r) {
    if (r != rank && is(r)) found += concat(found.empty() ? "" : ", ", r);
  }
  return found.empty() ? found : concat("; ", what, ": rank ", found);
}

/// Who keeps call number `calls` from its end, in words: whose own call is before it, or, if all
/// have come to it, who is still in it when those who wait give up.  The store may be one of those
/// who are silent.
std::string who_is_late(const c10::intrusive_ptr<c10d::Store>& store, int rank, int size,
                        int64_t calls) {
  put(*store, end_of(rank), calls);
  const std::string late = ranks_that(
      rank, size, "not come to it", [&](int r) { return number_at(*store, place_of(r)) < calls; });
  if (!late.empty()) return late;
  std::string stuck;
  for (auto waited = kLook; waited < kGivingUp; waited += kLook) {
    stuck = ranks_that(rank, size, "come to it and silent since", [&](int r) {
      return number_at(*store, place_of(r)) == calls && number_at(*store, end_of(r)) < calls;
    });
    if (stuck.empty()) break;
    std::this_thread::sleep_for(kLook);
  }
  return stuck;
}

/// The same within a time.
std::string late_ranks(const c10::intrusive_ptr<c10d::Store>& store, int rank, int size,
                       int64_t calls) {
  auto answer = std::make_shared<std::promise<std::string>>();
  std::future<std::string> found = answer->get_future();
  std::thread([=] {
    try {
      answer->set_value(who_is_late(store, rank, size, calls));
    } catch (const std::exception&) {
      answer->set_value("");
    }
  }).detach();
  if (found.wait_for(kStoreAnswers) == std::future_status::ready) return found.get();
  return "; the common store, rank 0's unless a launcher serves it, does not answer";
}

// body(flat) for pieces of the tensors put together; what it leaves in flat is copied back.
template <typename Body>
void in_pieces(std::vector<at::Tensor>& tensors, const Body& body) {
  for (size_t first = 0; first < tensors.size();) {
    size_t last = first;
    int64_t bytes = 0;
    while (last < tensors.size() &&
           (last == first || bytes + static_cast<int64_t>(tensors[last].nbytes()) <= kPieceBytes))
      bytes += static_cast<int64_t>(tensors[last++].nbytes());
    if (last == first + 1) {
      at::Tensor flat = tensors[first].view({-1});
      body(flat);
    } else {
      std::vector<at::Tensor> parts;
      for (size_t i = first; i < last; ++i) parts.push_back(tensors[i].view({-1}));
      at::Tensor flat = at::cat(parts);
      body(flat);
      int64_t at_number = 0;
      for (at::Tensor& part : parts) {
        part.copy_(flat.slice(0, at_number, at_number + part.numel()));
        at_number += part.numel();
      }
    }
    first = last;
  }
}

}  // namespace

struct Comm::Group {
  c10::intrusive_ptr<c10d::Store> store;
  c10::intrusive_ptr<c10d::ProcessGroupGloo> gloo;
  c10::intrusive_ptr<c10d::Backend> gpu;  // null on CPUs

  // The transport for where a tensor is.
  c10d::Backend& of(const at::Tensor& x) const {
    return x.is_cuda() ? *gpu : static_cast<c10d::Backend&>(*gloo);
  }
};

namespace {

c10::intrusive_ptr<c10d::ProcessGroupGloo> gloo_group(const c10::intrusive_ptr<c10d::Store>& store,
                                                      const Launch& launch,
                                                      std::chrono::milliseconds timeout) {
  auto options = c10d::ProcessGroupGloo::Options::create(timeout);
  const bool here = launch.master_address == "127.0.0.1" || launch.master_address == "localhost";
  options->devices.push_back(
      c10d::ProcessGroupGloo::createDeviceForHostname(here ? "127.0.0.1" : ""));
  return c10::make_intrusive<c10d::ProcessGroupGloo>(store, launch.rank, launch.size, options);
}

}  // namespace

// c10d's exceptions as ours, with what was being done and who was missing.
template <typename Action>
void Comm::guarded(const char* what, const Action& action) const {
  try {
    action();
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    const std::string text = error.what();
    const std::string late =
        group_ && group_->gloo ? late_ranks(group_->store, rank(), size(), calls_) : "";
    throw Error(ErrorCode::kBusy, "rank ", rank(), ": ", what,
                " with the other processes failed: ", text.substr(0, text.find('\n')), late);
  }
}

void Comm::mark() { put(*group_->store, place_of(rank()), ++calls_); }

Comm::Comm(const Launch& launch, std::chrono::milliseconds timeout, std::unique_ptr<Group> group)
    : launch_(launch), timeout_(timeout), group_(std::move(group)) {}

std::unique_ptr<Comm> Comm::apart(const std::string& name, std::chrono::milliseconds timeout) {
  std::unique_ptr<Group> group;
  barrier();  // who has died by now would be waited for as long as the new group is patient
  if (group_) {
    guarded("meeting", [&] {
      group = std::make_unique<Group>();
      group->store = c10::make_intrusive<c10d::PrefixStore>(name, group_->store);
      group->gloo = gloo_group(group->store, launch_, timeout);
    });
  }
  return std::unique_ptr<Comm>(new Comm(launch_, timeout, std::move(group)));
}

Comm::Comm(const Launch& launch, std::chrono::milliseconds timeout, at::Device device)
    : launch_(launch), timeout_(timeout) {
  if (device.is_cuda()) use_gpu(device);
  if (launch.size == 1) return;
  guarded("meeting", [&] {
    c10d::TCPStoreOptions options;
    options.port = static_cast<uint16_t>(launch.master_port);
    options.isServer = launch.rank == 0 && !launch.store_is_served;
    options.numWorkers = static_cast<size_t>(launch.size);
    options.waitWorkers = false;
    options.timeout = timeout;
    auto store = c10::make_intrusive<c10d::TCPStore>(launch.master_address, options);
    // A group that torchrun starts anew must not find what the one before left behind.
    auto named = c10::make_intrusive<c10d::PrefixStore>(concat("kani/", launch.restarts), store);
    group_ = std::make_unique<Group>();
    group_->store = named;
    group_->gloo = gloo_group(named, launch, timeout);
    if (device.is_cuda()) {
      auto apart = c10::make_intrusive<c10d::PrefixStore>("nccl", named);
      group_->gpu = gpu_group(apart, launch, device, timeout);
    }
  });
}

Comm::~Comm() = default;

void Comm::sum(std::vector<at::Tensor>& tensors) {
  if (!group_) return;
  guarded("adding up", [&] {
    mark();
    at::NoGradGuard no_grad;
    in_pieces(tensors, [&](at::Tensor& flat) {
      std::vector<at::Tensor> one{flat};
      group_->of(flat).allreduce(one)->wait();
    });
  });
}

double Comm::sum(double value) {
  if (!group_) return value;
  std::vector<at::Tensor> one{at::scalar_tensor(value, at::kDouble).view({1})};
  sum(one);
  return one[0].item<double>();
}

int64_t Comm::sum(int64_t value) {
  if (!group_) return value;
  std::vector<at::Tensor> one{at::scalar_tensor(value, at::kLong).view({1})};
  sum(one);
  return one[0].item<int64_t>();
}

void Comm::sum(std::vector<double>& values) {
  if (!group_ || values.empty()) return;
  std::vector<at::Tensor> one{
      at::from_blob(values.data(), {static_cast<int64_t>(values.size())}, at::kDouble)};
  sum(one);
}

std::function<void()> Comm::begin_sum(const at::Tensor& flat) {
  if (!group_) return [] {};
  c10::intrusive_ptr<c10d::Work> work;
  guarded("adding up", [&] {
    std::vector<at::Tensor> one{flat};
    work = group_->of(flat).allreduce(one);
  });
  return [this, work] {
    guarded("adding up", [&] {
      mark();
      work->wait();
    });
  };
}

void Comm::broadcast(std::vector<at::Tensor>& tensors, int owner) {
  if (!group_) return;
  guarded("handing out", [&] {
    mark();
    at::NoGradGuard no_grad;
    in_pieces(tensors, [&](at::Tensor& flat) {
      std::vector<at::Tensor> one{flat};
      c10d::BroadcastOptions options;
      options.rootRank = owner;
      group_->of(flat).broadcast(one, options)->wait();
    });
  });
}

void Comm::barrier() {
  if (!group_) return;
  guarded("waiting", [&] {
    mark();
    group_->gloo->barrier()->wait();
  });
}

void Comm::agree(const std::string& what, const std::string& text) {
  if (!group_) return;
  const std::string hash = sha256_hex(std::as_bytes(std::span(text)));
  // The first six bytes of the hash as a number that a double holds.
  const auto number = static_cast<double>(std::stoull(hash.substr(0, 12), nullptr, 16));
  std::vector<at::Tensor> all{at::zeros({size()}, at::kDouble)};
  all[0][rank()] = number;
  sum(all);
  std::string others;
  for (int r = 0; r < size(); ++r) {
    if (all[0][r].item<double>() != all[0][0].item<double>()) others += concat(" ", r);
  }
  if (!others.empty())
    throw Error(ErrorCode::kInvalidArgument, "ranks", others, " have other ", what, " than rank 0");
}

}  // namespace kani::train
