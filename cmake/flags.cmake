# flags.cmake - the compiler flags of every target of ours (interface target kani_flags), and why each is there.
# Not here: flags of one kernel file (kani_isa_sources in kani.cmake).

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/lib")
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()
# CMake's own RelWithDebInfo defines NDEBUG; here it is the type that tests run in, so assertions stay.  -g1 keeps
# names and lines for backtraces and sanitizer reports and makes objects half as large as -g.
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1")
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O2 -g1")
if(KANI_SANITIZE)
  # Compiles a fifth sooner.
  set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O1 -g1")
  set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O1 -g1")
endif()
# Kernel files get -O3 in every build (kani_isa_sources); for the rest -O2 is as fast and compiles sooner.
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
set(CMAKE_C_FLAGS_RELEASE "-O2 -DNDEBUG")

find_program(KANI_CCACHE ccache)
if(KANI_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${KANI_CCACHE}")
  set(CMAKE_C_COMPILER_LAUNCHER "${KANI_CCACHE}")
endif()
find_package(Threads REQUIRED)

# No -ffast-math: NaN and infinity must stay what they are.  -ffp-contract=off: the same numbers from g++ and clang.
add_library(kani_flags INTERFACE)
target_compile_options(kani_flags INTERFACE -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion
                                            $<$<BOOL:${KANI_WERROR}>:-Werror> -fno-math-errno -ffp-contract=off
                                            # g++ 12 sees overlaps inside std::string that cannot be (GCC bug 105651).
                                            $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-restrict>)
target_include_directories(kani_flags INTERFACE "${PROJECT_SOURCE_DIR}/src" "${PROJECT_SOURCE_DIR}/include")
target_link_libraries(kani_flags INTERFACE Threads::Threads)

if(KANI_SANITIZE)
  target_compile_options(kani_flags INTERFACE -fsanitize=${KANI_SANITIZE} -fno-sanitize-recover=all
                                              -fno-omit-frame-pointer)
  if(KANI_TRAIN)
    # It would want to know the types of LibTorch's objects, some of which the library hides.
    target_compile_options(kani_flags INTERFACE -fno-sanitize=vptr)
  endif()
  target_link_options(kani_flags INTERFACE -fsanitize=${KANI_SANITIZE})
else()
  # Files and requests come from strangers, so what the compiler can guard for nearly nothing is guarded: stack
  # canaries, checked libc calls, checked std:: indices (kernels use plain pointers and do not pay), control-flow
  # marks, addresses resolved at start and then read-only, position-independent programs.
  target_compile_options(kani_flags INTERFACE -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3
                                              -D_GLIBCXX_ASSERTIONS)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    target_compile_options(kani_flags INTERFACE -fcf-protection=full)
  elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
    target_compile_options(kani_flags INTERFACE -mbranch-protection=standard)
  endif()
  target_link_options(kani_flags INTERFACE LINKER:-z,relro,-z,now,-z,noexecstack)
endif()
# Executables position-independent too; without this CMake leaves the link flag to the compiler's default.
include(CheckPIESupported)
check_pie_supported(LANGUAGES CXX)

if(KANI_BUILD_FUZZ)
  target_compile_options(kani_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
