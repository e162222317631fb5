# Language level, warnings, sanitizers and the compiler cache, for every product alike.
include_guard(GLOBAL)
include(GNUInstallDirs)

if (NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif ()

set(CMAKE_CXX_STANDARD 17)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)

find_program(SEGMENTATIONCORE_CCACHE ccache)
mark_as_advanced(SEGMENTATIONCORE_CCACHE)
if (SEGMENTATIONCORE_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${SEGMENTATIONCORE_CCACHE}")
  set(CMAKE_C_COMPILER_LAUNCHER "${SEGMENTATIONCORE_CCACHE}")
endif ()

# The properties of every target that we compile. Contraction is off because a fused multiply-add
# that one loop gets and another does not would make a result depend on how the volume was split.
add_library(SegmentationCoreBuild INTERFACE)
if (CMAKE_CXX_COMPILER_ID MATCHES "GNU|Clang")
  target_compile_options(SegmentationCoreBuild INTERFACE -ffp-contract=off)
  if (SEGMENTATIONCORE_WARNINGS_AS_ERRORS)
    target_compile_options(SegmentationCoreBuild INTERFACE -Wall -Wextra -Wshadow -Werror)
  endif ()
  if (SEGMENTATIONCORE_SANITIZE)
    target_compile_options(SegmentationCoreBuild INTERFACE
      -fsanitize=${SEGMENTATIONCORE_SANITIZE} -fno-omit-frame-pointer)
    target_link_options(SegmentationCoreBuild INTERFACE -fsanitize=${SEGMENTATIONCORE_SANITIZE})
  endif ()
elseif (MSVC)
  target_compile_options(SegmentationCoreBuild INTERFACE /fp:precise /bigobj)
endif ()
