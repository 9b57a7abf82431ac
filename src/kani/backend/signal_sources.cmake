# signal_sources.cmake - sources and tests of the codec's operations; CMakeLists.txt builds them.
set(KANI_SIGNAL_SOURCES
    cpu/signal_ops_cpu.cc cpu/packed_weights.cc cpu/split_conv.cc cpu/kernels/signal_scalar.cc cpu/kernels/signal_avx2.cc
    cpu/kernels/signal_avx512.cc cpu/kernels/signal_avx512vnni.cc cpu/kernels/signal_avx512bf16.cc
    cpu/kernels/signal_neon.cc)
set(KANI_SIGNAL_TESTS cpu/signal_kernels_test.cc cpu/signal_ops_test.cc cpu/split_conv_test.cc)
