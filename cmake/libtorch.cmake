# libtorch.cmake - LibTorch out of the Python package that tools/libtorch.sh lays into build/libtorch, with KANI_CUDA into
# build/libtorch-cuda: target kani_torch.
# Linked by hand: the package's own CMake files demand a CUDA toolkit even for programs without CUDA.
if(KANI_CUDA)
  set(libtorch_folder libtorch-cuda)
else()
  set(libtorch_folder libtorch)
endif()
set(KANI_LIBTORCH "${PROJECT_SOURCE_DIR}/build/${libtorch_folder}" CACHE PATH "Folder that holds the Python package torch")
if(NOT EXISTS "${KANI_LIBTORCH}/torch/lib/libtorch_cpu.so")
  message(FATAL_ERROR "no LibTorch in ${KANI_LIBTORCH}: tools/libtorch.sh installs it, with --cuda for KANI_CUDA")
endif()
# LibTorch's header of the Gloo group includes Gloo's own, which its package lacks.
find_path(KANI_GLOO_INCLUDE gloo/algorithm.h HINTS "${KANI_LIBTORCH}/torch/include" DOC "Folder with Gloo's headers")
if(NOT KANI_GLOO_INCLUDE)
  message(FATAL_ERROR "the trainer needs the headers of Gloo (gloo/algorithm.h): apt-get install libgloo-dev, or run "
                      "tools/libtorch.sh again, which installs what is missing")
endif()
set(torch_lib "${KANI_LIBTORCH}/torch/lib")
add_library(kani_torch INTERFACE)
target_include_directories(kani_torch SYSTEM INTERFACE "${KANI_LIBTORCH}/torch/include"
                                                       "${KANI_LIBTORCH}/torch/include/torch/csrc/api/include"
                                                       "${KANI_GLOO_INCLUDE}")
target_compile_definitions(kani_torch INTERFACE USE_DISTRIBUTED USE_C10D_GLOO)
target_link_libraries(kani_torch INTERFACE "${torch_lib}/libtorch_cpu.so" "${torch_lib}/libc10.so")
# The package's libraries find each other by paths relative to themselves; what they need of CUDA is not ours to link.
target_link_options(kani_torch INTERFACE "LINKER:-rpath,${torch_lib}" LINKER:--allow-shlib-undefined
                                         LINKER:--unresolved-symbols=ignore-in-shared-libs)
if(KANI_CUDA)
  set(nvidia "${KANI_LIBTORCH}/nvidia")
  target_include_directories(kani_torch SYSTEM INTERFACE "${nvidia}/cu13/include" "${nvidia}/nccl/include")
  target_compile_definitions(kani_torch INTERFACE USE_C10D_NCCL USE_CUDA)
  # libtorch_cuda registers the operations on GPUs when it is loaded; no symbol of it asks for that.
  target_link_libraries(kani_torch INTERFACE "-Wl,--push-state,--no-as-needed" "${torch_lib}/libtorch_cuda.so"
                                             "${torch_lib}/libc10_cuda.so" "-Wl,--pop-state"
                                             "${nvidia}/cu13/lib/libcudart.so.13")
  target_link_options(kani_torch INTERFACE "LINKER:-rpath,${nvidia}/cu13/lib:${nvidia}/nccl/lib:${nvidia}/cudnn/lib")
endif()
