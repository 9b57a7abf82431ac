# arrow.cmake - finds Apache Arrow and its Parquet reader where tools/arrow.sh puts them: the pyarrow wheel, which has
# headers and versioned libraries but no CMake files.  Sets KANI_ARROW_FOUND and makes the target kani_arrow.
# Not here: any other Arrow; headers and library must be of one version, and only the wheel's are tested.

set(KANI_ARROW AUTO CACHE STRING "Parquet and Hugging Face data sets: AUTO (if tools/arrow.sh was run), ON or OFF")
set_property(CACHE KANI_ARROW PROPERTY STRINGS AUTO ON OFF)
set(KANI_ARROW_DIR "${PROJECT_SOURCE_DIR}/build/pyarrow" CACHE PATH "Where tools/arrow.sh put the wheel")
set(KANI_ARROW_FOUND OFF)

if(KANI_ARROW STREQUAL "AUTO" OR KANI_ARROW)
  set(package "${KANI_ARROW_DIR}/pyarrow")
  file(GLOB arrow_library "${package}/libarrow.so.*")
  file(GLOB parquet_library "${package}/libparquet.so.*")
  list(LENGTH arrow_library arrow_count)
  list(LENGTH parquet_library parquet_count)
  if(EXISTS "${package}/include/arrow/api.h" AND arrow_count EQUAL 1 AND parquet_count EQUAL 1
     AND NOT CMAKE_CROSSCOMPILING)
    set(KANI_ARROW_FOUND ON)
    add_library(kani_arrow_core SHARED IMPORTED)
    add_library(kani_arrow_parquet SHARED IMPORTED)
    set_target_properties(kani_arrow_core PROPERTIES IMPORTED_LOCATION "${arrow_library}"
                          INTERFACE_INCLUDE_DIRECTORIES "${package}/include")
    set_target_properties(kani_arrow_parquet PROPERTIES IMPORTED_LOCATION "${parquet_library}"
                          INTERFACE_INCLUDE_DIRECTORIES "${package}/include")
    # CMake writes the folder of an imported library into the RPATH of what is built; nothing is to be set in the shell.
    add_library(kani_arrow INTERFACE)
    target_link_libraries(kani_arrow INTERFACE kani_arrow_parquet kani_arrow_core)
    message(STATUS "Arrow: ${arrow_library}")
  elseif(NOT KANI_ARROW STREQUAL "AUTO")
    message(FATAL_ERROR "KANI_ARROW is ON but ${package} does not hold Arrow: run tools/arrow.sh")
  endif()
endif()
