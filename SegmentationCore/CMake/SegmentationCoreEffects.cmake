# What CMake knows about effects: their list, the generated files, and the check that none is half done.
include_guard(GLOBAL)

set(SEGMENTATIONCORE_EFFECTS_DIR "${PROJECT_SOURCE_DIR}/SegmentationCore/Effects")
set(SEGMENTATIONCORE_GENERATOR "${PROJECT_SOURCE_DIR}/SegmentationCore/CMake/generate_effects.py")

# Runs the generator now; stops the configure step with its message if a declaration is wrong.
#   segmentationcore_generate(<generator options>...)
function (segmentationcore_generate)
  execute_process(
    COMMAND "${Python3_EXECUTABLE}" "${SEGMENTATIONCORE_GENERATOR}"
      --effects "${SEGMENTATIONCORE_EFFECTS_DIR}" ${ARGN}
    OUTPUT_VARIABLE _output
    ERROR_VARIABLE _error
    RESULT_VARIABLE _result)
  if (_result)
    message(FATAL_ERROR "${_error}")
  endif ()
  set(SEGMENTATIONCORE_GENERATED "${_output}" PARENT_SCOPE)
endfunction ()

# Stops the configure step if a declared effect has no filter or lacks one of its two tests, and makes
# CMake look again when a declaration changes or appears.
function (segmentationcore_check_effects)
  file(GLOB _declarations CONFIGURE_DEPENDS "${SEGMENTATIONCORE_EFFECTS_DIR}/*.json")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
    ${_declarations} "${SEGMENTATIONCORE_GENERATOR}")
  segmentationcore_generate(--list)
  separate_arguments(_effects UNIX_COMMAND "${SEGMENTATIONCORE_GENERATED}")
  foreach (_effect IN LISTS _effects)
    string(REPLACE ":" ";" _pair "${_effect}")
    list(GET _pair 0 _identifier)
    list(GET _pair 1 _class)
    string(REGEX REPLACE "^vtk" "Test" _test "${_class}")
    foreach (_file IN ITEMS
        "SegmentationCore/Filters/${_class}.h"
        "SegmentationCore/Filters/${_class}.cxx"
        "Testing/Cxx/Effects/${_test}.cxx"
        "Testing/Python/test_${_identifier}.py")
      # A source distribution carries no tests.
      if (_file MATCHES "^Testing" AND NOT EXISTS "${PROJECT_SOURCE_DIR}/Testing")
        continue ()
      endif ()
      if (NOT EXISTS "${PROJECT_SOURCE_DIR}/${_file}")
        message(FATAL_ERROR "Effect '${_identifier}' (Effects/${_identifier}.json) needs the file "
          "${_file}, which does not exist. CONTRIBUTING.md lists what an effect consists of.")
      endif ()
    endforeach ()
  endforeach ()
endfunction ()

# Where libraries go: beside the Python modules in a wheel, the usual place elsewhere. A macro, because
# it sets the variables that vtk_module_build reads.
macro (segmentationcore_library_layout)
  if (SEGMENTATIONCORE_PRODUCT STREQUAL "wheel")
    set(SEGMENTATIONCORE_LIBRARY_DESTINATION "segmentationcore")
    set(SEGMENTATIONCORE_INSTALL_DEVELOPMENT OFF)
    # The libraries lie in segmentationcore/, VTK's in the sibling folder vtkmodules/.
    set(CMAKE_INSTALL_RPATH "$ORIGIN;$ORIGIN/../vtkmodules")
  else ()
    set(SEGMENTATIONCORE_LIBRARY_DESTINATION "${CMAKE_INSTALL_LIBDIR}")
    set(SEGMENTATIONCORE_INSTALL_DEVELOPMENT ON)
    set(CMAKE_INSTALL_RPATH "$ORIGIN")
  endif ()
  set(CMAKE_LIBRARY_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/lib")
  set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")
endmacro ()
