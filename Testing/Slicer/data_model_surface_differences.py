"""What Slicer's containers show and ours do not, or not in the same way, each with the reason.

The keys are what ``test_data_model_surface.py`` reports. A row that no longer describes a
difference fails that test as much as a difference that has no row.
"""

from __future__ import annotations

_AT_ONCE = "Without registered rules Slicer cannot construct an image, so it says no of any source."

DIFFERENCES: dict[str, str] = {
    "vtkPolyDataToFractionalLabelmapFilter.bases": (
        "VTK's stencil module is not in every VTK (ParaView's has none), and ours needs no stencil."
    ),
    "vtkSegmentation.GetUUIDSegmentIDs default": (
        "The wheel of Slicer is built without UUIDs, where the default is off. Ours needs no GDCM."
    ),
    "vtkSegmentation.IsMasterRepresentationImageData default": _AT_ONCE,
    "vtkSegmentation.IsSourceRepresentationImageData default": _AT_ONCE,
    "vtkSegmentationConverterFactory.CopyConverterRules": (
        "In C++ only: a vector of smart pointers crashes on the way back to Python, see "
        "GetNthConverterRule."
    ),
    "vtkSegmentationConverterFactory.GetConverterRules": (
        "In C++ only: use GetNumberOfConverterRules and GetNthConverterRule from Python."
    ),
    "vtkSegmentationConverterFactoryInitialize": (
        "A counter of C++ units, without methods; it is there in C++, and means nothing to Python."
    ),
    "vtkSegmentationRandomSequenceInitialize": (
        "The same for the random sequence, which is a plain static object here."
    ),
}
