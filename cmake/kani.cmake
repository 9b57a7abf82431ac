# kani.cmake - how this project makes its targets: a library per folder with its unit tests beside it, kernel files
# compiled for one instruction set, fuzz targets.  Flags are in flags.cmake, installing in install.cmake.

include(flags)

# The headers that most files include, compiled once: a third off the time to a first sound.  Only in the release preset,
# so that the other builds show a file that forgets an include.
if(KANI_PCH)
  file(CONFIGURE OUTPUT "${PROJECT_BINARY_DIR}/generated/pch.cc" CONTENT "// holds the precompiled header\n")
  add_library(kani_pch OBJECT "${PROJECT_BINARY_DIR}/generated/pch.cc")
  target_link_libraries(kani_pch PRIVATE kani_flags)
  target_precompile_headers(kani_pch PRIVATE <algorithm> <array> <cmath> <cstdint> <filesystem> <functional> <map>
                            <memory> <optional> <span> <string> <string_view> <vector>)
endif()

# kani_library(NAME SOURCES … [TESTS …] [DEPS …] [LINK …] [TEST_DEPS …])
#   makes the static target kani_NAME; TESTS become the program kani_NAME_test; DEPS are folders of ours (public),
#   LINK are outside libraries (private), TEST_DEPS folders of ours that only the tests need.
function(kani_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;TESTS;DEPS;LINK;TEST_DEPS" ${ARGN})
  add_library(kani_${name} STATIC ${arg_SOURCES})
  target_link_libraries(kani_${name} PUBLIC kani_flags)
  foreach(dep IN LISTS arg_DEPS)
    target_link_libraries(kani_${name} PUBLIC kani_${dep})
  endforeach()
  target_link_libraries(kani_${name} PRIVATE ${arg_LINK})
  if(KANI_PCH)
    target_precompile_headers(kani_${name} REUSE_FROM kani_pch)
  endif()
  if(KANI_BUILD_TESTS AND arg_TESTS)
    add_executable(kani_${name}_test ${arg_TESTS})
    target_link_libraries(kani_${name}_test PRIVATE kani_${name} ${arg_LINK} GTest::gtest GTest::gtest_main)
    foreach(dep IN LISTS arg_TEST_DEPS)
      target_link_libraries(kani_${name}_test PRIVATE kani_${dep})
    endforeach()
    target_compile_definitions(kani_${name}_test PRIVATE KANI_TEST_DATA="${PROJECT_SOURCE_DIR}/tests/data"
                                                           KANI_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
    add_test(NAME ${name} COMMAND kani_${name}_test --gtest_brief=1)
  endif()
endfunction()

# kani_isa_sources(FILES…): sets the compiler flags that a kernel file's suffix asks for (_avx2, _avx512, _avx512bf16,
# _neon), -O3 in every build, and no exceptions: kernels never throw, and the marks of unwinding would be shared symbols.
# Files for another processor family are left out of the list that is returned in KANI_ISA_SOURCES.
function(kani_isa_sources)
  set(kept "")
  foreach(file IN LISTS ARGN)
    if(file MATCHES "_(avx2|avx512|avx512bf16|avx512vnni)\\.cc$")
      set(isa ${CMAKE_MATCH_1}) # the next match overwrites it
      if(NOT CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
        continue()
      endif()
      if(isa STREQUAL "avx2")
        set(flags -mavx2 -mfma -mf16c)
      else()
        # g++ 12 warns of uninitialized values inside its own AVX-512 headers (GCC bug 105593).
        set(flags -mavx2 -mfma -mf16c -mavx512f -mavx512bw -mavx512vl -mavx512dq
                  $<$<CXX_COMPILER_ID:GNU>:-Wno-uninitialized>
                  $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
        if(isa STREQUAL "avx512bf16")
          list(APPEND flags -mavx512bf16)
        elseif(isa STREQUAL "avx512vnni")
          list(APPEND flags -mavx512vnni)
        endif()
      endif()
      set_source_files_properties(${file} PROPERTIES COMPILE_OPTIONS "-O3;-fno-exceptions;${flags}")
    elseif(file MATCHES "_neon\\.cc$" AND NOT CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
      continue()
    endif()
    if(file MATCHES "_neon\\.cc$")
      set_source_files_properties(${file} PROPERTIES COMPILE_OPTIONS "-O3;-fno-exceptions")
    endif()
    # Nothing of the C++ library may be compiled for one instruction set (tools/check_kernel_symbols.py).
    set_source_files_properties(${file} PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
    list(APPEND kept ${file})
  endforeach()
  set(KANI_ISA_SOURCES ${kept} PARENT_SCOPE)
endfunction()

# kani_fuzz(NAME [DEPS …] [LINK …])
#   makes bin/NAME_fuzz out of NAME_fuzz.cc (LLVMFuzzerTestOneInput); seeds lie in corpus/NAME/.  DEPS are folders of
#   ours, LINK outside libraries.  tools/fuzz.sh runs them all.
function(kani_fuzz name)
  cmake_parse_arguments(arg "" "" "DEPS;LINK" ${ARGN})
  add_executable(${name}_fuzz ${name}_fuzz.cc)
  target_link_libraries(${name}_fuzz PRIVATE kani_flags ${arg_LINK})
  foreach(dep IN LISTS arg_DEPS)
    target_link_libraries(${name}_fuzz PRIVATE kani_${dep})
  endforeach()
  target_link_options(${name}_fuzz PRIVATE -fsanitize=fuzzer)
endfunction()
