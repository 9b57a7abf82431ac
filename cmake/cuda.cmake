# cuda.cmake - CUDA kernels, compiled by nvcc called directly: CMake's own support for the language wants to link and run
# a program, which a machine without a toolkit of its own cannot.  The compiler: CUDACXX, nvcc on the PATH, or what
# tools/cuda_compiler.sh laid into build/cuda.
set(KANI_CUDA_ARCHITECTURES "80;90" CACHE STRING "GPUs to compile for; the last one also as PTX for later ones")
find_program(KANI_NVCC NAMES "$ENV{CUDACXX}" nvcc PATHS "${PROJECT_SOURCE_DIR}/build/cuda/bin"
             DOC "CUDA compiler of release 13")
if(KANI_CUDA AND NOT KANI_NVCC)
  message(FATAL_ERROR "KANI_CUDA needs nvcc: tools/cuda_compiler.sh installs it")
endif()

# kani_cuda_objects(TARGET FILES…): the custom target TARGET makes an object of each .cu file, for all GPUs of the list;
# their paths are returned in KANI_CUDA_OBJECTS.  Nothing without a compiler.
function(kani_cuda_objects target)
  if(NOT KANI_NVCC)
    return()
  endif()
  set(flags -std=c++20 -O3 -Werror all-warnings -Xptxas=--warning-as-error
            -Xcompiler=-fPIC,-Wall,-Wextra,-Werror -I "${PROJECT_SOURCE_DIR}/src")
  foreach(architecture IN LISTS KANI_CUDA_ARCHITECTURES)
    list(APPEND flags -gencode "arch=compute_${architecture},code=sm_${architecture}")
  endforeach()
  list(GET KANI_CUDA_ARCHITECTURES -1 last)
  list(APPEND flags -gencode "arch=compute_${last},code=compute_${last}")
  set(objects "")
  foreach(file IN LISTS ARGN)
    set(object "${CMAKE_CURRENT_BINARY_DIR}/${file}.o")
    get_filename_component(folder "${object}" DIRECTORY)
    file(MAKE_DIRECTORY "${folder}")
    add_custom_command(OUTPUT "${object}" DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/${file}" DEPFILE "${object}.d" VERBATIM
                       COMMAND "${KANI_NVCC}" ${flags} -MD -MF "${object}.d" -c "${CMAKE_CURRENT_SOURCE_DIR}/${file}"
                               -o "${object}"
                       COMMENT "nvcc ${file}")
    list(APPEND objects "${object}")
  endforeach()
  add_custom_target(${target} DEPENDS ${objects})
  set(KANI_CUDA_OBJECTS ${objects} PARENT_SCOPE)
endfunction()
