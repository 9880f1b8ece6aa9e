# Compiler settings that hold for the whole tree, and the switches that presets set.

option(QUELEA_TESTS "Build the unit tests and fuzz targets" ON)
option(QUELEA_GCSTRESS "Collect and move at every allocation" OFF)
option(QUELEA_LTO "Link-time optimisation" OFF)
option(QUELEA_LIBFUZZER "Build fuzz targets for libFuzzer (clang only)" OFF)
option(QUELEA_TOGETHER "Compile several files as one" OFF)
set(QUELEA_SANITIZE "" CACHE STRING "Sanitizers, for example address,undefined")

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g")
set(CMAKE_C_FLAGS_RELEASE "-O2 -DNDEBUG")

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()

# What ccache does not know yet is compiled at once (depend mode: no preprocessing first), and it
# takes precompiled headers for what they are.
find_program(QUELEA_CCACHE ccache)
if(QUELEA_CCACHE)
  set(launcher env CCACHE_DEPEND=1 CCACHE_SLOPPINESS=pch_defines,time_macros "${QUELEA_CCACHE}")
  set(CMAKE_C_COMPILER_LAUNCHER "${launcher}")
  set(CMAKE_CXX_COMPILER_LAUNCHER "${launcher}")
endif()

# Every target of the tree links this one for its warnings, include root and link settings.
add_library(quelea_options INTERFACE)
target_include_directories(quelea_options INTERFACE "${CMAKE_SOURCE_DIR}")
target_compile_options(quelea_options INTERFACE -Wall -Wextra)

find_program(QUELEA_MOLD mold)
find_program(QUELEA_LLD ld.lld)
if(QUELEA_MOLD AND NOT QUELEA_LTO)
  target_link_options(quelea_options INTERFACE -fuse-ld=mold)
elseif(QUELEA_LLD AND NOT QUELEA_LTO)
  target_link_options(quelea_options INTERFACE -fuse-ld=lld)
endif()

if(QUELEA_SANITIZE)
  target_compile_options(quelea_options INTERFACE -fsanitize=${QUELEA_SANITIZE}
    $<$<BOOL:$<TARGET_PROPERTY:QUELEA_COMPILE_QUICKLY>>:-fno-sanitize=undefined>
    -fno-omit-frame-pointer -fno-sanitize-recover=undefined)
  target_link_options(quelea_options INTERFACE -fsanitize=${QUELEA_SANITIZE})
else()
  # The C++ run-time library is linked in: one file less to find and map at start-up.
  target_link_options(quelea_options INTERFACE -static-libstdc++ -static-libgcc
    -Wl,--as-needed -Wl,--gc-sections)
  target_compile_options(quelea_options INTERFACE -ffunction-sections -fdata-sections)
endif()

if(QUELEA_LIBFUZZER)
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "QUELEA_LIBFUZZER needs clang: configure with CXX=clang++")
  endif()
  target_compile_options(quelea_options INTERFACE -fsanitize=fuzzer-no-link)
  target_link_options(quelea_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

if(QUELEA_GCSTRESS)
  target_compile_definitions(quelea_options INTERFACE QUELEA_GCSTRESS=1)
endif()

# Tail-called handlers need optimised sibling calls. Debug and sanitizer builds run the loop in which
# a handler returns the next handler instead.
if(QUELEA_SANITIZE OR CMAKE_BUILD_TYPE STREQUAL "Debug")
  set(QUELEA_TAIL_HANDLERS OFF)
else()
  set(QUELEA_TAIL_HANDLERS ON)
endif()
target_compile_definitions(quelea_options INTERFACE
  QUELEA_TAIL_HANDLERS=$<BOOL:${QUELEA_TAIL_HANDLERS}>)

if(QUELEA_LTO)
  include(CheckIPOSupported)
  check_ipo_supported()
  set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ON)
endif()

# The headers that most files begin with take 0.3 s of the 0.9 to 2.5 that a file takes, Catch2 0.6 of
# a unit test's: they are read once.
set(QUELEA_COMMON_HEADERS <algorithm> <atomic> <cstdint> <cstring> <memory> <mutex> <span> <string>
  <string_view> <utility> <vector>)

# Tests and tools are not what sanitizers are to look at, and took more than half of the time of a
# sanitizer build: there they are not optimised, nor checked for undefined behaviour.
function(quelea_compile_quickly target)
  if(QUELEA_SANITIZE)
    set_target_properties(${target} PROPERTIES QUELEA_COMPILE_QUICKLY ON)
    target_compile_options(${target} PRIVATE -O0)
  endif()
endfunction()

# Most of a file's time goes into headers and templates. Builds that only tests use take eight files
# of a library for one, in half of the time; what two of them call by one name gets another there.
function(quelea_compile_together target)
  if(QUELEA_TOGETHER)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 8)
  endif()
endfunction()

# Sources of a layer group: quelea_sources(VAR DIR...) finds *.cpp in the folders, recursively.
function(quelea_sources var)
  set(found)
  foreach(dir IN LISTS ARGN)
    file(GLOB_RECURSE files CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/${dir}/*.cpp")
    list(APPEND found ${files})
  endforeach()
  set(${var} ${found} PARENT_SCOPE)
endfunction()
