// test_port.h - a port for tests that let several processes meet, here threads.
#pragma once

#include <torch/csrc/distributed/c10d/TCPStore.hpp>

namespace kani::train {

/// One that nobody listened at a moment ago.
inline int free_port() {
  c10d::TCPStoreOptions options;
  options.port = 0;
  options.isServer = true;
  options.waitWorkers = false;
  return c10d::TCPStore("127.0.0.1", options).getPort();
}

}  // namespace kani::train
