# GMP under names of its own, without the three pointers to the functions that give it memory: those
# are the machine's (vm/base/gmp_memory.cpp). GMP has one set of them for a whole program, and it is not
# for a library to change that of its host. `quelea_gmp_names.h` renames what gmp.h declares
# (vm/base/gmp.h).

find_path(QUELEA_GMP_INCLUDE gmp.h REQUIRED)
find_library(QUELEA_GMP_ARCHIVE NAMES libgmp.a REQUIRED)
set(archive "${CMAKE_BINARY_DIR}/lib/libquelea_gmp.a")
quelea_private_archive(renamed "${QUELEA_GMP_ARCHIVE}" "${archive}" WITHOUT memory.o)
set(names "#pragma once\n")
foreach(symbol IN LISTS renamed)
  string(APPEND names "#define ${symbol} quelea_${symbol}\n")
endforeach()
file(CONFIGURE OUTPUT "${CMAKE_BINARY_DIR}/include/quelea_gmp_names.h" CONTENT "${names}" @ONLY)

add_library(dep_gmp INTERFACE)
target_link_libraries(dep_gmp INTERFACE "${archive}")
target_include_directories(dep_gmp SYSTEM INTERFACE "${QUELEA_GMP_INCLUDE}"
  "${CMAKE_BINARY_DIR}/include")
