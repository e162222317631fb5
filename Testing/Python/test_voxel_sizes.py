"""Millimetres on small and large voxels: what a default means there, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import segmentationcore
from sample_data import assert_same, blob_labels, smooth_volume
from segmentationcore import Editor, SegmentationCoreError, erase, hollow, margin, median, paint
from segmentationcore._registry import effects, queries

pytestmark = pytest.mark.python

SHAPE = (14, 16, 18)
MICROMETRES = (0.002, 0.002, 0.002)
# Effects with a kernel in millimetres, and what more they need to have one.
KERNELS: dict[str, dict[str, Any]] = {
    "closing": {},
    "gaussian": {},
    "hollow": {},
    "local_threshold": {"points": [[0.01, 0.01, 0.01]]},
    "margin": {},
    "mask_volume": {"soft_edge_mm": 3.0},
    "median": {},
    "opening": {},
    "watershed": {},
    "wrap_solidify": {},
}


@pytest.mark.parametrize("effect", KERNELS)
def test_a_default_of_millimetres_is_refused_on_micrometres(effect: str) -> None:
    labels = blob_labels(SHAPE, 3)
    before = labels.copy()
    data = [labels]
    if (effects() | queries())[effect]["volume"]:
        data.append(smooth_volume(SHAPE, 5))
    with pytest.raises(SegmentationCoreError, match=r"mm, which spans \d+ voxels of 0\.002 mm"):
        getattr(segmentationcore, effect)(*data, spacing=MICROMETRES, **KERNELS[effect])
    assert_same(labels, before)


def test_a_refused_default_changes_no_session() -> None:
    editor = Editor(shape=(400, 500, 600), spacing=MICROMETRES)
    editor.add_segment("a")
    editor.apply("paint", "a", points=[[0.4, 0.5, 0.6]], brush_absolute_diameter=0.1)
    count = editor.segments[0].voxel_count
    for effect in ("margin", "median", "hollow", "gaussian", "opening", "wrap_solidify"):
        with pytest.raises(SegmentationCoreError, match="Choose a size that fits the voxels"):
            editor.apply(effect, "a")
    assert editor.segments[0].voxel_count == count


@pytest.mark.parametrize("sign", [1, -1])
def test_kernels_span_up_to_513_voxels(sign: int) -> None:
    labels = np.zeros((3, 3, 600), np.uint8)
    labels[1, 1, 300] = 1
    grown = margin(labels, margin_size_mm=sign * 0.256, spacing=(9.0, 9.0, 0.001))
    assert np.count_nonzero(grown) == (513 if sign > 0 else 0)
    with pytest.raises(SegmentationCoreError, match=r"spans 515 voxels of 0\.001 mm"):
        margin(labels, margin_size_mm=sign * 0.257, spacing=(9.0, 9.0, 0.001))
    line = np.ones((1, 1, 600), np.uint8)
    assert_same(median(line, kernel_size_mm=0.513, spacing=(9.0, 9.0, 0.001)), line)
    with pytest.raises(SegmentationCoreError, match=r"KernelSizeMm is 0\.515 mm"):
        median(line, kernel_size_mm=0.515, spacing=(9.0, 9.0, 0.001))
    with pytest.raises(SegmentationCoreError, match=r"ShellThicknessMm is 0\.3 mm"):
        hollow(labels, shell_thickness_mm=0.3, spacing=(9.0, 9.0, 0.001))


@pytest.mark.parametrize("thickness", [5.0, 1.0, 0.05])
def test_a_disc_is_one_slice_thick(thickness: float) -> None:
    shape, spacing = (9, 20, 20), (thickness, 1.0, 1.0)
    stroke = {
        "points": [[4 * thickness, 10.0, 10.0]],
        "brush_absolute_diameter": 7.0,
        "brush_sphere": False,
        "slice_normal": (1.0, 0.0, 0.0),
        "spacing": spacing,
    }
    got = paint(np.zeros(shape, np.uint8), **stroke)
    y, x = np.ogrid[:20, :20]
    expected = np.zeros(shape, np.uint8)
    expected[4] = (y - 10) ** 2 + (x - 10) ** 2 <= 3.5**2
    assert_same(got, expected)
    assert_same(erase(np.ones(shape, np.uint8), **stroke), 1 - expected)
