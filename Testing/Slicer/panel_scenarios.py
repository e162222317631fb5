"""The panel's effects on Slicer's nodes; runs in Slicer's Python, which needs no pytest.

    python panel_scenarios.py <cases.npz> <results.npz>

``cases.npz`` holds ``session`` (JSON, as of ``slicer_masking.py``), ``voxels`` (segment, z, y, x),
``volume`` (z, y, x), and ``jobs``, a JSON list; each job is done in a session of its own:

    effect, values      what the panel has, without points
    slice, camera       of the view whose matrix an effect needs: the slice's normal, transverse
                        axis and position in one list; or the camera's place and focal point
    points              world coordinates of the control points of a markups node
    segment             the selected one
    to_each             whether it is applied to all visible segments in turn
    growth              for effects on all segments: how much around them to look at, or null
    masking             settings of the segment editor node
    bent                whether that transform is not linear
    shift               world translation of the segmentation node's parent transform

``results.npz`` holds for the i-th job ``voxels<i>``, what the segments are then (segment, z, y, x),
and ``segments<i>``, their identifiers and names, those that it added last; or ``error<i>``, the
text of its ValueError.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np
import slicer
from segmentationcore.slicer import nodes, panel
from slicer_masking import MODES, SlicerSession
from vtkmodules.vtkCommonCore import vtkPoints
from vtkmodules.vtkCommonMath import vtkMatrix4x4
from vtkmodules.vtkCommonTransforms import vtkThinPlateSplineTransform

EFFECTS = {effect.identifier: effect for effect in panel.effect_panels()}


class Panel(SlicerSession):
    """What the widget does, with the editor's logic in place of the widget's editor."""

    def run(self, job: dict[str, Any]) -> None:
        effect, editor, node = EFFECTS[job["effect"]], self.editor, self.segmentation_node
        editor.SetSelectedSegmentID(job["segment"])
        editor.SetOverwriteMode(editor.OverwriteAllSegments)
        masking = job.get("masking", {})
        editor.SetMaskMode(getattr(node, masking.get("MaskMode", "EditAllowedEverywhere")))
        if "SourceVolumeIntensityMaskRange" in masking:
            editor.SetSourceVolumeIntensityMask(True)
            editor.SetSourceVolumeIntensityMaskRange(*masking["SourceVolumeIntensityMaskRange"])
        values = dict(job["values"])
        if "points" in job:
            values["Points"] = nodes.markups_points(self.markups(job["points"]), node)
        if any(row.kind == "matrix" for row in effect.rows):
            values["ViewMatrix"] = nodes.view_matrix(self.view(job), node)
        logic = self.logic
        logic.UpdateReferenceGeometryImage()
        logic.ResetModifierLabelmapToDefault()
        logic.UpdateAlignedSourceVolume()
        logic.UpdateSelectedSegmentLabelmap()
        modifier, volume = logic.GetModifierLabelmap(), logic.GetAlignedSourceVolume()
        if job.get("volume elsewhere"):
            matrix = vtkMatrix4x4()
            volume.GetImageToWorldMatrix(matrix)
            matrix.SetElement(0, 3, matrix.GetElement(0, 3) + 0.1)
            volume.SetImageToWorldMatrix(matrix)

        def write(key: str, image: Any, mode: str = "set", bypass: bool = False) -> None:
            editor.SetSelectedSegmentID(key)
            logic.ModifySegmentByLabelmap(node, key, image, MODES[mode], False, bypass)

        if job.get("to_each"):
            nodes.run_on_each(
                effect, values, node=node, lattice=modifier, volume=volume, write=write
            )
        elif effect.input == "segments":
            found: list[tuple[str, Any]] = []
            nodes.run_on_all(
                effect,
                values,
                node=node,
                lattice=modifier,
                volume=volume,
                growth=job.get("growth"),
                forbidden=nodes.edit_mask(node, editor, modifier, volume),
                write=lambda key, image: found.append((key, image)),
            )
            for key, image in found:
                write(key, image)
        else:
            source = volume if effect.input == "volume" else logic.GetSelectedSegmentLabelmap()
            other = None
            if effect.other is not None and values.get(effect.other.name):
                other = nodes.segment_image(node, values[effect.other.name], modifier)
            result = panel.outcome(
                effect, source, values, modifier, volume if effect.volume else None, other
            )
            labels = panel.labels_in(result)
            if labels[1:]:
                self.identifiers += nodes.write_parts(
                    node, job["segment"], result, modifier, lambda key, i: write(key, i, "add")
                )
            panel.set_mask(modifier, result, labels[0] if labels else None)
            mode = effect.mode_of(values).lower().replace("removeall", "remove_all")
            write(job["segment"], modifier, mode, bool(values.get("BypassMasking")))

    def name(self, key: str) -> str:
        name: str = self.segmentation_node.GetSegmentation().GetSegment(key).GetName()
        return name

    def markups(self, points: list[list[float]]) -> Any:
        node = self._add(slicer.vtkMRMLMarkupsFiducialNode())
        for point in points:
            node.AddControlPointWorld(point)
        # Not placed yet: it must not count.
        node.AddControlPointWorld([1e3, 1e3, 1e3])
        node.UnsetNthControlPointPosition(len(points))
        return node

    def bend(self) -> None:
        spline = vtkThinPlateSplineTransform()
        for landmarks, shift in ((vtkPoints(), 0.0), (vtkPoints(), 1.0)):
            for corner in range(8):
                landmarks.InsertNextPoint(
                    *(20.0 * (corner >> n & 1) + shift * (corner == 3) for n in range(3))
                )
            put = spline.SetTargetLandmarks if shift else spline.SetSourceLandmarks
            put(landmarks)
        spline.SetBasisToR()
        transform = self._add(slicer.vtkMRMLTransformNode())
        transform.SetAndObserveTransformToParent(spline)
        self.segmentation_node.SetAndObserveTransformNodeID(transform.GetID())

    def view(self, job: dict[str, Any]) -> Any:
        if "slice" in job:
            node = self._add(slicer.vtkMRMLSliceNode())
            node.SetSliceToRASByNTP(*job["slice"], 0)
            return node
        if "camera" in job:
            node = self._add(slicer.vtkMRMLCameraNode())
            node.SetPosition(*job["camera"][:3])
            node.SetFocalPoint(*job["camera"][3:])
            return node
        return None

    def move(self, shift: list[float]) -> None:
        transform = self._add(slicer.vtkMRMLLinearTransformNode())
        matrix = vtkMatrix4x4()
        for row in range(3):
            matrix.SetElement(row, 3, shift[row])
        transform.SetMatrixTransformToParent(matrix)
        self.segmentation_node.SetAndObserveTransformNodeID(transform.GetID())


def main(source: str, target: str) -> None:
    results: dict[str, Any] = {}
    with np.load(source) as cases:
        session = json.loads(str(cases["session"]))
        for i, job in enumerate(json.loads(str(cases["jobs"]))):
            editing = Panel(session, cases["volume"], cases["voxels"])
            if job.get("bent"):
                editing.bend()
            if "shift" in job:
                editing.move(job["shift"])
            try:
                editing.run(job)
                results[f"voxels{i}"] = editing.voxels()
                results[f"segments{i}"] = [[key, editing.name(key)] for key in editing.identifiers]
            except ValueError as error:
                results[f"error{i}"] = str(error)
    table = np.zeros(2, [("segment", object), ("voxel_count", "i8"), ("centroid", "f8", (3,))])
    table[0] = ("a", 5, (1.0, 2.0, 3.0))
    table[1] = ("b", 0, (np.nan,) * 3)
    node = slicer.vtkMRMLTableNode()
    nodes.fill_statistics(node, table)
    shown = node.GetTable()
    results["table"] = json.dumps(
        [
            [shown.GetColumnName(c), [shown.GetValue(r, c).ToString() for r in range(2)]]
            for c in range(shown.GetNumberOfColumns())
        ]
    )
    np.savez_compressed(target, **results)


if __name__ == "__main__":
    main(*sys.argv[1:])
