# version.cmake - makes <build>/generated/kani/version.h and the target kani_version that carries its folder.
# The header is looked at in every build but written only when it would change, so a commit recompiles the one file
# that includes it (src/kani/engine), not everything.  Run as a script (cmake -P) it does the looking.

if(CMAKE_SCRIPT_MODE_FILE)
  execute_process(COMMAND git -C "${SOURCE_DIR}" describe --always --dirty --abbrev=12 --exclude=*
                  OUTPUT_VARIABLE KANI_COMMIT OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE status ERROR_QUIET)
  if(NOT status EQUAL 0)
    set(KANI_COMMIT "unknown")  # a source archive, or a folder of another owner
  endif()
  configure_file("${SOURCE_DIR}/cmake/version.h.in" "${OUTPUT}" @ONLY)
  return()
endif()

set(KANI_VERSION_HEADER "${PROJECT_BINARY_DIR}/generated/kani/version.h")
add_custom_target(kani_version_header
  COMMAND "${CMAKE_COMMAND}" "-DSOURCE_DIR=${PROJECT_SOURCE_DIR}" "-DOUTPUT=${KANI_VERSION_HEADER}"
          "-DKANI_VERSION=${PROJECT_VERSION}" "-DKANI_COMPILER=${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}"
          "-DKANI_BUILD_TYPE=${CMAKE_BUILD_TYPE}" -P "${CMAKE_CURRENT_LIST_FILE}"
  BYPRODUCTS "${KANI_VERSION_HEADER}" COMMENT "Version header" VERBATIM)
add_library(kani_version INTERFACE)
target_include_directories(kani_version INTERFACE "${PROJECT_BINARY_DIR}/generated")
add_dependencies(kani_version kani_version_header)
