# The allocator of the machine (vm/base/memory.h): Debian's jemalloc under names of its own.
#
# The archive defines malloc, free and the rest, and linked as it is would replace the allocator of
# whatever program the library is part of. So a copy is made whose symbols all begin with `quelea_`,
# without the C++ operators. Sanitizers bring an allocator that knows more, and are left alone.

option(QUELEA_JEMALLOC "Take memory from a private jemalloc where there is one" ON)

add_library(dep_jemalloc INTERFACE)
find_library(QUELEA_JEMALLOC_ARCHIVE NAMES libjemalloc_pic.a)
if(QUELEA_JEMALLOC AND NOT QUELEA_SANITIZE AND QUELEA_JEMALLOC_ARCHIVE)
  set(archive "${CMAKE_BINARY_DIR}/lib/libquelea_jemalloc.a")
  quelea_private_archive(renamed "${QUELEA_JEMALLOC_ARCHIVE}" "${archive}"
    EXCEPT "^_Z|^DW$" WITHOUT jemalloc_cpp.pic.o)
  target_link_libraries(dep_jemalloc INTERFACE "${archive}" Threads::Threads ${CMAKE_DL_LIBS} m)
  target_compile_definitions(dep_jemalloc INTERFACE QUELEA_JEMALLOC=1)
endif()
