# Language level, warnings, sanitizers and the compiler cache, for every product alike.
include_guard(GLOBAL)
include(GNUInstallDirs)

if (NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif ()

option(BUILD_SHARED_LIBS "Build shared libraries" ON)

set(CMAKE_CXX_STANDARD 17)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)

find_program(SEGMENTATIONCORE_CCACHE ccache)
mark_as_advanced(SEGMENTATIONCORE_CCACHE)
if (SEGMENTATIONCORE_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Paths below the sources are taken relative, so that a fresh clone finds what another one compiled.
  set(CMAKE_CXX_COMPILER_LAUNCHER
    "${CMAKE_COMMAND}" -E env "CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}" "CCACHE_NOHASHDIR=1"
    "${SEGMENTATIONCORE_CCACHE}")
  set(CMAKE_C_COMPILER_LAUNCHER "${CMAKE_CXX_COMPILER_LAUNCHER}")
endif ()

# The options of every target that we compile. Contraction is off because a fused multiply-add that one
# loop gets and another does not would make a result depend on how the volume was split.
set(SEGMENTATIONCORE_COMPILE_OPTIONS)
set(SEGMENTATIONCORE_LINK_OPTIONS)
if (CMAKE_CXX_COMPILER_ID MATCHES "GNU|Clang")
  list(APPEND SEGMENTATIONCORE_COMPILE_OPTIONS -ffp-contract=off)
  if (SEGMENTATIONCORE_WARNINGS_AS_ERRORS)
    list(APPEND SEGMENTATIONCORE_COMPILE_OPTIONS -Wall -Wextra -Wshadow -Werror)
  endif ()
  if (SEGMENTATIONCORE_SANITIZE)
    list(APPEND SEGMENTATIONCORE_COMPILE_OPTIONS
      -fsanitize=${SEGMENTATIONCORE_SANITIZE} -fno-omit-frame-pointer)
    list(APPEND SEGMENTATIONCORE_LINK_OPTIONS -fsanitize=${SEGMENTATIONCORE_SANITIZE})
  endif ()
  if (SEGMENTATIONCORE_BUILD_FUZZING)
    # Without it the fuzzer sees nothing of what its input does in the libraries.
    list(APPEND SEGMENTATIONCORE_COMPILE_OPTIONS -fsanitize=fuzzer-no-link)
  endif ()
elseif (MSVC)
  list(APPEND SEGMENTATIONCORE_COMPILE_OPTIONS /fp:precise /bigobj)
endif ()

# Gives a VTK module these options.
#   segmentationcore_module_options(SegmentationCore::Name)
function (segmentationcore_module_options module)
  vtk_module_compile_options("${module}" PRIVATE ${SEGMENTATIONCORE_COMPILE_OPTIONS})
  vtk_module_link_options("${module}" PRIVATE ${SEGMENTATIONCORE_LINK_OPTIONS})
endfunction ()
