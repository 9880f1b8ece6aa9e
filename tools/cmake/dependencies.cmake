# The kept libraries. The static form is taken where there is one: each shared library costs start-up
# time, and `quelea` has five milliseconds in all.

find_package(Threads REQUIRED)

function(quelea_library target header)
  cmake_parse_arguments(arg "" "" "NAMES" ${ARGN})
  find_path(${target}_INCLUDE ${header} REQUIRED)
  find_library(${target}_LIBRARY NAMES ${arg_NAMES} REQUIRED)
  add_library(${target} UNKNOWN IMPORTED GLOBAL)
  set_target_properties(${target} PROPERTIES
    IMPORTED_LOCATION "${${target}_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${${target}_INCLUDE}")
endfunction()

quelea_library(dep_uv uv.h NAMES libuv_a.a uv)
quelea_library(dep_pcre2 pcre2.h NAMES libpcre2-8.a pcre2-8)
quelea_library(dep_utf8proc utf8proc.h NAMES libutf8proc.a utf8proc)
quelea_library(dep_zlib zlib.h NAMES libz.a z)
quelea_library(dep_crypto openssl/evp.h NAMES libcrypto.a crypto)
# Boost.JSON's parser is templates: there is nothing to link (vm/native/json_reader.cpp).
find_path(QUELEA_BOOST_JSON_INCLUDE boost/json/basic_parser_impl.hpp REQUIRED)
add_library(dep_boost_json INTERFACE)
target_include_directories(dep_boost_json SYSTEM INTERFACE "${QUELEA_BOOST_JSON_INCLUDE}")
target_compile_definitions(dep_utf8proc INTERFACE UTF8PROC_STATIC)
set_target_properties(dep_uv PROPERTIES INTERFACE_LINK_LIBRARIES "Threads::Threads;${CMAKE_DL_LIBS}")
set_target_properties(dep_crypto PROPERTIES INTERFACE_LINK_LIBRARIES
  "Threads::Threads;${CMAKE_DL_LIBS}")
