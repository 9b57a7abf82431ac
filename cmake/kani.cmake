# kani.cmake - how this project makes its targets: a library per folder with its unit tests beside it, kernel files
# compiled for one instruction set, fuzz targets.  Flags are in flags.cmake, installing in install.cmake.

include(flags)

# Headers that most files include, compiled once: a third off the time to a first sound, and far more where LibTorch is
# included.  Only in presets that ask for it, so that the others show a file that forgets an include.
#   kani_precompile(NAME [PROGRAM] HEADERS … [LINK …] [FLAGS …])  makes kani_pch_NAME; PROGRAM: for files of tests.
#   kani_use_precompiled(TARGET NAME)  lets a target use it; does nothing without KANI_PCH.  A program of TARGET is compiled
#   as a library is then (-fPIC): it would need precompiled headers of its own, a minute and a half of LibTorch's.
function(kani_precompile name)
  cmake_parse_arguments(arg "PROGRAM" "" "HEADERS;LINK;FLAGS" ${ARGN})
  set(source "${PROJECT_BINARY_DIR}/generated/pch_${name}.cc")
  file(CONFIGURE OUTPUT "${source}" CONTENT "int main() {}  // a precompiled header needs a target to belong to\n")
  if(arg_PROGRAM)
    add_executable(kani_pch_${name} EXCLUDE_FROM_ALL "${source}")
  else()
    add_library(kani_pch_${name} OBJECT EXCLUDE_FROM_ALL "${source}")
  endif()
  target_link_libraries(kani_pch_${name} PRIVATE kani_flags ${arg_LINK})
  target_compile_options(kani_pch_${name} PRIVATE ${arg_FLAGS})
  target_precompile_headers(kani_pch_${name} PRIVATE ${arg_HEADERS})
endfunction()

function(kani_use_precompiled target name)
  if(KANI_PCH)
    target_precompile_headers(${target} REUSE_FROM kani_pch_${name})
    get_target_property(type ${target} TYPE)
    if(type STREQUAL "EXECUTABLE" AND NOT name MATCHES "test")
      set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
      target_compile_options(${target} PRIVATE -fPIC)
    endif()
  endif()
endfunction()

# Tests are compiled as they stand: half of all compile time would be theirs, and what they test is optimized.  The C
# library remarks (-Wcpp) that its checks of buffers want an optimizer.  Not for another processor: there they are emulated.
set(KANI_TEST_FLAGS -O0 -Wno-cpp)
if(CMAKE_CROSSCOMPILING)
  # g++ 12 sees overruns of short constant strings that cannot be (as GCC bug 105651).
  set(KANI_TEST_FLAGS -O1 $<$<CXX_COMPILER_ID:GNU>:-Wno-array-bounds> $<$<CXX_COMPILER_ID:GNU>:-Wno-stringop-overflow>)
endif()
if(KANI_PCH)
  set(common <algorithm> <array> <cmath> <cstdint> <filesystem> <functional> <map> <memory> <optional> <span> <string>
             <string_view> <vector>)
  set(common_link)
  # With g++ every file instantiates again what the headers' inline functions want (clang does it once): 0.7 s of each for
  # JSON, 2 s for tensors, 3 s more for autograd's functions.  So what few files use is not here.
  if(NOT KANI_KERNELS_ONLY AND CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    find_package(nlohmann_json REQUIRED)
    list(APPEND common <nlohmann/json.hpp>)
    list(APPEND common_link nlohmann_json::nlohmann_json)
  endif()
  set(torch <ATen/ATen.h> <ATen/core/grad_mode.h>)
  set(test <gtest/gtest.h>)
  kani_precompile(plain HEADERS ${common} LINK ${common_link})
  if(KANI_BUILD_TESTS)
    kani_precompile(test PROGRAM HEADERS ${common} ${test} LINK ${common_link} GTest::gtest FLAGS ${KANI_TEST_FLAGS})
  endif()
  if(KANI_TRAIN)
    kani_precompile(torch HEADERS ${common} ${torch} LINK ${common_link} kani_torch)
    if(KANI_BUILD_TESTS)
      kani_precompile(torch_test PROGRAM HEADERS ${common} ${torch} ${test} LINK ${common_link} kani_torch GTest::gtest
                      FLAGS ${KANI_TEST_FLAGS})
    endif()
  endif()
endif()

# kani_library(NAME SOURCES … [TESTS …] [DEPS …] [LINK …] [TEST_DEPS …])
#   makes the static target kani_NAME; TESTS become the program kani_NAME_test; DEPS are folders of ours (public),
#   LINK are outside libraries (private), TEST_DEPS folders of ours that only the tests need; TORCH: most files include
#   LibTorch.  With KANI_UNITY eight of its files are compiled as one (also of dataset, eval, cli), so their hidden names must
#   differ: each file by itself instantiates again what the headers hold, of LibTorch's half of its time.
function(kani_library name)
  cmake_parse_arguments(arg "TORCH" "" "SOURCES;TESTS;DEPS;LINK;TEST_DEPS" ${ARGN})
  if(arg_TORCH)
    set(precompiled torch)
    set(precompiled_test torch_test)
  else()
    set(precompiled plain)
    set(precompiled_test test)
  endif()
  add_library(kani_${name} STATIC ${arg_SOURCES})
  target_link_libraries(kani_${name} PUBLIC kani_flags)
  foreach(dep IN LISTS arg_DEPS)
    target_link_libraries(kani_${name} PUBLIC kani_${dep})
  endforeach()
  target_link_libraries(kani_${name} PRIVATE ${arg_LINK})
  kani_use_precompiled(kani_${name} ${precompiled})
  # Not what has to be fast: g++ inlines less in a long file (of the tokenizer: 8 % more instructions).
  if(KANI_UNITY AND (arg_TORCH OR name MATCHES "^(dataset|eval|cli)$"))
    set_target_properties(kani_${name} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 8)
    # Members of a type from an unnamed namespace are taken for those of a header then.
    target_compile_options(kani_${name} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
  endif()
  if(KANI_BUILD_TESTS AND arg_TESTS)
    add_executable(kani_${name}_test ${arg_TESTS})
    target_link_libraries(kani_${name}_test PRIVATE kani_${name} ${arg_LINK} GTest::gtest GTest::gtest_main)
    foreach(dep IN LISTS arg_TEST_DEPS)
      target_link_libraries(kani_${name}_test PRIVATE kani_${dep})
    endforeach()
    # Tests are started in the root of the tree, so that they are the same program wherever it lies.
    target_compile_definitions(kani_${name}_test PRIVATE KANI_TEST_DATA="tests/data" KANI_SOURCE_DIR=".")
    target_compile_options(kani_${name}_test PRIVATE ${KANI_TEST_FLAGS})
    kani_use_precompiled(kani_${name}_test ${precompiled_test})
    add_test(NAME ${name} COMMAND kani_${name}_test --gtest_brief=1 WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
    # The long ones first, or one of them runs alone at the end.
    if(name MATCHES "^(train|dataset|codec)")
      set_tests_properties(${name} PROPERTIES COST 100)
    endif()
  endif()
endfunction()

# kani_isa_sources(FILES…): sets the compiler flags that a kernel file's suffix asks for (_avx2, _avx512, _avx512bf16,
# _neon, _neondot), -O3 in every build, and no exceptions: kernels never throw, and the marks of unwinding would be shared symbols.
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
    elseif(file MATCHES "_neon(dot)?\\.cc$" AND NOT CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
      continue()
    endif()
    if(file MATCHES "_neon\\.cc$")
      set_source_files_properties(${file} PROPERTIES COMPILE_OPTIONS "-O3;-fno-exceptions")
    elseif(file MATCHES "_neondot\\.cc$")
      set_source_files_properties(${file} PROPERTIES COMPILE_OPTIONS "-O3;-fno-exceptions;-march=armv8.2-a+dotprod")
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
