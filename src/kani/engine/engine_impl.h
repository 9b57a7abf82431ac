// engine_impl.h - what the public classes hide.
#pragma once

#include "kani/engine/model.h"
#include "kani/engine/narrator.h"
#include "kani/kani.h"

namespace kani {

class Engine::Impl {
 public:
  explicit Impl(LoadedModel loaded) : model(std::move(loaded)) {}
  LoadedModel model;
};

/// Throws Error(kBadInput) with the offset of the first invalid sequence.
void check_utf8(std::string_view text);

}  // namespace kani
