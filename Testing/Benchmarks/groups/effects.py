"""The effects of the wheel, as Python functions on NumPy arrays, against other libraries.

All of a kind get the same voxels in the same run, and take turns. The result of each peer is
compared with ours, voxel by voxel; where both mean the same, a difference is told as such.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from segmentationcore import expand_segments, islands, margin, median, threshold, vtkLabelMapSurface
from segmentationcore.demo.data import DataError

from .. import data
from ..measure import Timing, describe, first_run, floor_seconds, interleave, stopwatch
from ..peers import Method, Task, local_methods
from ..peers.slicer import Slicer, SlicerError
from ..peers.vtk_peer import image_of, triangles, use_threads
from . import Context

GROUP = "effects"
OURS = "segmentationcore"
BINS = 64  # our default, as Slicer's


def _ours(task: Task) -> Method:
    """Our own way to do a task."""
    array, options = task.array, task.options
    spacing = task.spacing
    if task.effect == "threshold":
        return Method("", lambda: threshold(array, minimum_threshold=options["minimum"]))
    if task.effect == "threshold Otsu":
        mode = "SET_LOWER_MAX"
        return Method(
            "",
            lambda: threshold(array, auto_threshold_mode=mode, number_of_bins=options["bins"]),
        )
    if task.effect == "islands keep largest":
        return Method("", lambda: islands(array, operation="KEEP_LARGEST_ISLAND"))
    if task.effect == "islands remove small":
        least = options["minimum_size"]
        operation = "REMOVE_SMALL_ISLANDS"
        return Method("", lambda: islands(array, operation=operation, minimum_size=least))
    if task.effect in ("margin grow", "margin shrink"):
        distance = options["millimetres"] * (1 if task.effect == "margin grow" else -1)
        return Method("", lambda: margin(array, margin_size_mm=distance, spacing=spacing))
    if task.effect == "expand segments":
        distance = options["millimetres"]
        return Method(
            "", lambda: expand_segments(array, expansion_size_mm=distance, spacing=spacing)
        )
    if task.effect.startswith("median"):
        # Without a spacing a millimetre is a voxel.
        return Method("", lambda: median(array, kernel_size_mm=float(options["width"])))
    if task.effect == "surfaces":
        image = image_of(array, spacing)

        def surfaces() -> Any:
            algorithm = vtkLabelMapSurface()
            algorithm.SetInputData(image)
            algorithm.FacesOnceOn()  # as vtkSurfaceNets3D has them
            if not options["smooth"]:
                algorithm.SetSmoothingIterations(0)
            algorithm.Update()
            if algorithm.GetLastError():
                raise RuntimeError(algorithm.GetLastError())
            return algorithm.GetOutput()

        return Method("", surfaces, triangles)
    raise ValueError(f"the effect is {task.effect!r}; expected one of {sorted(EFFECTS)}")


# Effect to the options of its cases.
EFFECTS: dict[str, dict[str, Any]] = {
    "threshold": {},
    "threshold Otsu": {"bins": BINS},
    "islands keep largest": {},
    "islands remove small": {"minimum_size": 1000},
    "margin grow": {"millimetres": 3.0},
    "margin shrink": {"millimetres": 3.0},
    "median 3x3x3": {"width": 3},
    "median 5x5x5": {"width": 5},
    "expand segments": {"millimetres": 3.0},
    "surfaces": {"smooth": False},
}


def tasks(name: str, size: int) -> Iterator[tuple[str, str, Task]]:
    """For one sort of data: title of the effect, title of the data, and the task (one thread)."""
    if name == "atlas":
        labels, spacing = data.atlas()
        yield from _surface_tasks("atlas, 116 labels", labels, spacing)
        yield _expansion_task("atlas, 116 labels", labels, spacing)
        return
    sample = data.load(name, size)
    for effect in ("threshold", "threshold Otsu"):
        options = {**EFFECTS[effect], "minimum": sample.minimum}
        yield effect, name, Task(effect, sample.volume, sample.spacing, 1, options)
    first, last = next(iter(sample.masks)), list(sample.masks)[-1]
    masks = {mask: sample.labels(mask) for mask in dict.fromkeys((first, last))}
    for effect in ("margin grow", "margin shrink"):
        title = f"{effect} {EFFECTS[effect]['millimetres']:g} mm"
        task = Task(effect, masks[first], sample.spacing, 1, EFFECTS[effect])
        yield title, f"{name} {first}", task
    for effect in ("islands keep largest", "islands remove small", "median 3x3x3", "median 5x5x5"):
        task = Task(effect, masks[last], (1.0, 1.0, 1.0), 1, EFFECTS[effect])
        yield effect, f"{name} {last}", task
    if name == "rock":
        phases = data.rock_phases(sample)
        yield from _surface_tasks("rock, 3 labels", phases, sample.spacing)
        yield _expansion_task("rock, 2 of 3 labels", phases % np.uint8(3), sample.spacing)


def _surface_tasks(
    title: str, labels: np.ndarray, spacing: tuple[float, float, float]
) -> Iterator[tuple[str, str, Task]]:
    for smooth in (False, True):
        effect = "surfaces, smoothed" if smooth else "surfaces"
        yield effect, title, Task("surfaces", labels, spacing, 1, {"smooth": smooth})


def _expansion_task(
    title: str, labels: np.ndarray, spacing: tuple[float, float, float]
) -> tuple[str, str, Task]:
    effect = "expand segments"
    name = f"{effect} {EFFECTS[effect]['millimetres']:g} mm"
    return name, title, Task(effect, labels, spacing, 1, EFFECTS[effect])


def compare(ours: Any, theirs: Any, effect: str) -> tuple[int | None, int | None]:
    """Voxels that were compared, and those that differ; None if there is nothing to compare."""
    if not isinstance(ours, np.ndarray) or not isinstance(theirs, np.ndarray):
        return None, None
    if ours.shape != theirs.shape:
        raise ValueError(f"the result has shape {theirs.shape}; ours has {ours.shape}")
    if effect.startswith("median"):  # border rules differ
        inner = (slice(EFFECTS[effect]["width"] // 2, -(EFFECTS[effect]["width"] // 2)),) * 3
        ours, theirs = ours[inner], theirs[inner]
    return ours.size, int(np.count_nonzero((ours != 0) != (theirs != 0)))


class _Local:
    """A method of this process."""

    def __init__(self, method: Method) -> None:
        self.method = method

    def first(self) -> tuple[float, int, Any]:
        growth, seconds, raw = first_run(self.method.function)
        result = self.method.convert(raw)
        if isinstance(result, np.ndarray):
            growth -= result.nbytes
            result = result != 0
        elif hasattr(raw, "GetActualMemorySize"):  # a surface
            growth -= raw.GetActualMemorySize() * 1024
        return seconds, max(0, growth), result

    def run(self) -> float:
        return stopwatch(self.method.function)[0]


class _Remote:
    """A method of Slicer's process, made ready there."""

    def __init__(self, slicer: Slicer) -> None:
        self.slicer = slicer

    def first(self) -> tuple[float, int, Any]:
        answer = self.slicer.first()
        return answer["seconds"], answer["growth"], answer["result"]

    def run(self) -> float:
        return self.slicer.run()


def _moved(task: Task) -> int:
    """Bytes that must be read and written once."""
    return task.array.nbytes + (0 if task.effect == "surfaces" else task.array.size)


class _Peers:
    """Slicer's processes, started when they are first needed and again after they ended."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.processes: dict[int, Slicer] = {}
        self.missing = False

    def slicer(self, threads: int) -> Slicer | None:
        if self.missing:
            return None
        process = self.processes.get(threads)
        if process is not None and process.alive:
            return process
        try:
            self.processes[threads] = Slicer(threads)
        except SlicerError as error:
            self.missing = True
            self.context.results.fail(f"Slicer was not measured: {error}")
            return None
        versions = self.processes[threads].versions
        self.context.results.document["header"]["versions"]["slicer-core"] = versions["slicer-core"]
        return self.processes[threads]

    def close(self) -> None:
        for process in self.processes.values():
            process.close()


def run(context: Context) -> None:
    """All effects on all data."""
    names = ["rock"] if context.quick else ["rock", "mri", "ct", "atlas"]
    threads = context.threads[-1:] if context.quick else context.threads
    peers = _Peers(context)
    # Surfaces twice; others have none, and nothing to expand.
    number_of_tasks = {"rock": len(EFFECTS) + 1, "atlas": 3}
    planned = sum(number_of_tasks.get(name, len(EFFECTS) - 2) for name in names)
    context.progress.plan(planned * len(threads))
    try:
        for name in names:
            context.progress.tell(f"loading {name}")
            try:
                for title, data_title, task in tasks(name, context.size):
                    for number in threads:
                        _measure(context, peers, title, data_title, _with_threads(task, number))
                        context.progress.step()
            except DataError as error:
                context.results.fail(f"The {name} was not measured: {error}")
    finally:
        peers.close()


def _with_threads(task: Task, number: int) -> Task:
    return Task(task.effect, task.array, task.spacing, number, task.options)


def _candidates(
    context: Context, peers: _Peers, task: Task
) -> Iterator[tuple[str, str, str, Callable[[], Any] | None, str]]:
    """Peer, version, note, a maker of its contender, and why there is none."""
    for library, version, method in local_methods(task):
        if isinstance(method, str):
            yield library, version, "", None, method
        else:
            maker = lambda method=method: _Local(method)  # noqa: E731
            yield f"{library} {method.name}", version, method.note, maker, ""
    slicer = peers.slicer(task.threads)
    if slicer is None:
        return
    version = slicer.versions["slicer-core"]
    try:
        slicer.load(task)
        found = slicer.method(task)
    except SlicerError as error:
        yield "Slicer", version, "", None, describe(error)
        return
    if found:
        name = f"Slicer {found['name']}"
        yield name, version, found["note"], lambda: _Remote(slicer), ""


def _measure(context: Context, peers: _Peers, title: str, data_title: str, task: Task) -> None:
    """One effect on one volume with one number of threads: us and all peers."""
    what = f"{title}, {data_title}, {task.threads} thr"
    context.progress.tell(f"{what}: warm-up")
    use_threads(task.threads)
    voxels = task.array.size
    ours = _Local(_ours(task))
    seconds, growth, reference = ours.first()
    contenders: dict[str, Any] = {OURS: ours}
    warm_up = {OURS: seconds}
    about: dict[str, dict[str, Any]] = {}
    errors: dict[str, str] = {}
    scratch = growth / voxels
    our_text = reference if isinstance(reference, str) else ""
    for name, version, note, maker, reason in _candidates(context, peers, task):
        about[name] = {"peer_version": version or None, "note": note}
        if maker is None:
            errors[name] = reason
            continue
        context.progress.tell(f"{what}: {name}")
        try:
            contender = maker()
            warm_up[name], grown, result = contender.first()
            compared, different = compare(reference, result, task.effect)
        except Exception as error:  # a peer's failure is a result, not the end
            errors[name] = describe(error)
            continue
        contenders[name] = contender
        if isinstance(result, str):
            note = "; ".join(filter(None, [f"{result}, ours {our_text}", note]))
        about[name] |= {
            "peer_scratch": grown / voxels,
            "compared": compared,
            "different": different,
            "note": note,
        }
        del result
    del reference
    timings, failed = interleave(
        contenders,
        warm_up,
        rounds=3 if context.quick else 9,
        budget=2.0 if context.quick else 5.0,
        tell=lambda name: context.progress.tell(f"{what}: {name}"),
    )
    if OURS in failed:
        raise RuntimeError(f"{what}: our own effect failed: {failed[OURS]}")
    errors |= failed
    floor = floor_seconds(_moved(task), task.threads, context.results.bandwidth)
    shared: dict[str, Any] = {
        "group": GROUP,
        "effect": title,
        "data": data_title,
        "size": task.array.shape[::-1],
        "threads": task.threads,
        "ours": timings[OURS],
        "ours_scratch": scratch,
        "floor": floor,
    }
    if not about:
        context.results.add(**shared)
    for name, facts in about.items():
        theirs: Timing | None = timings.get(name)
        context.results.add(**shared, peer=name, theirs=theirs, error=errors.get(name, ""), **facts)
