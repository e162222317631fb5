"""What Slicer's containers show and ours do not, or not in the same way, each with the reason.

The keys are what ``test_data_model_surface.py`` reports. A row that no longer describes a
difference fails that test as much as a difference that has no row.
"""

from __future__ import annotations

DIFFERENCES: dict[str, str] = {
    "vtkPolyDataToFractionalLabelmapFilter.bases": "ParaView's VTK has no imaging stencils; see"
    " fractional-filter-base",
}
