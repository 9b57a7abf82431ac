# aarch64.cmake - toolchain: cross-compiles from any Debian or Ubuntu machine for 64-bit ARM and runs the result under
# qemu-user.  Needs g++-aarch64-linux-gnu, qemu-user, and for the whole program the folder that tools/arm64_root.sh makes:
# libraries, headers and googletest of that architecture, and of this machine nothing.  Without the folder there is only
# what needs no outside libraries (preset aarch64-kernels), with the sources of googletest.
# The preset takes -O1: a fifth off the compile time, and kernels have their own -O3 (kani_isa_sources).
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
get_filename_component(arm64_root "${CMAKE_CURRENT_LIST_DIR}/../build/arm64-root" ABSOLUTE)
if(EXISTS "${arm64_root}/packages")
  set(CMAKE_SYSROOT "${arm64_root}")
  set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
  set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
  set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
  set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
  set(ENV{PKG_CONFIG_SYSROOT_DIR} "${arm64_root}")
  set(ENV{PKG_CONFIG_LIBDIR} "${arm64_root}/usr/lib/aarch64-linux-gnu/pkgconfig:${arm64_root}/usr/share/pkgconfig")
  set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64;-L;${arm64_root})
else()
  set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64;-L;/usr/aarch64-linux-gnu)
  # Headers without machine code (nlohmann-json) come from the host's /usr/include, searched after the compiler's own.
  set(CMAKE_CXX_FLAGS_INIT "-idirafter /usr/include")
  set(CMAKE_CXX_IMPLICIT_INCLUDE_DIRECTORIES /usr/include)
endif()
