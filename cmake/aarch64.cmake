# aarch64.cmake - toolchain: cross-compiles from any Debian or Ubuntu machine for 64-bit ARM and runs the result under
# qemu-user.  Meant for the folders without outside libraries (KANI_FOLDERS=base;quant;backend): the NEON kernels'
# tests.  Needs g++-aarch64-linux-gnu, qemu-user, googletest (sources).
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64;-L;/usr/aarch64-linux-gnu)
# Headers without machine code (nlohmann-json) come from the host's /usr/include, searched after the compiler's own.
set(CMAKE_CXX_FLAGS_INIT "-idirafter /usr/include")
set(CMAKE_CXX_IMPLICIT_INCLUDE_DIRECTORIES /usr/include)
