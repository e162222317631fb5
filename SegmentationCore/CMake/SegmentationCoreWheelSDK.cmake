# Finds the VTK that a wheel is built against: the one in PyPI's vtk package. Three ways, in this order:
#
#   1. VTK_DIR is set (handled by the caller), for example to an SDK prepared before;
#   2. the vtk-sdk package is installed in the build environment;
#   3. an SDK is put together from the Debian packages and the wheel of the same VTK version.
#
# The result is kept in SEGMENTATIONCORE_VTK_SDK, by default in the user's cache folder, so that it is made
# once and not with every wheel.
include_guard(GLOBAL)

if (DEFINED ENV{SEGMENTATIONCORE_VTK_SDK})
  set(_sdk_default "$ENV{SEGMENTATIONCORE_VTK_SDK}")
elseif (DEFINED ENV{XDG_CACHE_HOME})
  set(_sdk_default "$ENV{XDG_CACHE_HOME}/segmentationcore/vtk-sdk")
else ()
  set(_sdk_default "$ENV{HOME}/.cache/segmentationcore/vtk-sdk")
endif ()
set(SEGMENTATIONCORE_VTK_SDK "${_sdk_default}" CACHE PATH "Where the VTK SDK is put together")

execute_process(
  COMMAND "${Python3_EXECUTABLE}" -c "import vtk_sdk; print(vtk_sdk.cmake_dir, end='')"
  OUTPUT_VARIABLE _vtk_sdk_dir
  RESULT_VARIABLE _vtk_sdk_missing
  ERROR_QUIET)
if (NOT _vtk_sdk_missing)
  list(APPEND CMAKE_PREFIX_PATH "${_vtk_sdk_dir}")
  message(STATUS "VTK SDK: the vtk-sdk package in ${_vtk_sdk_dir}")
else ()
  execute_process(
    COMMAND "${Python3_EXECUTABLE}" "${CMAKE_CURRENT_LIST_DIR}/assemble_vtk_sdk.py"
      --output "${SEGMENTATIONCORE_VTK_SDK}"
    ERROR_VARIABLE _sdk_error
    RESULT_VARIABLE _sdk_failed)
  if (_sdk_failed)
    message(FATAL_ERROR "${_sdk_error}\n"
      "A wheel needs the headers and tools of the VTK in PyPI's vtk package. There are three ways:\n"
      "  1. pip install vtk-sdk (from VTK's own index), then build with --no-build-isolation;\n"
      "  2. set VTK_DIR (pip wheel . -C cmake.define.VTK_DIR=...) to the CMake folder of such an SDK;\n"
      "  3. build on Debian, where the SDK is put together from packages; it failed as said above.")
  endif ()
  file(READ "${SEGMENTATIONCORE_VTK_SDK}/sdk.json" _sdk)
  string(JSON VTK_DIR GET "${_sdk}" vtk_dir)
  set(VTK_DIR "${VTK_DIR}" CACHE PATH "VTK's CMake folder" FORCE)
  message(STATUS "VTK SDK: put together in ${SEGMENTATIONCORE_VTK_SDK}")
endif ()
