"""Slicer's containers: the same calls on our library and on Slicer's own.

====================== =========================================================================
history save, undo     a state after an edit of 10^3 voxels, in one layer of 128^3 to 512^3
history save, untold   the same, where the voxels were changed by hand
stroke                 adding 10^3 voxels to a layer of 512^3
resampling             nearest and linear, from one oblique lattice to another, 256^3
write                  a compressed ``.seg.nrrd`` of the rock, 256^3, three labels
surfaces               CreateRepresentation of the brain atlas, 116 segments of one layer
labelmap               its surfaces back to binary labelmaps
collapse, merge        100 segments with a layer each, into one
remove                 one of 100 segments of one layer
effective extents      the common box of 100 segments of one layer
AddSegment             1000 segments without voxels
====================== =========================================================================

Resampling and writing are done by other libraries too, see `datamodel_peers`. All may use all
threads; Slicer's VTK does by its own settings. Results are compared by the numbers that
`..peers.data_model_tasks` gives: voxels, points of surfaces (which may differ), or bytes.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from .. import data
from ..catalogue import bars
from ..measure import Timing, describe, interleave
from ..peers.data_model_tasks import Tasks
from ..peers.slicer import Slicer, SlicerError
from ..results import ratio
from . import Context, GroupError, stencil
from .datamodel_peers import others

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

        def write_file(segmentation: Any, file: str) -> bool:
            writer = module.vtkSegmentationFileWriter()
            writer.SetFileName(file)
            return bool(writer.Write(segmentation))

        self.tasks = Tasks(module, module.vtkSegmentation, modify, write_file)

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


def cases(
    quick: bool, atlas: Path, rock: Path
) -> list[tuple[str, str, tuple[int, int, int], str, dict]]:
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
    options = {"path": str(rock), "file": str(rock.with_name("written.seg.nrrd"))}
    found.append(("write .seg.nrrd", "rock, 3 labels", (256,) * 3, "write", options))
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
        rock = Path(folder) / "rock.npy"
        np.save(rock, data.rock_phases(data.load("rock", 256)))
        todo = cases(context.quick, atlas, rock)
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
    name_of_data: str,
    size: tuple[int, int, int],
    task: str,
    options: dict[str, Any],
) -> None:
    """The rows of one task."""
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
    for other in others(task, options, context.threads[-1]):
        contenders[other.name] = other
        warm_up[other.name] = other.run()
        numbers[other.name] = [other.outcome]
    rounds = 3 if context.quick else 7
    timings, errors = interleave(contenders, warm_up, rounds=rounds, budget=60.0)
    if "" in errors:
        raise GroupError(f"{title}: {errors['']}")
    versions = {PEER: slicer.versions["slicer-core"] if slicer is not None else None}
    versions |= {
        name: peer.version for name, peer in contenders.items() if hasattr(peer, "version")
    }
    errors.setdefault(PEER, error)
    mine = float(np.sum(numbers[""]))
    peers: list[str | None] = [name for name in contenders if name]
    if slicer is not None and PEER not in peers:
        peers.insert(0, PEER)  # it failed
    for name in peers or [None]:
        note = ""
        if name in numbers:
            theirs = float(np.sum(numbers[name]))
            same = numbers[""] == numbers[name]
            note = "same result" if same else f"{mine:.9g}, {name.split()[0]} {theirs:.9g}"
        timing: Timing | None = timings.get(name) if name else None
        context.results.add(
            group=GROUP,
            effect=title,
            data=name_of_data,
            size=size,
            threads=context.threads[-1],
            ours=timings[""],
            peer=name,
            peer_version=versions.get(name),
            theirs=timing,
            note=note,
            error=errors.get(name, "") if name else "",
        )
    ratios = {
        name: ratio(timings[""].median, timing.median) for name, timing in timings.items() if name
    }
    context.results.document["bars"] += bars(
        title, name_of_data, f"{title}, {name_of_data}", ratios
    )
    ours.tasks.prepared = None
