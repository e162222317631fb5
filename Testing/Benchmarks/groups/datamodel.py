"""Slicer's containers: the same calls on our library and on Slicer's own.

====================== =========================================================================
history save, undo     a state after an edit of 10^3 voxels, in one layer of 128^3 to 512^3
history save, untold   the same, where the voxels were changed by hand
stroke                 adding 10^3 voxels to a layer of 512^3
resampling             nearest and linear, from one oblique lattice to another, 256^3
surfaces               CreateRepresentation of the brain atlas, 116 segments of one layer
labelmap               its surfaces back to binary labelmaps
collapse, merge        100 segments with a layer each, into one
remove                 one of 100 segments of one layer
effective extents      the common box of 100 segments of one layer
AddSegment             1000 segments without voxels
====================== =========================================================================

Both libraries may use all threads; Slicer's VTK does by its own settings. Results are compared by
the numbers that `..peers.data_model_tasks` gives: voxels, or points of surfaces, which may differ.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from .. import data
from ..measure import Timing, describe, interleave
from ..peers.data_model_tasks import Tasks
from ..peers.slicer import Slicer, SlicerError
from . import Context, GroupError, stencil

GROUP = "datamodel"
PEER = "Slicer vtkSegmentationCore"


class Ours:
    """Our library in this process."""

    def __init__(self) -> None:
        try:
            from segmentationcore import SegmentationCoreDataModel as module
        except ImportError as error:
            raise GroupError(f"this segmentationcore has no data model: {error}") from error
        factory = module.vtkSegmentationConverterFactory.GetInstance()
        if not factory.GetNumberOfConverterRules():
            factory.RegisterConverterRule(module.vtkBinaryLabelmapToClosedSurfaceConversionRule())
            factory.RegisterConverterRule(module.vtkClosedSurfaceToBinaryLabelmapConversionRule())
        mode = module.vtkSegmentationModifier.MODE_MERGE_MASK

        def modify(segmentation: Any, identifier: str, image: Any) -> bool:
            return bool(
                module.vtkSegmentationModifier.ModifyBinaryLabelmapUsingArrays(
                    image, segmentation, identifier, mode, None, None
                )
            )

        self.tasks = Tasks(module, module.vtkSegmentation, modify)

    def run(self) -> float:
        """Once more."""
        return self.tasks.run()


class Theirs:
    """Slicer's library in its process."""

    def __init__(self, slicer: Slicer) -> None:
        self.slicer = slicer

    def run(self) -> float:
        """Once more."""
        return float(self.slicer.ask("task_run")["seconds"])


def cases(quick: bool, atlas: Path) -> list[tuple[str, str, tuple[int, int, int], str, dict]]:
    """Title, data, size, task and its options."""
    found: list[tuple[str, str, tuple[int, int, int], str, dict]] = []
    for size in (128, 512) if quick else (128, 256, 512):
        for undo, title in ((False, "history save"), (True, "history undo")):
            options = {"size": size, "undo": undo}
            found.append((title, "one layer", (size,) * 3, "history", options))
    options = {"size": 512, "undo": False, "told": False}
    found.append(("history save, untold", "one layer", (512,) * 3, "history", options))
    found.append(("stroke", "one layer", (512,) * 3, "stroke", {"size": 512}))
    for linear, title in ((False, "resampling, nearest"), (True, "resampling, linear")):
        options = {"size": 256, "linear": linear}
        found.append((title, "rings", (256,) * 3, "resample", options))
    shape = tuple(np.load(atlas, mmap_mode="r").shape[::-1])
    for joint, title in ((False, "surfaces"), (True, "surfaces, joint smoothing")):
        options = {"path": str(atlas), "joint": joint}
        found.append((title, "atlas", shape, "surfaces", options))
    found.append(("surfaces to labelmap", "atlas", shape, "labelmap", {"path": str(atlas)}))
    size = 64 if quick else 128
    for force, title in ((False, "collapse"), (True, "merge")):
        options = {"count": 100, "size": size, "force": force}
        found.append((title, "100 segments", (size,) * 3, "collapse", options))
    found.append(
        ("effective extents", "100 segments", (size,) * 3, "extents", {"count": 100, "size": size})
    )
    options = {"count": 100, "size": 2 * size}
    found.append(("remove of 100", "100 segments", (2 * size,) * 3, "remove", options))
    found.append(("AddSegment", "1000 segments", (1, 1, 1), "add", {"count": 1000}))
    return found


def run(context: Context) -> None:
    """All cases."""
    ours = Ours()
    slicer: Slicer | None = None
    try:
        slicer = Slicer(context.threads[-1])
        context.results.document["header"]["versions"]["slicer-core"] = slicer.versions[
            "slicer-core"
        ]
    except SlicerError as error:
        context.results.fail(f"Slicer's data model was not measured: {error}")
    with tempfile.TemporaryDirectory(prefix="bench-datamodel-") as folder:
        atlas = Path(folder) / "atlas.npy"
        labels, _ = data.atlas()
        np.save(atlas, labels)
        todo = cases(context.quick, atlas)
        context.progress.plan(len(todo))
        try:
            for title, name, size, task, options in todo:
                context.progress.tell(f"{title}, {name}")
                _case(context, ours, slicer, title, name, size, task, options)
                context.progress.step()
        finally:
            if slicer is not None:
                slicer.close()
        stencil.run(context, ours.tasks.module)


def _case(
    context: Context,
    ours: Ours,
    slicer: Slicer | None,
    title: str,
    name: str,
    size: tuple[int, int, int],
    task: str,
    options: dict[str, Any],
) -> None:
    """One row."""
    contenders: dict[str, Any] = {"": ours}
    ours.tasks.prepare(task, options)
    warm_up = {"": ours.run()}
    numbers = {"": ours.tasks.outcome()}
    error = ""
    if slicer is not None and slicer.alive:
        try:
            slicer.ask("task", name=task, options=options)
            contenders[PEER] = Theirs(slicer)
            answer = slicer.ask("task_run")
            warm_up[PEER], numbers[PEER] = answer["seconds"], answer["outcome"]
        except SlicerError as failure:
            contenders.pop(PEER, None)
            error = describe(failure)
    rounds = 3 if context.quick else 7
    timings, errors = interleave(contenders, warm_up, rounds=rounds, budget=60.0)
    if "" in errors:
        raise GroupError(f"{title}: {errors['']}")
    note = ""
    if PEER in numbers:
        mine, theirs = (float(np.sum(numbers[who])) for who in ("", PEER))
        note = "same result" if numbers[""] == numbers[PEER] else f"{mine:g}, Slicer {theirs:g}"
    theirs_timing: Timing | None = timings.get(PEER)
    context.results.add(
        group=GROUP,
        effect=title,
        data=name,
        size=size,
        threads=context.threads[-1],
        ours=timings[""],
        peer=PEER if slicer is not None else None,
        peer_version=slicer.versions["slicer-core"] if slicer is not None else None,
        theirs=theirs_timing,
        note=note,
        error=error or errors.get(PEER, ""),
    )
    ours.tasks.prepared = None
