# A copy of a static library for the machine alone: all that it defines is renamed to `quelea_…`, so
# that the host, or another part of it, may have the same library as it is.
#
#   quelea_private_archive(VAR FROM TO EXCEPT REGEX WITHOUT MEMBER...)
#
# makes TO from FROM when the build is configured first. VAR becomes the renamed symbols. EXCEPT keeps
# their names; what is WITHOUT is left out, and somebody else defines what it did.
function(quelea_private_archive var from to)
  cmake_parse_arguments(arg "" "EXCEPT" "WITHOUT" ${ARGN})
  execute_process(COMMAND ${CMAKE_NM} -g --defined-only "${from}"
    OUTPUT_VARIABLE found ERROR_QUIET COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX MATCHALL "[0-9a-f]+ [A-Z] [A-Za-z_0-9]+" found "${found}")
  list(TRANSFORM found REPLACE ".* " "")
  list(REMOVE_DUPLICATES found)
  if(arg_EXCEPT)
    list(FILTER found EXCLUDE REGEX "${arg_EXCEPT}")
  endif()
  if(NOT EXISTS "${to}")
    set(renames)
    foreach(symbol IN LISTS found)
      string(APPEND renames "${symbol} quelea_${symbol}\n")
    endforeach()
    file(WRITE "${to}.symbols" "${renames}")
    execute_process(COMMAND ${CMAKE_OBJCOPY} "--redefine-syms=${to}.symbols" "${from}" "${to}.new"
      COMMAND_ERROR_IS_FATAL ANY)
    execute_process(COMMAND ${CMAKE_AR} d "${to}.new" ${arg_WITHOUT} COMMAND_ERROR_IS_FATAL ANY)
    file(RENAME "${to}.new" "${to}")
  endif()
  set(${var} "${found}" PARENT_SCOPE)
endfunction()
