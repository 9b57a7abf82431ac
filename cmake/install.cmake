# install.cmake - what `cmake --install` lays down: the programs with manual, completions and model, and the library
# for other programs (libkani.so, headers, CMake package kani::kani, pkg-config file kani.pc).

# A shared library is not made of sanitized objects: the sanitizer would have to be in the program that loads it.
if(TARGET kani_engine AND NOT KANI_SANITIZE)
  # One shared library out of the static ones: the objects that the public headers are doors to, whole; of the rest
  # what these need.
  add_library(libkani SHARED $<TARGET_OBJECTS:kani_engine> $<TARGET_OBJECTS:kani_audio> $<TARGET_OBJECTS:kani_base>)
  set_target_properties(libkani PROPERTIES
    OUTPUT_NAME kani EXPORT_NAME kani LINKER_LANGUAGE CXX
    VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}
    LINK_DEPENDS "${PROJECT_SOURCE_DIR}/cmake/libkani.map")
  target_link_libraries(libkani PRIVATE kani_engine kani_audio kani_base)
  target_link_options(libkani PRIVATE "LINKER:--version-script=${PROJECT_SOURCE_DIR}/cmake/libkani.map"
                                      LINKER:--no-undefined)
  target_include_directories(libkani INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_compile_features(libkani INTERFACE cxx_std_20)

  install(TARGETS libkani EXPORT kani LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(DIRECTORY include/kani DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
  foreach(header IN ITEMS base/error.h base/log.h base/cancel.h audio/sound_writer.h)
    get_filename_component(folder ${header} DIRECTORY)
    install(FILES src/kani/${header} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/kani/${folder})
  endforeach()

  include(CMakePackageConfigHelpers)
  set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/kani)
  install(EXPORT kani NAMESPACE kani:: FILE kani-targets.cmake DESTINATION ${package_dir})
  configure_package_config_file(cmake/kani-config.cmake.in "${PROJECT_BINARY_DIR}/generated/kani-config.cmake"
                                INSTALL_DESTINATION ${package_dir})
  # While the major version is 0 a minor one may break callers.
  write_basic_package_version_file("${PROJECT_BINARY_DIR}/generated/kani-config-version.cmake"
                                   COMPATIBILITY SameMinorVersion)
  install(FILES "${PROJECT_BINARY_DIR}/generated/kani-config.cmake"
                "${PROJECT_BINARY_DIR}/generated/kani-config-version.cmake" DESTINATION ${package_dir})

  file(RELATIVE_PATH prefix_from_pc "/p/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/p")
  configure_file(cmake/kani.pc.in "${PROJECT_BINARY_DIR}/generated/kani.pc" @ONLY)
  install(FILES "${PROJECT_BINARY_DIR}/generated/kani.pc" DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endif()

if(TARGET kani)
  install(TARGETS kani RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  # The program prints its completions itself, so they cannot differ from its flags.
  if(NOT CMAKE_CROSSCOMPILING AND NOT KANI_SANITIZE)
    set(completions "${PROJECT_BINARY_DIR}/generated/completions")
    set(files "")
    foreach(shell_file IN ITEMS bash/kani zsh/_kani fish/kani.fish)
      get_filename_component(shell ${shell_file} DIRECTORY)
      add_custom_command(OUTPUT "${completions}/${shell_file}" DEPENDS kani VERBATIM COMMENT "Completions for ${shell}"
        COMMAND "${CMAKE_COMMAND}" -E make_directory "${completions}/${shell}"
        COMMAND kani completion ${shell} > "${completions}/${shell_file}")
      list(APPEND files "${completions}/${shell_file}")
    endforeach()
    add_custom_target(kani_completions ALL DEPENDS ${files})
    install(FILES "${completions}/bash/kani" DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
    install(FILES "${completions}/zsh/_kani" DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
    install(FILES "${completions}/fish/kani.fish" DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
  endif()
endif()
# What `kani data` and `kani train` become.  Arrow and LibTorch are not installed: the programs find them where they were
# when they were built.
foreach(program IN ITEMS kani-data kani-train)
  if(TARGET ${program})
    if(program STREQUAL "kani-train")
      set_target_properties(${program} PROPERTIES INSTALL_RPATH "${KANI_LIBTORCH}/torch/lib")
    elseif(KANI_ARROW_FOUND)
      set_target_properties(${program} PROPERTIES INSTALL_RPATH "${KANI_ARROW_DIR}/pyarrow")
    endif()
    install(TARGETS ${program} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  endif()
endforeach()
install(DIRECTORY docs/man/ DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 FILES_MATCHING PATTERN "*.1")
install(DIRECTORY models/kani-mini DESTINATION ${CMAKE_INSTALL_DATADIR}/kani/models)
install(FILES LICENSE NOTICE README.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
