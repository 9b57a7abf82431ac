// sanitized.h - whether the address or the thread sanitizer is compiled in: code and tests are then
// several times slower, and memory is theirs to watch.
#pragma once

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define KANI_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define KANI_SANITIZED 1
#endif
#endif

namespace kani {

#ifdef KANI_SANITIZED
inline constexpr bool kSanitized = true;
#undef KANI_SANITIZED
#else
inline constexpr bool kSanitized = false;
#endif

}  // namespace kani
