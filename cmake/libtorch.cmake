# libtorch.cmake - LibTorch out of the Python package that tools/libtorch.sh lays into build/libtorch: target kani_torch.
# Linked by hand: the package's own CMake files demand a CUDA toolkit even for programs without CUDA.
set(KANI_LIBTORCH "${PROJECT_SOURCE_DIR}/build/libtorch" CACHE PATH "Folder that holds the Python package torch")
if(NOT EXISTS "${KANI_LIBTORCH}/torch/lib/libtorch_cpu.so")
  message(FATAL_ERROR "no LibTorch in ${KANI_LIBTORCH}: tools/libtorch.sh installs it")
endif()
set(torch_lib "${KANI_LIBTORCH}/torch/lib")
add_library(kani_torch INTERFACE)
target_include_directories(kani_torch SYSTEM INTERFACE "${KANI_LIBTORCH}/torch/include"
                                                       "${KANI_LIBTORCH}/torch/include/torch/csrc/api/include")
target_compile_definitions(kani_torch INTERFACE USE_DISTRIBUTED USE_C10D_GLOO)
target_link_libraries(kani_torch INTERFACE "${torch_lib}/libtorch_cpu.so" "${torch_lib}/libc10.so")
# The package's libraries find each other by paths relative to themselves; what they need of CUDA is not ours to link.
target_link_options(kani_torch INTERFACE "LINKER:-rpath,${torch_lib}" LINKER:--allow-shlib-undefined
                                         LINKER:--unresolved-symbols=ignore-in-shared-libs)
