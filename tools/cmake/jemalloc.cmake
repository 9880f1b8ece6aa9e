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
  if(NOT EXISTS "${archive}")
    execute_process(COMMAND ${CMAKE_NM} -g --defined-only "${QUELEA_JEMALLOC_ARCHIVE}"
      OUTPUT_VARIABLE symbols ERROR_QUIET COMMAND_ERROR_IS_FATAL ANY)
    string(REGEX MATCHALL "[0-9a-f]+ [A-Z] [A-Za-z_0-9]+" symbols "${symbols}")
    set(renames)
    foreach(symbol IN LISTS symbols)
      string(REGEX REPLACE ".* " "" symbol "${symbol}")
      if(NOT symbol MATCHES "^_Z|^DW$")
        string(APPEND renames "${symbol} quelea_${symbol}\n")
      endif()
    endforeach()
    file(WRITE "${CMAKE_BINARY_DIR}/lib/jemalloc.symbols" "${renames}")
    execute_process(
      COMMAND ${CMAKE_OBJCOPY} "--redefine-syms=${CMAKE_BINARY_DIR}/lib/jemalloc.symbols"
        "${QUELEA_JEMALLOC_ARCHIVE}" "${archive}.new"
      COMMAND_ERROR_IS_FATAL ANY)
    execute_process(COMMAND ${CMAKE_AR} d "${archive}.new" jemalloc_cpp.pic.o
      COMMAND_ERROR_IS_FATAL ANY)
    file(RENAME "${archive}.new" "${archive}")
  endif()
  target_link_libraries(dep_jemalloc INTERFACE "${archive}" Threads::Threads ${CMAKE_DL_LIBS} m)
  target_compile_definitions(dep_jemalloc INTERFACE QUELEA_JEMALLOC=1)
endif()
