// json_text.cc - see json_text.h.
#include "apps/kani/json_text.h"

namespace kani::cli {

std::string json_document(const Json& value) {
  return value.dump(2, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
}

std::string json_line(const Json& value) {
  return value.dump(-1, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
}

}  // namespace kani::cli
