# The layer check: scans the #include "..." lines of the tree and fails where a layer is crossed. It
# runs when the tree is configured and, through the `check_layers` target, whenever a source changes.
#
# The layers of the machine, low to high; a file may include its own layer and those before it:
set(QUELEA_VM_LAYERS base term code heap proc sched interp native io api)

# What one file may include, as a list of regular expressions over paths from the root of the tree.
function(quelea_allowed_includes path var)
  if(path MATCHES "^vm/include/")
    set(allowed "^quelea/")
  elseif(path MATCHES "^vm/api/")
    set(allowed "^vm/" "^compiler/" "^quelea/")
  elseif(path MATCHES "^vm/code/")
    set(allowed "^vm/(base|term|code)/")
  elseif(path MATCHES "^vm/([a-z]+)/")
    set(below)
    foreach(layer IN LISTS QUELEA_VM_LAYERS)
      list(APPEND below ${layer})
      if(layer STREQUAL CMAKE_MATCH_1)
        break()
      endif()
    endforeach()
    list(JOIN below "|" below)
    # vm/native/native.h says how a native function looks; the interpreter calls them by it.
    set(allowed "^vm/(${below})/" "^vm/native/native\\.h$")
  elseif(path MATCHES "^compiler/")
    set(allowed "^compiler/" "^vm/base/" "^vm/code/" "\\.def$")
  elseif(path MATCHES "^tools/quelea/")
    set(allowed "^tools/quelea/" "^quelea/" "^vm/include/quelea/")
  else()
    set(allowed ".")
  endif()
  set(${var} ${allowed} PARENT_SCOPE)
endfunction()

# Sets `var` to the list of violations found under `root`.
function(quelea_find_layer_violations root var)
  file(GLOB_RECURSE files RELATIVE "${root}"
    "${root}/vm/*.h" "${root}/vm/*.cpp" "${root}/vm/*.def" "${root}/vm/*.inc"
    "${root}/compiler/*.h" "${root}/compiler/*.cpp"
    "${root}/tools/quelea/*.h" "${root}/tools/quelea/*.cpp")
  set(violations)
  foreach(path IN LISTS files)
    quelea_allowed_includes("${path}" allowed)
    file(STRINGS "${root}/${path}" lines REGEX "^[ \t]*#[ \t]*include[ \t]*\"")
    foreach(line IN LISTS lines)
      string(REGEX REPLACE "^[ \t]*#[ \t]*include[ \t]*\"([^\"]*)\".*" "\\1" included "${line}")
      set(ok FALSE)
      foreach(pattern IN LISTS allowed)
        if(included MATCHES "${pattern}")
          set(ok TRUE)
        endif()
      endforeach()
      if(NOT ok)
        list(APPEND violations "${path} includes ${included}")
      endif()
    endforeach()
  endforeach()
  set(${var} "${violations}" PARENT_SCOPE)
endfunction()

function(quelea_check_layers root)
  quelea_find_layer_violations("${root}" violations)
  if(violations)
    list(JOIN violations "\n  " text)
    message(FATAL_ERROR "A layer is crossed (tools/cmake/layers.cmake says what may include what):"
      "\n  ${text}\n")
  endif()
endfunction()

if(CMAKE_SCRIPT_MODE_FILE)
  # cmake -DROOT=... [-DSTAMP=...] -P layers.cmake
  quelea_check_layers("${ROOT}")
  if(STAMP)
    file(TOUCH "${STAMP}")
  endif()
else()
  quelea_check_layers("${CMAKE_SOURCE_DIR}")
  file(GLOB_RECURSE quelea_all_sources CONFIGURE_DEPENDS
    "${CMAKE_SOURCE_DIR}/vm/*.h" "${CMAKE_SOURCE_DIR}/vm/*.cpp"
    "${CMAKE_SOURCE_DIR}/compiler/*.h" "${CMAKE_SOURCE_DIR}/compiler/*.cpp"
    "${CMAKE_SOURCE_DIR}/tools/quelea/*.h" "${CMAKE_SOURCE_DIR}/tools/quelea/*.cpp")
  add_custom_command(OUTPUT "${CMAKE_BINARY_DIR}/layers.stamp"
    COMMAND "${CMAKE_COMMAND}" "-DROOT=${CMAKE_SOURCE_DIR}"
            "-DSTAMP=${CMAKE_BINARY_DIR}/layers.stamp"
            -P "${CMAKE_SOURCE_DIR}/tools/cmake/layers.cmake"
    DEPENDS ${quelea_all_sources} "${CMAKE_SOURCE_DIR}/tools/cmake/layers.cmake"
    COMMENT "Checking the layers" VERBATIM)
  add_custom_target(check_layers ALL DEPENDS "${CMAKE_BINARY_DIR}/layers.stamp")
endif()
