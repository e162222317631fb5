"""Random operations on the containers of either library: what test_data_model_random.py compares.

    python data_model_driver.py slicer     Slicer's own library, in its Python
    python data_model_driver.py ours       segmentationcore.SegmentationCoreDataModel

Reads sessions, one JSON object a line, and answers each with a line of JSON: the state before the
first operation and after each. Operations name segments by position (modulo the number of segments,
in an order that no library decides), so that any part of a sequence is a sequence, too.

``EXPECTED`` lists where the two are meant to differ, by the names of rows of
``SegmentationCore/DataModel/differences``. The driver keeps out of exactly these cases, or removes
what they leave behind; each use is counted under its name.
"""

from __future__ import annotations

import collections
import itertools
import json
import math
import os
import sys
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.util.vtkConstants import VTK_SIGNED_CHAR, VTK_STRING
from vtkmodules.vtkCommonCore import vtkDoubleArray, vtkObject, vtkStringArray
from vtkmodules.vtkCommonMath import vtkMatrix4x4
from vtkmodules.vtkCommonTransforms import vtkTransform
from vtkmodules.vtkFiltersGeneral import vtkTransformPolyDataFilter
from vtkmodules.vtkFiltersSources import vtkCubeSource

BINARY = "Binary labelmap"
SURFACE = "Closed surface"
FRACTIONAL = "Fractional labelmap"
REFERENCE = "Reference image geometry"
EVENTS = {
    62100: "source",
    62101: "representation",
    62102: "added",
    62103: "removed",
    62104: "segment",
    62105: "names",
    62106: "order",
}
WITH_ID = (62101, 62102, 62103, 62104)
WORDS = ("bone", "skin", "vessel", "grain", "pore", "clay")


class Ear:
    """Hears the events of a segmentation, with the segment that they name."""

    def __init__(self, thing: Any) -> None:
        self.heard: list[str] = []
        self.thing = thing
        self.tags = [thing.AddObserver("ModifiedEvent", lambda *_: self.heard.append("modified"))]
        for number, name in EVENTS.items():
            self.tags.append(thing.AddObserver(number, self._hearer(name, number in WITH_ID)))

    def _hearer(self, name: str, with_id: bool) -> Any:
        if not with_id:
            return lambda *_: self.heard.append(name)

        def hear(_caller: Any, _event: str, identifier: str) -> None:
            self.heard.append(f"{name} {identifier}")

        hear.CallDataType = VTK_STRING  # type: ignore[attr-defined]
        return hear

    def take(self) -> list[str]:
        heard, self.heard = self.heard, []
        return heard


class Slicer:
    """Slicer's library, with what only its application logic can reach."""

    def __init__(self) -> None:
        import slicer

        self.slicer = slicer
        self.module = slicer
        self.scene = slicer.vtkMRMLScene()
        self.logic = slicer.vtkSlicerSegmentationsModuleLogic()
        self.logic.SetMRMLScene(self.scene)  # registers the conversion rules
        self.nodes: list[Any] = []

    def new_segmentations(self, count: int) -> list[Any]:
        for node in self.nodes:
            self.scene.RemoveNode(node)
        self.nodes = [self.slicer.vtkMRMLSegmentationNode() for _ in range(count)]
        for node in self.nodes:
            self.scene.AddNode(node)
        return [node.GetSegmentation() for node in self.nodes]

    def modify(
        self, segmentation: Any, identifier: str, image: Any, mode: int, overwrite: list[str]
    ) -> bool:
        node = next(n for n in self.nodes if n.GetSegmentation() is segmentation)
        extent = [0, -1, 0, -1, 0, -1] if image.IsEmpty() else list(image.GetExtent())
        return self.logic.SetBinaryLabelmapToSegment(
            image, node, identifier, mode, extent, False, overwrite
        )

    def write(self, segmentation: Any, path: str, crop: bool = False) -> bool:
        node = next(n for n in self.nodes if n.GetSegmentation() is segmentation)
        storage = self.slicer.vtkMRMLSegmentationStorageNode()
        storage.SetFileName(path)
        storage.SetCropToMinimumExtent(crop)
        return bool(storage.WriteData(node))

    def read(self, path: str, segmentation: Any) -> bool:
        node = next(n for n in self.nodes if n.GetSegmentation() is segmentation)
        storage = self.slicer.vtkMRMLSegmentationStorageNode()
        storage.SetFileName(path)
        return bool(storage.ReadData(node))


class Ours:
    """Our library."""

    def __init__(self, rules: bool = True) -> None:
        from segmentationcore import SegmentationCoreDataModel as module

        self.module = module
        if not rules:
            return
        factory = module.vtkSegmentationConverterFactory.GetInstance()
        for rule in (  # those that Slicer's logic registers, in its order
            module.vtkBinaryLabelmapToClosedSurfaceConversionRule,
            module.vtkClosedSurfaceToBinaryLabelmapConversionRule,
            module.vtkClosedSurfaceToFractionalLabelmapConversionRule,
            module.vtkFractionalLabelmapToClosedSurfaceConversionRule,
        ):
            factory.RegisterConverterRule(rule())

    def new_segmentations(self, count: int) -> list[Any]:
        return [self.module.vtkSegmentation() for _ in range(count)]

    def modify(
        self, segmentation: Any, identifier: str, image: Any, mode: int, overwrite: list[str]
    ) -> bool:
        extent = [0, -1, 0, -1, 0, -1] if image.IsEmpty() else list(image.GetExtent())
        overwritten = vtkStringArray()
        for other in overwrite:
            overwritten.InsertNextValue(other)
        return self.module.vtkSegmentationModifier.ModifyBinaryLabelmapUsingArrays(
            image, segmentation, identifier, mode, overwritten, None, False, False, extent
        )

    def write(self, segmentation: Any, path: str, crop: bool = False) -> bool:
        writer = self.module.vtkSegmentationFileWriter()
        writer.SetFileName(path)
        writer.SetCropToMinimumExtent(crop)
        return bool(writer.Write(segmentation))

    def read(self, path: str, segmentation: Any) -> bool:
        reader = self.module.vtkSegmentationFileReader()
        reader.SetFileName(path)
        return bool(reader.Read(segmentation))


def numbers(values: Any, digits: int = 6) -> list[float]:
    """Numbers as they are compared."""
    return [round(float(v), digits) + 0.0 for v in values]


class World:
    """Two segmentations, the undo history of the first, and the operations on them."""

    def __init__(self, library: Any, session: dict[str, Any], scratch: Path) -> None:
        self.library, self.module, self.scratch = library, library.module, scratch
        self.expected: collections.Counter[str] = collections.Counter()
        self.segmentations = library.new_segmentations(2)
        self.module.vtkSegmentation.GetSegmentIDRandomSequenceInstance().SetSeed(session["seed"])
        self.lattice = vtkMatrix4x4()
        for i, value in enumerate(session["lattice"]):
            self.lattice.SetElement(i // 4, i % 4, value)
        for segmentation in self.segmentations:
            segmentation.UUIDSegmentIDsOff()
            # Without them voxels follow from the surfaces alone, whoever made those.
            for name, value in session["parameters"].items():
                segmentation.SetConversionParameter(name, value)
            geometry = self.module.vtkSegmentationConverter.SerializeImageGeometry(
                self.lattice, session["extent"]
            )
            segmentation.SetConversionParameter(REFERENCE, geometry)
        self.history = self.module.vtkSegmentationHistory()
        self.history.SetSegmentation(self.segmentations[0])
        self.ears = [Ear(s) for s in self.segmentations]
        self.copied = self.converting = False
        self.typed = True
        self.kind = session["kind"]
        self.other_lattice = vtkMatrix4x4()
        for i, value in enumerate(session["other lattice"]):
            self.other_lattice.SetElement(i // 4, i % 4, value)
        if self.kind == "fractional":
            for segmentation in self.segmentations:
                segmentation.SetSourceRepresentationName(FRACTIONAL)

    # What is compared

    def state(self, result: Any) -> dict[str, Any]:
        """Everything that can be seen, after an operation that returned ``result``."""
        return {
            "result": result,
            "events": [self._in_order(ear.take()) for ear in self.ears],
            "states": [
                self.history.GetNumberOfStates(),
                self.history.IsRestorePreviousStateAvailable(),
                self.history.IsRestoreNextStateAvailable(),
            ],
            "segmentations": [self._segmentation(s) for s in self.segmentations],
        }

    def _in_order(self, events: list[str]) -> list[str]:
        """Events of several segments that follow each other, by segment; of each in its order."""
        result: list[str] = []
        for of_segments, run in itertools.groupby(
            events, lambda event: event.startswith(("segment ", "representation "))
        ):
            found = list(run)
            if of_segments:
                found.sort(key=lambda event: event.split(" ", 1)[1])
            result += found
        self.expected["display-order-everywhere"] += result != events
        if self.converting:  # and so, perhaps, collapsing
            self.expected["merge-segment-modified-once"] += 1
            result = [event for event, _ in itertools.groupby(result)]
        return result

    def _segmentation(self, segmentation: Any) -> dict[str, Any]:
        names: list[str] = []
        segmentation.GetContainedRepresentationNames(names)
        rows = []
        for identifier in segmentation.GetSegmentIDs():
            segment = segmentation.GetSegment(identifier)
            held: list[str] = []
            segment.GetContainedRepresentationNames(held)
            rows.append(
                {
                    "id": identifier,
                    "name": segment.GetName(),
                    "color": numbers(segment.GetColor()),
                    "label": segment.GetLabelValue(),
                    "auto": self._flags(segment),
                    "tags": [segment.HasTag(word) for word in WORDS],
                    "terminology": segment.GetTerminology(),
                    "held": held,
                    "layers": [segmentation.GetLayerIndex(identifier, name) for name in held],
                }
            )
        layers = []
        for i in range(segmentation.GetNumberOfLayers(BINARY)):
            layers.append(self._image(segmentation.GetLayerDataObject(i, BINARY)))
        for i in range(segmentation.GetNumberOfLayers(FRACTIONAL)):
            layers.append(self._fractions(segmentation.GetLayerDataObject(i, FRACTIONAL)))
        return {
            "source": segmentation.GetSourceRepresentationName(),
            "names": names,
            "segments": rows,
            "layers": layers,
            "surfaces": [
                self._surface(segmentation.GetSegmentRepresentation(row["id"], SURFACE))
                for row in rows
                if SURFACE in row["held"]
            ],
            "parameters": self._parameters(segmentation),
        }

    def _flags(self, segment: Any) -> list[bool]:
        """The two auto-generated flags, which Slicer does not copy."""
        if self.copied:
            self.expected["metadata-copies-auto-generated-flags"] += 1
            return []
        return [segment.GetNameAutoGenerated(), segment.GetColorAutoGenerated()]

    def _parameters(self, segmentation: Any) -> list[list[str]]:
        text = segmentation.SerializeAllConversionParameters()
        # Descriptions are prose of one's own.
        pairs = [row.split("|")[:2] for row in text.split("&") if row]
        return [p if p[0] != REFERENCE else [p[0], self._geometry(p[1])] for p in pairs]

    @staticmethod
    def _geometry(text: str) -> str:
        """A geometry as numbers that are equal up to the last digits."""
        fields = [f for f in text.split(";") if f]
        return " ".join(f"{float(f):.6g}" for f in fields) if len(fields) == 22 else text

    def _image(self, image: Any) -> Any:
        if image is None:
            return None
        matrix = vtkMatrix4x4()
        image.GetImageToWorldMatrix(matrix)
        found = {
            "matrix": numbers((matrix.GetElement(i, j) for i in range(3) for j in range(4)), 5),
            "extent": list(image.GetExtent()),
        }
        scalars = image.GetPointData().GetScalars()
        if image.IsEmpty() or scalars is None:
            return {**found, "labels": {}}
        voxels = vtk_to_numpy(scalars).astype(np.int64)
        if self.kind == "below":
            # Slicer's images are a voxel of zeros larger below index 0.
            self.expected["extent-below-zero"] += 1
            found["extent"], voxels = self._tight(voxels, found["extent"])
        labels, counts = np.unique(voxels, return_counts=True)
        if self.typed:
            found["type"] = scalars.GetDataTypeAsString()
        found["labels"] = dict(zip(map(str, labels.tolist()), counts.tolist(), strict=True))
        found["voxels"] = zlib.crc32(np.ascontiguousarray(voxels).tobytes())
        return found

    def _tight(self, voxels: np.ndarray, extent: list[int]) -> tuple[list[int], np.ndarray]:
        """What is not 0, and where."""
        volume = voxels.reshape(self._shape(extent))
        found = np.argwhere(volume)
        if not len(found):
            return [], voxels[:0]
        first, last = found.min(0), found.max(0)
        lowest = np.array(extent[::2])
        box = np.stack([lowest + first[::-1], lowest + last[::-1]], axis=1)
        part = tuple(slice(a, b + 1) for a, b in zip(first, last, strict=True))
        return box.ravel().tolist(), volume[part]

    def _fractions(self, image: Any) -> Any:
        """A fractional labelmap, but for the last few of its samples."""
        if image is None:
            return None
        found: dict[str, Any] = {"extent": list(image.GetExtent())}
        scalars = image.GetPointData().GetScalars()
        fields = image.GetFieldData()
        found["fields"] = [
            [fields.GetArrayName(i), numbers(vtk_to_numpy(fields.GetArray(i)).ravel())]
            for i in range(fields.GetNumberOfArrays())
        ]
        if image.IsEmpty() or scalars is None:
            return found
        self.expected["fractional-exact-samples"] += 1
        voxels = vtk_to_numpy(scalars).astype(float)
        return {**found, "rough": [voxels.min(), voxels.max(), voxels.mean() / 10]}

    def _surface(self, surface: Any) -> Any:
        if surface is None:
            return None
        points = surface.GetNumberOfPoints()
        if self.kind == "smooth" and points:
            self.expected["surface-smoothing"] += 1
            return {"points": points, "rough": numbers(surface.GetBounds())}
        return [points > 0, numbers(surface.GetBounds(), 3) if points else []]

    # Operations

    def run(self, operation: dict[str, Any]) -> Any:
        """One operation; what it returns is compared."""
        target = operation.get("target", 0)
        converting = ("add_surface", "add_fractional", "create", "copy_segment")
        self.converting = operation["do"] in converting
        self.copied |= operation["do"] in ("copy", "copy_segment", "undo", "redo")
        segmentation = self.segmentations[target]
        return getattr(self, "do_" + operation["do"])(segmentation, operation)

    def _pick(self, segmentation: Any, number: int) -> str | None:
        """A segment by number, among all IDs in alphabetical order."""
        identifiers = sorted(segmentation.GetSegmentIDs())
        return identifiers[number % len(identifiers)] if identifiers else None

    def _picks(self, segmentation: Any, which: list[int]) -> list[str]:
        found = [self._pick(segmentation, number) for number in which]
        return list(dict.fromkeys(x for x in found if x is not None))

    def _new_image(self, box: dict[str, Any], label: int = 1) -> Any:
        """A box of the label in a box of zeros; some corners are cut off, so that it turns."""
        image = self.module.vtkOrientedImageData()
        image.SetExtent(*box["extent"])
        image.AllocateScalars({"uchar": 3, "short": 4, "int": 6}[box.get("type", "uchar")], 1)
        image.SetImageToWorldMatrix(self.other_lattice if box.get("other") else self.lattice)
        shape = [box["extent"][2 * a + 1] - box["extent"][2 * a] + 1 for a in (2, 1, 0)]
        voxels = vtk_to_numpy(image.GetPointData().GetScalars())
        voxels[:] = 0
        if voxels.size:
            inside = np.zeros(shape, voxels.dtype)
            lower = [box["fill"][2 * a] - box["extent"][2 * a] for a in (2, 1, 0)]
            upper = [box["fill"][2 * a + 1] - box["extent"][2 * a] + 1 for a in (2, 1, 0)]
            part = tuple(slice(max(0, a), max(0, b)) for a, b in zip(lower, upper, strict=True))
            inside[part] = label
            if box.get("cut"):
                k, j, i = np.indices(shape)
                inside[(i + 2 * j + k) % 5 == 0] = 0
            voxels[:] = inside.ravel()
        image.GetPointData().GetScalars().Modified()
        return image

    def _new_segment(self, operation: dict[str, Any]) -> Any:
        segment = self.module.vtkSegment()
        segment.SetName(operation["name"])
        segment.SetColor(*operation["color"])
        segment.SetNameAutoGenerated(operation.get("auto", False))
        if "tag" in operation:
            segment.SetTag(operation["tag"], "value")
        return segment

    def _settle(self, segmentation: Any) -> None:
        """Make Slicer observe the source of the segment that was added last, as ours does."""
        self.expected["add-segment-observes-at-once"] += 1
        if segmentation.GetNumberOfSegments():
            segmentation.GetNthSegment(0).Modified()

    def do_add_empty(self, segmentation: Any, op: dict[str, Any]) -> Any:
        identifier = segmentation.AddEmptySegment(op["id"], op["name"], op["color"])
        self._settle(segmentation)
        return identifier

    def _add(self, segmentation: Any, segment: Any, op: dict[str, Any]) -> Any:
        if segmentation.GetSegment(op["id"]) is not None:
            self.expected["add-segment-existing-id"] += 1
            return "taken"
        before = self._pick(segmentation, op["before"]) if "before" in op else ""
        added = segmentation.AddSegment(segment, op["id"], before or "")
        self._settle(segmentation)
        self._drop_steps(segmentation)
        return added

    def _drop_steps(self, segmentation: Any) -> None:
        """Drop what a conversion to the others' representations left behind on its way."""
        if self.kind != "fractional":
            return
        self.expected["add-segment-keeps-no-steps"] += 1
        ear = self.ears[self.segmentations.index(segmentation)]
        heard = ear.take()
        held = {}
        for identifier in segmentation.GetSegmentIDs():
            held[identifier] = []
            segmentation.GetSegment(identifier).GetContainedRepresentationNames(held[identifier])
        common = set.intersection(*map(set, held.values())) if held else set()
        for identifier, names in held.items():
            for name in set(names) - common:
                segmentation.GetSegment(identifier).RemoveRepresentation(name)
        ear.take()
        ear.heard = heard

    def do_add_image(self, segmentation: Any, op: dict[str, Any]) -> Any:
        segment = self._new_segment(op)
        segment.SetLabelValue(op["label"])
        segment.AddRepresentation(BINARY, self._new_image(op["box"], op["label"]))
        return self._add(segmentation, segment, op)

    def do_add_fractional(self, segmentation: Any, op: dict[str, Any]) -> Any:
        """A ball of fractions."""
        segment = self._new_segment(op)
        image = self.module.vtkOrientedImageData()
        image.SetExtent(*op["box"]["extent"])
        image.AllocateScalars(VTK_SIGNED_CHAR, 1)
        image.SetImageToWorldMatrix(self.lattice)
        at = np.indices(self._shape(op["box"]["extent"]))
        centre = [size / 2 - 0.4 for size in at.shape[1:]]
        distance = np.sqrt(sum((a - c) ** 2 for a, c in zip(at, centre, strict=True)))
        values = np.trunc(np.clip(60 * (op["radius"] - distance), -108, 108))
        values[values == 0] = 7  # no voxel's centre is on the surface
        vtk_to_numpy(image.GetPointData().GetScalars())[:] = values.ravel().astype(np.int8)
        limits = vtkDoubleArray()
        limits.SetName("ScalarRange")
        limits.InsertNextValue(-108)
        limits.InsertNextValue(108)
        image.GetFieldData().AddArray(limits)
        segment.AddRepresentation(FRACTIONAL, image)
        return self._add(segmentation, segment, op)

    def _new_surface(self, op: dict[str, Any]) -> Any:
        cube = vtkCubeSource()
        cube.SetBounds(*op["bounds"])
        to_world = vtkTransform()
        to_world.SetMatrix(self.lattice)
        move = vtkTransformPolyDataFilter()
        move.SetInputConnection(cube.GetOutputPort())
        move.SetTransform(to_world)
        move.Update()
        return move.GetOutput()

    def do_add_surface(self, segmentation: Any, op: dict[str, Any]) -> Any:
        segment = self._new_segment(op)
        segment.AddRepresentation(SURFACE, self._new_surface(op))
        self._without_collapse(segmentation)
        return self._add(segmentation, segment, op)

    def do_remove(self, segmentation: Any, op: dict[str, Any]) -> Any:
        identifier = self._pick(segmentation, op["segment"])
        if identifier is not None:
            segmentation.RemoveSegment(identifier)
        return identifier

    def do_remove_all(self, segmentation: Any, _op: dict[str, Any]) -> None:
        segmentation.RemoveAllSegments()
        self._forget_separations(segmentation)

    def _forget_separations(self, segmentation: Any) -> None:
        """Of the removal of all segments, keep what says that they are removed."""
        self.expected["remove-all-segments-events"] += 1
        ear = self.ears[self.segmentations.index(segmentation)]
        ear.heard = [event for event in ear.heard if event.startswith(("removed", "added"))]

    def do_describe(self, segmentation: Any, op: dict[str, Any]) -> Any:
        identifier = self._pick(segmentation, op["segment"])
        if identifier is not None:
            segment = segmentation.GetSegment(identifier)
            if "name" in op:
                segment.SetName(op["name"])
            if "color" in op:
                segment.SetColor(*op["color"])
            if "tag" in op:
                segment.SetTag(op["tag"], op["value"])
            if "untag" in op:
                segment.RemoveTag(op["untag"])
            if "auto" in op and not self.copied:  # or one of the two may have it already
                segment.SetNameAutoGenerated(op["auto"])
        return identifier

    def do_set_index(self, segmentation: Any, op: dict[str, Any]) -> Any:
        identifier = self._pick(segmentation, op["segment"])
        return identifier is not None and segmentation.SetSegmentIndex(
            identifier, op["index"] % segmentation.GetNumberOfSegments()
        )

    def do_reorder(self, segmentation: Any, op: dict[str, Any]) -> Any:
        moved = self._picks(segmentation, op["segments"])
        before = self._pick(segmentation, op["before"]) if "before" in op else ""
        if before and (len(moved) > 1 or before in moved):
            self.expected["reorder-several-before"] += 1
            moved = [identifier for identifier in moved if identifier != before][:1]
        segmentation.ReorderSegments(moved, before or "")
        return moved

    def do_share(self, segmentation: Any, op: dict[str, Any]) -> Any:
        """Put a segment into the layer of another one, by hand."""
        identifier = self._pick(segmentation, op["segment"])
        other = self._pick(segmentation, op["with"])
        if identifier is None or segmentation.GetSourceRepresentationName() != BINARY:
            return "nothing"
        image = segmentation.GetSegmentRepresentation(other, BINARY)
        if segmentation.GetSegmentRepresentation(identifier, BINARY) is image:
            return "shared"
        label = segmentation.GetUniqueLabelValueForSharedLabelmap(other)
        segment = segmentation.GetSegment(identifier)
        segment.SetLabelValue(label)
        segment.AddRepresentation(BINARY, image)
        self.expected["history-older-object"] += 1  # Slicer's would not notice
        image.Modified()
        self._erase_orphans(segmentation)
        return [identifier, other, label]

    def do_separate(self, segmentation: Any, op: dict[str, Any]) -> Any:
        identifier = self._pick(segmentation, op["segment"])
        if identifier is None or not segmentation.ContainsRepresentation(BINARY):
            return "nothing"
        segmentation.SeparateSegmentLabelmap(identifier)
        return identifier

    def do_merge(self, segmentation: Any, op: dict[str, Any]) -> Any:
        merged = self._picks(segmentation, op["segments"])
        if not merged or segmentation.GetSourceRepresentationName() != BINARY:
            return "nothing"
        segmentation.MergeSegmentLabelmaps(merged)
        self._once(segmentation)
        self._erase_orphans(segmentation, "merge-leaves-no-voxels")
        return merged

    def _erase_orphans(self, segmentation: Any, name: str = "") -> None:
        """Set voxels that belong to no segment of a layer to 0.

        Where this is a difference of that name, nobody is told.
        """
        for i in range(segmentation.GetNumberOfLayers(BINARY)):
            image = segmentation.GetLayerDataObject(i, BINARY)
            if image.IsEmpty():
                continue
            scalars = image.GetPointData().GetScalars()
            voxels = vtk_to_numpy(scalars)
            labels = [
                segmentation.GetSegment(identifier).GetLabelValue()
                for identifier in segmentation.GetSegmentIDsForDataObject(image, BINARY)
            ]
            orphans = ~np.isin(voxels, [0, *labels])
            if orphans.any():
                voxels[orphans] = 0
                scalars.Modified()
                if name:
                    self.expected[name] += 1
                else:
                    image.Modified()

    def _once(self, segmentation: Any) -> None:
        """Of equal events keep one."""
        self.expected["merge-segment-modified-once"] += 1
        ear = self.ears[self.segmentations.index(segmentation)]
        ear.heard = list(dict.fromkeys(ear.heard))

    def do_collapse(self, segmentation: Any, op: dict[str, Any]) -> Any:
        if segmentation.GetSourceRepresentationName() != BINARY:
            return "nothing"
        if self._first_layer_is_empty(segmentation) and not op["force"]:
            return "the first layer is empty"
        if not op["force"] and self._is_lost_on_the_other_lattice(segmentation):
            return "too small"
        self._collapse(segmentation, op["force"])
        return None

    def _empty_surface(self, segmentation: Any, identifier: str) -> bool:
        """Whether a conversion to voxels starts from nothing; in Slicer that leaves the label."""
        surface = segmentation.GetSegmentRepresentation(identifier, SURFACE)
        found = surface is not None and not surface.GetNumberOfPoints()
        self.expected["surface-empty-is-converted"] += found
        return found

    def _without_collapse(self, segmentation: Any, *others: Any) -> None:
        """Keep a conversion from collapsing where segments without voxels make a difference."""
        for holder in (segmentation, *others):
            for identifier in holder.GetSegmentIDs():
                surface = holder.GetSegmentRepresentation(identifier, SURFACE)
                if surface.GetNumberOfPoints() if surface else self._count(holder, identifier):
                    continue
                self.expected["collapse-segment-without-voxels"] += 1
                segmentation.SetConversionParameter("Collapse labelmaps", "0")
            if self._is_lost_on_the_other_lattice(holder):
                segmentation.SetConversionParameter("Collapse labelmaps", "0")

    def _is_lost_on_the_other_lattice(self, segmentation: Any) -> bool:
        """Whether a segment has no voxels on one of the lattices; Slicer may put it there."""
        if self.kind != "mixed":
            return False
        for identifier in segmentation.GetSegmentIDs():
            image = segmentation.GetSegmentRepresentation(identifier, BINARY)
            if not self._count(segmentation, identifier):
                continue
            own = self.module.vtkOrientedImageData()
            own.DeepCopy(image)
            voxels = vtk_to_numpy(own.GetPointData().GetScalars())
            voxels[:] = voxels == segmentation.GetSegment(identifier).GetLabelValue()
            for lattice in (self.lattice, self.other_lattice):
                other = self.module.vtkOrientedImageData()
                other.SetExtent(-9, 30, -9, 30, -9, 30)
                other.SetImageToWorldMatrix(lattice)
                self.module.vtkOrientedImageDataResample.ResampleOrientedImageToReferenceOrientedImage(
                    own, other, other
                )
                if not vtk_to_numpy(other.GetPointData().GetScalars()).any():
                    self.expected["collapse-keeps-small-segments"] += 1
                    return True
        return False

    def _collapse(self, segmentation: Any, force: bool) -> None:
        empty = segmentation.GetNumberOfLayers(BINARY) > 1 and any(
            not self._count(segmentation, identifier) for identifier in segmentation.GetSegmentIDs()
        )
        segmentation.CollapseBinaryLabelmaps(force)
        self._once(segmentation)
        if empty and not force:
            # Slicer makes the first layer as large as the images of such segments were.
            self._quietly_tighten(segmentation, "collapse-segment-without-voxels")

    def _quietly_tighten(self, segmentation: Any, name: str, only_empty: bool = False) -> None:
        ear = self.ears[self.segmentations.index(segmentation)]
        heard = ear.take()
        self.expected[name] += self._tighten(segmentation, only_empty)
        ear.heard = heard

    def _count(self, segmentation: Any, identifier: str) -> int:
        """Number of voxels of a segment."""
        image = segmentation.GetSegmentRepresentation(identifier, BINARY)
        if image is None or image.IsEmpty():
            return 0
        label = segmentation.GetSegment(identifier).GetLabelValue()
        return int(np.count_nonzero(vtk_to_numpy(image.GetPointData().GetScalars()) == label))

    def _first_layer_is_empty(self, segmentation: Any) -> bool:
        """Whether Slicer would take the lattice of an image without voxels for all others."""
        if segmentation.GetNumberOfLayers(BINARY) < 2:
            return False
        found = bool(segmentation.GetLayerDataObject(0, BINARY).IsEmpty())
        self.expected["collapse-lattice-of-empty-layer"] += found
        return found

    def do_create(self, segmentation: Any, op: dict[str, Any]) -> Any:
        if not segmentation.GetNumberOfSegments():
            return "nothing"
        if op["name"] == BINARY and any(
            self._empty_surface(segmentation, identifier)
            for identifier in segmentation.GetSegmentIDs()
        ):
            return "empty surface"
        self._without_collapse(segmentation)
        return segmentation.CreateRepresentation(op["name"], op["always"])

    def do_drop(self, segmentation: Any, op: dict[str, Any]) -> Any:
        if segmentation.GetSourceRepresentationName() == op["name"]:
            return "nothing"
        return segmentation.RemoveRepresentation(op["name"])

    def do_set_source(self, segmentation: Any, op: dict[str, Any]) -> Any:
        if segmentation.GetNumberOfSegments() and not segmentation.ContainsRepresentation(
            op["name"]
        ):
            self.expected["source-switch-keeps-data"] += 1
            return "missing"
        segmentation.SetSourceRepresentationName(op["name"])
        # The history does not hold the name, so an undo would leave segments without a source.
        self.history.RemoveAllStates()
        return None

    def do_edit(self, segmentation: Any, op: dict[str, Any]) -> Any:
        """Write voxels in place and say so."""
        identifier = self._pick(segmentation, op["segment"])
        if identifier is None:
            return "nothing"
        image = segmentation.GetSegmentRepresentation(identifier, BINARY)
        if image is None or image.IsEmpty():
            return "empty"
        voxels = vtk_to_numpy(image.GetPointData().GetScalars())
        label = segmentation.GetSegment(identifier).GetLabelValue()
        voxels[op["start"] % voxels.size :: op["step"]] = label
        image.GetPointData().GetScalars().Modified()
        image.Modified()
        return identifier

    def do_modify(self, segmentation: Any, op: dict[str, Any]) -> Any:
        identifier = self._pick(segmentation, op["segment"])
        if identifier is None or segmentation.GetSourceRepresentationName() != BINARY:
            return "nothing"
        if segmentation.ContainsRepresentation(SURFACE):
            return "other representations"  # Slicer's logic converts them again, ours has no logic
        mode = op["mode"]
        sharing: list[str] = []
        segmentation.GetSegmentIDsSharingBinaryLabelmapRepresentation(identifier, sharing)
        if mode == 1 and len(sharing) > 1:
            self.expected["modifier-merge-max-shared"] += 1
            return "shared"
        if mode == 1 and segmentation.GetSegment(identifier).GetLabelValue() != 1:
            self.expected["modifier-merge-max-shared"] += 1
            return "label"
        overwrite = self._picks(segmentation, op["overwrite"])
        image = self._new_image(op["box"])
        if mode == 0 and len(sharing) > 1 and not image.GetPointData().GetScalars().GetRange()[1]:
            self.expected["modifier-replace-by-nothing"] += 1
            return "nothing to replace it by"
        layer = segmentation.GetSegmentRepresentation(identifier, BINARY)
        moved = not (
            layer.IsEmpty()
            or self.module.vtkOrientedImageDataResample.DoGeometriesMatch(layer, image)
        )
        if layer.IsEmpty():
            # Slicer takes the modifier's voxel type, ours that of the layer.
            self.expected["modifier-type-of-empty-layer"] += 1
            self.typed = False
        before = self._places(segmentation)
        done = self.library.modify(segmentation, identifier, image, mode, overwrite)
        if self._places(segmentation) == before:
            # Slicer may fire although nothing changed, or not; ours if the layer shrank.
            self.expected["modifier-unchanged-events"] += 1
            self.ears[self.segmentations.index(segmentation)].take()
        elif moved:
            # Slicer does not say that the layer got another lattice if nothing was written to it.
            self.expected["modifier-lattice-events"] += 1
            self.ears[self.segmentations.index(segmentation)].take()
        self._quietly_tighten(segmentation, "modifier-layer-without-voxels", True)
        return done

    def _places(self, segmentation: Any) -> list[Any]:
        """Of each segment, where its voxels are."""
        found = []
        for identifier in segmentation.GetSegmentIDs():
            image = segmentation.GetSegmentRepresentation(identifier, BINARY)
            places: Any = []
            if image is not None and not image.IsEmpty():
                label = segmentation.GetSegment(identifier).GetLabelValue()
                voxels = vtk_to_numpy(image.GetPointData().GetScalars())
                inside = np.argwhere(voxels.reshape(self._shape(image.GetExtent())) == label)
                places = (inside + np.array(image.GetExtent()[::2])[::-1]).tolist()
            found.append(places)
        return found

    def do_clear(self, segmentation: Any, op: dict[str, Any]) -> Any:
        identifier = self._pick(segmentation, op["segment"])
        if identifier is not None:
            segmentation.ClearSegment(identifier)
            self.expected["clear-segment-events"] += 1
            ear = self.ears[self.segmentations.index(segmentation)]
            ear.heard = list(dict.fromkeys(ear.heard))
        return identifier

    def do_save_state(self, _segmentation: Any, _op: dict[str, Any]) -> Any:
        return self.history.SaveState()

    def do_undo(self, _segmentation: Any, _op: dict[str, Any]) -> Any:
        return self._restored(self.history.RestorePreviousState)

    def do_redo(self, _segmentation: Any, _op: dict[str, Any]) -> Any:
        return self._restored(self.history.RestoreNextState)

    def _restored(self, restore: Callable[[], bool]) -> bool:
        ear, segmentation = self.ears[0], self.segmentations[0]
        count = segmentation.GetNumberOfSegments()
        done = restore()
        if done and not (count and segmentation.GetNumberOfSegments()):
            self.expected["history-names-of-nothing"] += 1
            ear.heard = [event for event in ear.heard if event != "names"]
        # Slicer says of all segments that they are modified, ours of those that are.
        self.expected["history-restores-what-changed"] += done
        # It adds them by alphabet and orders them afterwards.
        ear.heard = sorted(e for e in ear.heard if e.startswith(("added", "removed", "names")))
        return done

    def do_states(self, _segmentation: Any, op: dict[str, Any]) -> Any:
        self.history.SetMaximumNumberOfStates(op["count"])

    def do_forget(self, _segmentation: Any, _op: dict[str, Any]) -> Any:
        self.history.RemoveAllStates()

    def do_copy(self, segmentation: Any, op: dict[str, Any]) -> Any:
        segmentation.DeepCopy(self.segmentations[1 - op["target"]])
        self._forget_separations(segmentation)
        self._settle(segmentation)

    def do_copy_segment(self, segmentation: Any, op: dict[str, Any]) -> Any:
        source = self.segmentations[1 - op["target"]]
        identifier = self._pick(source, op["segment"])
        if identifier is None:
            return "nothing"
        sharing: list[str] = []
        source.GetSegmentIDsSharingRepresentation(
            identifier, source.GetSourceRepresentationName(), sharing
        )
        if op["move"] and len(sharing) > 1:
            self.expected["moved-segment-leaves-its-layer-first"] += 1
            return "shared"
        if self._empty_surface(source, identifier):
            return "empty surface"
        self._without_collapse(segmentation, source)
        done = segmentation.CopySegmentFromSegmentation(source, identifier, op["move"])
        self._settle(segmentation)
        self._drop_steps(segmentation)
        return done

    def do_parameter(self, segmentation: Any, op: dict[str, Any]) -> Any:
        segmentation.SetConversionParameter(op["name"], op["value"])
        return segmentation.GetConversionParameter(op["name"])

    def do_parameters(self, segmentation: Any, op: dict[str, Any]) -> Any:
        source = self.segmentations[1 - op["target"]]
        if op["by_text"]:
            segmentation.DeserializeConversionParameters(source.SerializeAllConversionParameters())
        else:
            segmentation.CopyConversionParameters(source)

    def do_transform(self, _segmentation: Any, op: dict[str, Any]) -> Any:
        """Move both, and what is added later; the history still has the old place."""
        transform = vtkTransform()
        transform.Translate(*op["move"])
        transform.RotateZ(op["turn"])
        for segmentation, ear in zip(self.segmentations, self.ears, strict=True):
            segmentation.ApplyLinearTransform(transform)
            self.expected["transform-events-once"] += 1
            ear.heard = list(dict.fromkeys(ear.heard))
        for lattice in (self.lattice, self.other_lattice):
            vtkMatrix4x4.Multiply4x4(transform.GetMatrix(), lattice, lattice)
        self.history.RemoveAllStates()

    def do_ask(self, segmentation: Any, op: dict[str, Any]) -> Any:
        """Questions, which change nothing."""
        identifier = self._pick(segmentation, op["segment"])
        answers: list[Any] = [
            self._by_name(segmentation, op["name"]),
            segmentation.GetSegmentIndex(identifier or "none"),
            segmentation.CanAcceptRepresentation(op["representation"]),
            segmentation.ContainsRepresentation(op["representation"]),
            segmentation.IsSourceRepresentationPolyData(),
            segmentation.IsSourceRepresentationImageData(),
            [segmentation.GetNthSegmentID(i) for i in range(3)],
            list(segmentation.GetSegmentIDsForLayer(0)),
            segmentation.GetLayerIndex(identifier) if identifier else None,
        ]
        bounds = [0.0] * 6
        segmentation.GetBounds(bounds)
        if self.kind not in ("below", "smooth"):
            answers.append(numbers(b if abs(b) < 1e30 else math.copysign(1, b) for b in bounds))
        chosen = vtkStringArray()
        for picked in self._picks(segmentation, op["segments"]):
            chosen.InsertNextValue(picked)
        if segmentation.ContainsRepresentation(BINARY) and self.kind != "below":
            text = segmentation.DetermineCommonLabelmapGeometry(op["mode"], chosen)
            answers.append(self._geometry(text))
        if identifier:
            answers.append(segmentation.GetUniqueLabelValueForSharedLabelmap(identifier))
            for include in (True, False):
                sharing: list[str] = []
                segmentation.GetSegmentIDsSharingBinaryLabelmapRepresentation(
                    identifier, sharing, include
                )
                self.expected["display-order-everywhere"] += 1
                answers.append(sorted(sharing))
        return answers

    def _by_name(self, segmentation: Any, name: str) -> str:
        count = segmentation.GetNumberOfSegments()
        names = [segmentation.GetNthSegment(i).GetName().lower() for i in range(count)]
        if names.count(name.lower()) > 1:
            self.expected["display-order-everywhere"] += 1
            return "several"
        return segmentation.GetSegmentIdBySegmentName(name)

    def do_file(self, segmentation: Any, op: dict[str, Any]) -> Any:
        """Save and load into the other segmentation."""
        other = self.segmentations[1 - op["target"]]
        source = segmentation.GetSourceRepresentationName()
        if not segmentation.GetNumberOfSegments():
            return "nothing"
        if source == FRACTIONAL:
            self.expected["file-fractional-source"] += 1
            return "fractional"
        if source == BINARY:
            if self._first_layer_is_empty(segmentation):
                return "the first layer is empty"
            if self._is_lost_on_the_other_lattice(segmentation):
                return "too small"
            self.expected["saving-keeps-layers"] += 1
            self._collapse(segmentation, False)
            if self._all_on_other_lattice(segmentation):
                return "own lattice"
        elif any(
            not segmentation.GetSegmentRepresentation(identifier, SURFACE).GetNumberOfPoints()
            for identifier in segmentation.GetSegmentIDs()
        ):
            self.expected["file-segment-without-surface"] += 1
            return "empty surface"
        path = self.scratch / ("file.seg.nrrd" if source == BINARY else "file.seg.vtm")
        written = self.library.write(segmentation, str(path))
        other.RemoveAllSegments()
        if source != BINARY:
            other.SetSourceRepresentationName(SURFACE)
        read = self.library.read(str(path), other)
        self.expected["file-extent-own"] += 1
        self._tighten(other)
        self._settle(other)
        for ear in self.ears:
            ear.take()  # those of files are the application's
        return [written, read]

    def _all_on_other_lattice(self, segmentation: Any) -> bool:
        """Whether Slicer would resample what is on one lattice to that of the reference."""
        reference = self.module.vtkOrientedImageData()
        reference.SetImageToWorldMatrix(self.lattice)
        layers = [
            segmentation.GetLayerDataObject(i, BINARY)
            for i in range(segmentation.GetNumberOfLayers(BINARY))
        ]
        match = self.module.vtkOrientedImageDataResample.DoGeometriesMatch
        found = not any(match(image, reference) for image in layers if not image.IsEmpty())
        found = found and any(not image.IsEmpty() for image in layers)
        self.expected["file-own-lattice"] += found
        return found

    def _tighten(self, segmentation: Any, only_empty: bool = False) -> bool:
        """Make the layers no larger than what is labelled; without voxels, they have no place."""
        changed = False
        for i in range(segmentation.GetNumberOfLayers(BINARY)):
            image = segmentation.GetLayerDataObject(i, BINARY)
            tight = self.module.vtkOrientedImageData()
            extent = image.GetExtent()
            scalars = image.GetPointData().GetScalars()
            box, voxels = [], np.zeros(0)
            if not image.IsEmpty():
                box, voxels = self._tight(vtk_to_numpy(scalars), extent)
            if box and only_empty:
                continue
            if box:
                tight.SetExtent(*box)
                tight.CopyDirections(image)
                tight.SetSpacing(image.GetSpacing())
                tight.SetOrigin(image.GetOrigin())
                tight.AllocateScalars(scalars.GetDataType(), 1)
                vtk_to_numpy(tight.GetPointData().GetScalars())[:] = voxels.ravel()
            else:
                tight.AllocateScalars(3, 1)
            image.DeepCopy(tight)
            changed = True
        return changed

    @staticmethod
    def _shape(extent: Any) -> tuple[int, ...]:
        return tuple(extent[2 * a + 1] - extent[2 * a] + 1 for a in (2, 1, 0))


def play(library: Any, session: dict[str, Any]) -> dict[str, Any]:
    """All states of a session."""
    with tempfile.TemporaryDirectory() as scratch:
        world = World(library, session, Path(scratch))
        states = [world.state(None)]
        for operation in session["operations"]:
            try:
                result = world.run(operation)
            except Exception as error:  # the other library may not
                result = f"{type(error).__name__}: {error}"
            states.append(world.state(result))
    return {"states": states, "expected": dict(world.expected)}


def main(name: str) -> None:
    """Answer sessions until there are no more."""
    vtkObject.GlobalWarningDisplayOff()
    library = Slicer() if name == "slicer" else Ours()
    with os.fdopen(os.dup(1), "w") as answers:
        os.dup2(2, 1)  # what libraries print is no answer
        for line in sys.stdin:
            print(json.dumps(play(library, json.loads(line))), file=answers, flush=True)
        os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1])
