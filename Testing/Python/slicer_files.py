"""Segmentation files written and read by Slicer itself: runs in an environment with slicer-core.

`slicer_write` and `slicer_read` run this file with Slicer's Python. A segmentation travels as a
dict of plain values beside arrays with the axes z, y, x.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

BINARY = "Binary labelmap"


def _run(python: str, what: str, path: Path, exchange: Path) -> None:
    done = subprocess.run(
        [python, __file__, what, str(path), str(exchange)],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def slicer_write(
    python: str,
    path: Path,
    layers: list[np.ndarray],
    segments: list[dict[str, Any]],
    *,
    origin: list[float],
    spacing: list[float],
    direction: list[list[float]],
    start: tuple[int, int, int] = (0, 0, 0),
    crop: bool = False,
) -> None:
    """Have Slicer write a segmentation; x, y, z order for everything but the arrays."""
    exchange = path.with_suffix(".exchange.npz")
    options = {
        "segments": segments,
        "origin": origin,
        "spacing": spacing,
        "direction": direction,
        "start": start,
        "crop": crop,
    }
    arrays = {f"layer{i}": layer for i, layer in enumerate(layers)}
    np.savez(exchange, options=json.dumps(options), **arrays)
    _run(python, "write", path, exchange)
    exchange.unlink()


def slicer_read(python: str, path: Path) -> list[dict[str, Any]]:
    """What Slicer sees in a file: by segment its metadata and its voxels' positions (RAS)."""
    exchange = path.with_suffix(".exchange.npz")
    _run(python, "read", path, exchange)
    with np.load(exchange) as found:
        segments = json.loads(str(found["segments"]))
        for index, segment in enumerate(segments):
            segment["voxels"] = found[f"voxels{index}"]
    exchange.unlink()
    return segments


def _write(path: str, exchange: str) -> None:
    import slicer
    from vtkmodules.util.numpy_support import numpy_to_vtk

    with np.load(exchange) as given:
        options = json.loads(str(given["options"]))
        layers = [given[f"layer{i}"] for i in range(len(given.files) - 1)]
    images = []
    for layer in layers:
        image = slicer.vtkOrientedImageData()
        extent = [
            value
            for start, size in zip(options["start"], reversed(layer.shape), strict=True)
            for value in (start, start + size - 1)
        ]
        image.SetExtent(extent)
        image.SetOrigin(options["origin"])
        image.SetSpacing(options["spacing"])
        image.SetDirections(*np.ravel(options["direction"]).tolist())
        image.GetPointData().SetScalars(numpy_to_vtk(np.ascontiguousarray(layer).ravel(), deep=1))
        images.append(image)
    scene = slicer.vtkMRMLScene()
    node = slicer.vtkMRMLSegmentationNode()
    scene.AddNode(node)
    segmentation = node.GetSegmentation()
    for row in options["segments"]:
        segment = slicer.vtkSegment()
        segment.SetName(row["name"])
        segment.SetColor(row["color"])
        segment.SetLabelValue(row["label"])
        for name, value in row.get("tags", {}).items():
            segment.SetTag(name, value)
        segment.AddRepresentation(BINARY, images[row["layer"]])
        segmentation.AddSegment(segment, row["id"])
    segmentation.SetConversionParameter(
        "Reference image geometry",
        slicer.vtkSegmentationConverter.SerializeImageGeometry(images[0]),
    )
    storage = slicer.vtkMRMLSegmentationStorageNode()
    scene.AddNode(storage)
    storage.SetFileName(path)
    storage.SetCropToMinimumExtent(options["crop"])
    assert storage.WriteData(node)


def _read(path: str, exchange: str) -> None:
    import slicer
    from vtkmodules.util.numpy_support import vtk_to_numpy
    from vtkmodules.vtkCommonCore import reference
    from vtkmodules.vtkCommonMath import vtkMatrix4x4

    scene = slicer.vtkMRMLScene()
    node = slicer.vtkMRMLSegmentationNode()
    scene.AddNode(node)
    storage = slicer.vtkMRMLSegmentationStorageNode()
    scene.AddNode(storage)
    storage.SetFileName(path)
    assert storage.ReadData(node)
    segmentation = node.GetSegmentation()
    rows, arrays = [], {}
    for index in range(segmentation.GetNumberOfSegments()):
        segment = segmentation.GetNthSegment(index)
        image = segment.GetRepresentation(BINARY)
        matrix = vtkMatrix4x4()
        image.GetImageToWorldMatrix(matrix)
        to_world = np.array([[matrix.GetElement(i, j) for j in range(4)] for i in range(4)])
        extent = image.GetExtent()
        if image.IsEmpty():
            positions = np.zeros((0, 3))
        else:
            values = vtk_to_numpy(image.GetPointData().GetScalars())
            shape = [extent[2 * a + 1] - extent[2 * a] + 1 for a in (2, 1, 0)]
            where = np.argwhere(values.reshape(shape) == segment.GetLabelValue())[:, ::-1]
            where = where + np.array(extent[::2])
            positions = where @ to_world[:3, :3].T + to_world[:3, 3]
        # vtkSegment::GetTags cannot be reached from Python: ask for those that the tests use.
        tags = {}
        for name in ("TerminologyEntry", "plain", "odd"):
            if segment.HasTag(name):
                value = reference("")
                segment.GetTag(name, value)
                tags[name] = str(value)
        rows.append(
            {
                "id": segmentation.GetNthSegmentID(index),
                "name": segment.GetName(),
                "color": list(segment.GetColor()),
                "label": segment.GetLabelValue(),
                "layer": segmentation.GetLayerIndex(segmentation.GetNthSegmentID(index), BINARY),
                "tags": tags,
                "name_auto": bool(segment.GetNameAutoGenerated()),
                "status": slicer.vtkSlicerSegmentationsModuleLogic.GetSegmentStatus(segment),
                "reference": segmentation.GetConversionParameter("Reference image geometry"),
            }
        )
        arrays[f"voxels{index}"] = positions
    np.savez(exchange, segments=json.dumps(rows), **arrays)


if __name__ == "__main__":
    {"write": _write, "read": _read}[sys.argv[1]](sys.argv[2], sys.argv[3])
