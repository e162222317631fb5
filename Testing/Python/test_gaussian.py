"""Gaussian smoothing against scipy in double, and Slicer's chain of VTK filters."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sample_data import assert_same, blob_labels, random_mask, template
from scipy import ndimage
from segmentationcore import SegmentationCoreError, gaussian
from slicer_reference import ask

pytestmark = pytest.mark.python

# Where exact weights give a value as near one half as this, either answer is right.
UNDECIDED = 3e-4


def by_scipy(
    mask: NDArray[np.bool_], millimetres: float, spacing: tuple[float, ...]
) -> NDArray[np.float64]:
    """The blurred mask, clipped and scaled at the border; the kernel ends at int(4 s)."""

    def blurred(values: NDArray[np.float64]) -> NDArray[np.float64]:
        for axis, step in enumerate(spacing):
            deviation = millimetres / step
            half = int(4 * deviation)
            if half:
                kernel = np.exp(-0.5 * (np.arange(-half, half + 1) / deviation) ** 2)
                values = ndimage.correlate1d(values, kernel, axis=axis, mode="constant")
        return values

    return blurred(mask.astype(np.float64)) / blurred(np.ones(mask.shape))


def assert_smoothed(
    mask: NDArray[np.bool_], millimetres: float, spacing: tuple[float, ...], least: float
) -> None:
    """Equal wherever the value decides, and that is in at least this fraction of the voxels."""
    values = by_scipy(mask, millimetres, spacing)
    result = gaussian(mask, gaussian_standard_deviation_mm=millimetres, spacing=spacing)
    decided = np.abs(values - 0.5) > UNDECIDED
    assert decided.mean() >= least
    assert_same(np.where(decided, result, False), decided & (values > 0.5), f"{millimetres} mm:")


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (2.0, 0.7, 0.9), (0.4, 1.0, 3.5)], ids=str)
@pytest.mark.parametrize("millimetres", [0.5, 1.0, 3.0, 17.0])
def test_random_voxels(millimetres: float, spacing: tuple[float, ...]) -> None:
    for seed, percent in ((1, 20), (2, 45), (3, 80)):
        assert_smoothed(random_mask((14, 15, 16), seed, percent), millimetres, spacing, 0.97)


@pytest.mark.parametrize("millimetres", [0.4, 2.0, 3.0, 8.0])
def test_blobs(millimetres: float) -> None:
    mask = blob_labels((25, 26, 127), 7) == 1
    assert_smoothed(mask, millimetres, (2.3, 0.9, 1.1), 0.99)


def test_a_plane_stays_and_a_ball_shrinks() -> None:
    labels = np.zeros((20, 21, 40), np.uint8)
    labels[:, :, :17] = 1
    assert_same(gaussian(labels, gaussian_standard_deviation_mm=2.0), labels)
    z, y, x = np.ogrid[-20:21, -20:21, -20:21]
    ball = z**2 + y**2 + x**2 <= 15**2
    smooth = gaussian(ball, gaussian_standard_deviation_mm=3.0)
    # The mean curvature pulls the surface in by s^2 / r.
    radius = (smooth.sum() * 3 / 4 / np.pi) ** (1 / 3)
    assert abs(radius - (15 - 3**2 / 15)) < 0.15


def test_small_deviations_change_nothing() -> None:
    labels = blob_labels((9, 10, 11), 7)
    assert_same(gaussian(labels, gaussian_standard_deviation_mm=0.0), labels)
    assert_same(gaussian(labels, gaussian_standard_deviation_mm=0.24), labels)


def test_a_deviation_for_other_voxels_is_refused() -> None:
    labels = blob_labels((9, 10, 11), 7)
    with pytest.raises(SegmentationCoreError, match=r"voxels of 0\.005 mm"):
        gaussian(labels, spacing=(0.005, 0.005, 0.005))


def test_full_and_empty_stay() -> None:
    assert gaussian(np.ones((5, 6, 7), np.uint8)).all()
    assert not gaussian(np.zeros((5, 6, 7), np.uint8)).any()


def test_real_atlas() -> None:
    atlas, spacing = template("aal.nii.gz")
    assert_smoothed(atlas == 80, 1.5, spacing, 0.999)


@pytest.mark.slicer
def test_slicer_is_near(slicer_python: str, tmp_path: Path) -> None:
    # Slicer rounds down to 8 bits after every pass: up to three grey levels less.
    spacing = (2.0, 0.7, 0.9)
    mask = blob_labels((25, 26, 27), 7) == 1
    job = {
        "what": "gaussian",
        "array": mask.astype(np.uint8) * 255,
        "deviations": [2.0 / step for step in spacing],
    }
    (slicer,) = ask(slicer_python, tmp_path, [job])
    values = by_scipy(mask, 2.0, spacing) * 255
    assert (values - slicer).min() > -1e-3
    assert (values - slicer).max() < 3.0
    result = gaussian(mask, gaussian_standard_deviation_mm=2.0, spacing=spacing)
    clear = np.abs(values - 127.5) > 4
    assert_same(np.where(clear, result, False), clear & (slicer >= 127))
