"""vtkOrientedImageDataResample and vtkSegmentationModifier beside Slicer's, on random lattices."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from resample_calls import ask, calls

pytestmark = pytest.mark.python

# Where the answers may differ, by the name in SegmentationCore/DataModel/differences.
EXPECTED = {
    "for -1": "cast-refuses-loss",
    "for 2147483648": "cast-refuses-loss",
    "for -32769": "cast-refuses-loss",
}


@pytest.fixture(scope="module")
def ours() -> dict[str, Any]:
    module = pytest.importorskip("segmentationcore.SegmentationCoreDataModel")
    from vtkmodules.vtkCommonCore import vtkStringArray

    def modify(
        segmentation: Any, stroke: Any, name: str, mode: int, overwrite: list[str], every: bool
    ) -> bool:
        ids, modified = vtkStringArray(), vtkStringArray()
        for id_ in overwrite:
            ids.InsertNextValue(id_)
        done = module.vtkSegmentationModifier.ModifyBinaryLabelmapUsingArrays(
            stroke, segmentation, name, mode, ids, modified, every, False, stroke.GetExtent()
        )
        assert modified.GetValue(modified.GetNumberOfValues() - 1) == name
        return done

    return calls(module, modify)


@pytest.fixture(scope="module")
def slicer(slicer_python: str) -> dict[str, Any]:
    return ask(slicer_python)


def _is_image(value: Any) -> bool:
    return isinstance(value, dict) and "voxels" in value


def _assert_same(ours: Any, theirs: Any, name: str) -> None:
    if _is_image(theirs):
        np.testing.assert_allclose(ours["matrix"], theirs["matrix"], atol=1e-9, err_msg=name)
        assert ours["type"] == theirs["type"], name
        if not any(theirs["voxels"]) and not any(ours["voxels"]):
            return  # modifier-layer-without-voxels: how large zeros are
        assert ours["extent"] == theirs["extent"], name
        # resample-exact-weights: Slicer's have 16 bits; the values go to 100.
        np.testing.assert_allclose(ours["voxels"], theirs["voxels"], atol=2e-3, err_msg=name)
    elif name.endswith("bounds"):  # resample-bounds-precision: Slicer's go through float
        np.testing.assert_allclose(ours, theirs, atol=1e-5, err_msg=name)
    elif isinstance(theirs, (list, tuple)):
        assert len(ours) == len(theirs), name
        for mine, other in zip(ours, theirs, strict=True):
            _assert_same(mine, other, name)
    else:
        assert ours == theirs, name


@pytest.mark.slicer
@pytest.mark.parametrize(
    "group", ["resampling", "transforming", "combining", "casting", "modifying"]
)
def test_same_answers_as_slicer(ours: dict[str, Any], slicer: dict[str, Any], group: str) -> None:
    assert ours[group].keys() == slicer[group].keys()
    assert len(slicer[group]) > 20
    for name, expected in slicer[group].items():
        if name in EXPECTED:
            assert ours[group][name] != expected, f"{EXPECTED[name]} is no difference any more"
            continue
        _assert_same(ours[group][name], expected, name)
