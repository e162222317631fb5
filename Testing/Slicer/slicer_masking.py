"""Editing sessions in Slicer's own editor logic; runs in Slicer's Python, which needs no pytest.

    python slicer_masking.py <cases.npz> <results.npz>

``cases.npz`` holds ``sessions``, a JSON list, and three arrays for the i-th of them:

    voxels<i>       segment, z, y, x: what the segments hold at first
    volume<i>       z, y, x: the source volume
    modifiers<i>    operation, z, y, x: what each operation is about to write

A session has

    segments        of each its ``id`` and whether it is ``visible``
    operations      of each ``segment``, ``mode`` and ``masking``, as `masking_oracle.apply` takes
                    them, and whether the modifier's image is ``cropped`` to what is in it
    layers          "packed": as few images as Slicer makes, "separate": one for each segment
    origin, spacing, direction

``results.npz`` holds two arrays for each session, with the state before the first operation first:

    voxels<i>       state, segment, z, y, x
    layers<i>       state, segment: segments with equal numbers share an image
"""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np
import slicer
from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
from vtkmodules.vtkCommonDataModel import vtkImageData
from vtkmodules.vtkCommonMath import vtkMatrix4x4

BINARY_LABELMAP = "Binary labelmap"

MODES = {
    "set": slicer.vtkSlicerSegmentEditorLogic.ModificationModeSet,
    "add": slicer.vtkSlicerSegmentEditorLogic.ModificationModeAdd,
    "remove": slicer.vtkSlicerSegmentEditorLogic.ModificationModeRemove,
    "remove_all": slicer.vtkSlicerSegmentEditorLogic.ModificationModeRemoveAll,
}


class SlicerSession:
    """A scene with one segmentation, its source volume, and the logic of the Segment Editor."""

    def __init__(self, session: dict[str, Any], volume: np.ndarray, voxels: np.ndarray) -> None:
        self.matrix = vtkMatrix4x4()
        for row in range(3):
            for axis in range(3):
                step = session["direction"][row][axis] * session["spacing"][axis]
                self.matrix.SetElement(row, axis, step)
            self.matrix.SetElement(row, 3, session["origin"][row])
        self.shape = volume.shape
        self.identifiers = [segment["id"] for segment in session["segments"]]

        self.scene = slicer.vtkMRMLScene()
        # Registers the representations that segments may have.
        self.module = slicer.vtkSlicerSegmentationsModuleLogic()
        self.module.SetMRMLScene(self.scene)
        self.editor = self._add(slicer.vtkMRMLSegmentEditorNode())
        self.segmentation_node = self._add(slicer.vtkMRMLSegmentationNode())
        self.segmentation_node.CreateDefaultDisplayNodes()
        self.segmentation = self.segmentation_node.GetSegmentation()
        self.segmentation.SetSourceRepresentationName(BINARY_LABELMAP)

        volume_node = self._add(slicer.vtkMRMLScalarVolumeNode())
        volume_node.SetIJKToRASMatrix(self.matrix)
        volume_node.SetAndObserveImageData(_with_voxels(vtkImageData(), volume))
        self.segmentation_node.SetReferenceImageGeometryParameterFromVolumeNode(volume_node)

        self.logic = slicer.vtkSlicerSegmentEditorLogic()
        self.logic.SetMRMLScene(self.scene)
        self.logic.SetSegmentEditorNode(self.editor)
        self.logic.SetSegmentationNode(self.segmentation_node)
        self.logic.SetSourceVolumeNode(volume_node)
        self._fill(session, voxels)

    def apply(self, operation: dict[str, Any], modifier: np.ndarray) -> None:
        """One edit, masked as the editor's settings say."""
        masking = operation["masking"]
        editor, identifier = self.editor, operation["segment"]
        editor.SetSelectedSegmentID(identifier)
        editor.SetMaskMode(getattr(slicer.vtkMRMLSegmentationNode, masking["MaskMode"]))
        editor.SetMaskSegmentID(masking["MaskSegmentID"])
        editor.SetSourceVolumeIntensityMask(masking["SourceVolumeIntensityMask"])
        editor.SetSourceVolumeIntensityMaskRange(*masking["SourceVolumeIntensityMaskRange"])
        editor.SetOverwriteMode(getattr(editor, masking["OverwriteMode"]))
        per_segment, bypass_masking = False, False
        self.logic.ModifySegmentByLabelmap(
            self.segmentation_node,
            identifier,
            self._image(modifier, operation["cropped"]),
            MODES[operation["mode"]],
            per_segment,
            bypass_masking,
        )

    def voxels(self) -> np.ndarray:
        """What the segments hold: segment, z, y, x."""
        result = np.zeros((len(self.identifiers), *self.shape), bool)
        for held, identifier in zip(result, self.identifiers, strict=True):
            image = self._labelmap(identifier)
            if not image.IsEmpty():
                lower, upper = np.reshape(image.GetExtent(), (3, 2)).T[:, ::-1]
                labels = vtk_to_numpy(image.GetPointData().GetScalars())
                label = self.segmentation.GetSegment(identifier).GetLabelValue()
                inside = tuple(slice(a, b + 1) for a, b in zip(lower, upper, strict=True))
                held[inside] = labels.reshape(upper - lower + 1) == label
        return result

    def layers(self) -> list[int]:
        """A number for the image of each segment."""
        images = [self._labelmap(identifier) for identifier in self.identifiers]
        return [images.index(image) for image in images]

    def _add(self, node: Any) -> Any:
        self.scene.AddNode(node)
        return node

    def _fill(self, session: dict[str, Any], voxels: np.ndarray) -> None:
        logic = self.module
        display = self.segmentation_node.GetDisplayNode()
        for segment in session["segments"]:
            self.segmentation.AddEmptySegment(segment["id"], segment["id"])
            display.SetSegmentVisibility(segment["id"], segment["visible"])
        if session["layers"] == "separate":
            for identifier in self.identifiers[1:]:
                self.segmentation.SeparateSegmentLabelmap(identifier)
        for identifier, held in zip(self.identifiers, voxels, strict=True):
            if held.any():  # what shares the image and is in the way makes Slicer open a new one
                logic.SetBinaryLabelmapToSegment(
                    self._image(held),
                    self.segmentation_node,
                    identifier,
                    logic.MODE_MERGE_MASK,
                )

    def _labelmap(self, identifier: str) -> Any:
        return self.segmentation.GetSegment(identifier).GetRepresentation(BINARY_LABELMAP)

    def _image(self, mask: np.ndarray, cropped: bool = False) -> Any:
        image = _with_voxels(slicer.vtkOrientedImageData(), mask.astype(np.uint8))
        image.SetImageToWorldMatrix(self.matrix)
        if cropped and mask.any():
            found = np.argwhere(mask)[:, ::-1]
            image.Crop(np.stack([found.min(0), found.max(0)], axis=1).ravel().tolist())
        return image


def _with_voxels(image: Any, voxels: np.ndarray) -> Any:

    image.SetDimensions(*voxels.shape[::-1])
    image.GetPointData().SetScalars(numpy_to_vtk(np.ascontiguousarray(voxels).ravel(), deep=1))
    return image


def main(source: str, target: str) -> None:
    """Run the sessions of a file."""
    results: dict[str, np.ndarray] = {}
    with np.load(source) as cases:
        for i, session in enumerate(json.loads(str(cases["sessions"]))):
            editing = SlicerSession(session, cases[f"volume{i}"], cases[f"voxels{i}"])
            voxels, layers = [editing.voxels()], [editing.layers()]
            for operation, modifier in zip(
                session["operations"], cases[f"modifiers{i}"], strict=True
            ):
                editing.apply(operation, modifier)
                voxels.append(editing.voxels())
                layers.append(editing.layers())
            results[f"voxels{i}"] = np.array(voxels)
            results[f"layers{i}"] = np.array(layers)
    np.savez_compressed(target, **results)


if __name__ == "__main__":
    main(*sys.argv[1:])
