# Finds the VTK of the chosen product. Differences between products and VTK versions are here (CMake) and in
# Filters/vtkVersionCompatibility.h (C++), and nowhere else.
include_guard(GLOBAL)

# VTK modules that our modules depend on (see the vtk.module files).
set(SEGMENTATIONCORE_VTK_COMPONENTS
  CommonColor CommonCore CommonDataModel CommonExecutionModel CommonMath CommonTransforms
  FiltersCore FiltersGeneral FiltersSources IOXML ParallelCore nlohmannjson)

find_package(Python3 3.10 REQUIRED COMPONENTS Interpreter Development.Module)

if (SEGMENTATIONCORE_PRODUCT STREQUAL "paraview")
  # Named components keep Qt, codecs and the like out of the list of packages that a build needs.
  # 5.11 is the oldest that is tested (VTK 9.2).
  find_package(ParaView 5.11 REQUIRED COMPONENTS
    RemotingCore RemotingServerManager VTKExtensionsFiltersGeneral VTKExtensionsIOCore)
  set(_vtk_optional ParallelMPI)
elseif (SEGMENTATIONCORE_PRODUCT STREQUAL "slicer")
  find_package(Slicer REQUIRED)
  include(${Slicer_USE_FILE})
endif ()

if (SEGMENTATIONCORE_PRODUCT STREQUAL "wheel" AND NOT VTK_DIR)
  include(SegmentationCoreWheelSDK)
endif ()

if (NOT SEGMENTATIONCORE_PRODUCT STREQUAL "paraview")
  find_package(VTK 9.2 REQUIRED
    COMPONENTS ${SEGMENTATIONCORE_VTK_COMPONENTS} WrappingPythonCore
    OPTIONAL_COMPONENTS ParallelMPI)
endif ()
find_package(ZLIB REQUIRED)
# Fast levels of compression. 2.30 is the oldest that is tested.
find_package(ISAL 2.30)
option(SEGMENTATIONCORE_USE_ISAL "Compress with ISA-L where a fast level is asked for" "${ISAL_FOUND}")
if (SEGMENTATIONCORE_USE_ISAL AND NOT ISAL_FOUND)
  message(FATAL_ERROR "SEGMENTATIONCORE_USE_ISAL is on, but ISA-L 2.30 or newer was not found. Install it "
    "(Debian: libisal-dev), set ISAL_ROOT to where it is, or turn SEGMENTATIONCORE_USE_ISAL off.")
endif ()
