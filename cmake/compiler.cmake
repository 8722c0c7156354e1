# Language level, warnings, hardening and sanitizers, as one interface target.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 14)
  message(FATAL_ERROR
    "GCC ${CMAKE_CXX_COMPILER_VERSION} miscompiles ordinary co_await code (temporaries destroyed
      twice, "
    "see docs/adr/0001-clang-19.md). Use Clang 19: cmake --preset release, or CXX=clang++-19.")
endif()

set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})

option(OFFPEAK_TESTS "Build the unit tests" ON)
option(OFFPEAK_BENCH "Build the benchmarks" OFF)
option(OFFPEAK_FUZZ "Link the fuzz targets to libFuzzer" OFF)
set(OFFPEAK_SANITIZE "" CACHE STRING "Sanitizers, comma separated (address,undefined or thread)")

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

add_library(offpeak_flags INTERFACE)
target_include_directories(offpeak_flags INTERFACE ${CMAKE_SOURCE_DIR}/src)
target_compile_options(offpeak_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wimplicit-fallthrough
    -Wno-missing-designated-field-initializers
  -Wno-missing-field-initializers -Werror
  -fstack-protector-strong -fno-omit-frame-pointer)
target_compile_definitions(offpeak_flags INTERFACE
  OFFPEAK_VERSION="${PROJECT_VERSION}"
  BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION
  SPDLOG_FMT_EXTERNAL)
target_link_options(offpeak_flags INTERFACE -fuse-ld=lld -Wl,-z,relro,-z,now)
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  target_compile_options(offpeak_flags INTERFACE -fstack-clash-protection -fcf-protection)
  target_compile_definitions(offpeak_flags INTERFACE _FORTIFY_SOURCE=2 _GLIBCXX_ASSERTIONS)
  target_link_options(offpeak_flags INTERFACE -pie)
endif()
if(OFFPEAK_SANITIZE)
  target_compile_options(offpeak_flags INTERFACE -fsanitize=${OFFPEAK_SANITIZE}
    -fno-sanitize-recover=all)
  target_link_options(offpeak_flags INTERFACE -fsanitize=${OFFPEAK_SANITIZE})
endif()
if(OFFPEAK_FUZZ)
  target_compile_options(offpeak_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
