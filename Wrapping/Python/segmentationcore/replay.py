"""Replaying a journal at another resolution, and telling how well the results agree.

One edits a small copy of a volume, where everything is quick, and replays the journal on the whole.
`replay_report` does that on the whole and on the small copy, and compares the segments.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
import time
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ._arrays import is_image
from .editor import Editor
from .io import _existing, is_segmentation_name, read_segmentation, read_volume

if TYPE_CHECKING:
    from typing import TypeAlias

    from vtkmodules.vtkCommonDataModel import vtkImageData

    Source: TypeAlias = str | os.PathLike[str] | vtkImageData | Editor

__all__ = ["ReplayReport", "replay_report"]

Progress = Callable[[float], "bool | None"]


@dataclasses.dataclass(frozen=True)
class ReplayReport:
    """What `replay_report` found.

    Attributes
    ----------
    editor : Editor
        With the journal replayed on the volume; ``editor.labels()`` is the result.
    coarse : Editor or None
        The same for the coarse volume, if one was given.
    segments : tuple of dict
        One for each segment: ``segment``, ``name``, ``volume_mm3`` and, with a coarse volume, what
        `Editor.compare` tells besides.
    scale : float
        How many voxels of the volume one voxel of the journal's world has.
    seconds : float
        Time of the replay on the volume.
    coarse_seconds : float
        Time of the replay on the coarse one; 0 if there was none.
    """

    editor: Editor
    coarse: Editor | None
    segments: tuple[dict[str, Any], ...]
    scale: float
    seconds: float
    coarse_seconds: float

    def to_markdown(self, title: str = "Replay of a journal") -> str:
        """The report as Markdown text.

        Parameters
        ----------
        title : str
            Its first line.
        """
        editors = [("full", self.editor, self.seconds)]
        if self.coarse is not None:
            editors.insert(0, ("coarse", self.coarse, self.coarse_seconds))
        lines = [f"# {title}", ""]
        lines += _table(
            ["", *(name for name, _, _ in editors)],
            [
                ["voxels", *(_times(editor.shape) for _, editor, _ in editors)],
                ["spacing (mm)", *(_times(editor.spacing) for _, editor, _ in editors)],
                ["operations", *(str(len(editor.operations)) for _, editor, _ in editors)],
                ["replay", *(f"{seconds:.1f} s" for _, _, seconds in editors)],
                ["memory of labels", *(f"{e.memory / 2**20:.1f} MiB" for _, e, _ in editors)],
            ],
        )
        if not math.isclose(self.scale, 1.0, rel_tol=1e-6):
            lines += [
                "",
                f"A voxel of the journal has the volume of {self.scale:g} full ones; numbers of "
                "voxels in its operations were scaled by that. Lengths and positions are in mm.",
            ]
        lines += ["", "## Segments", ""]
        if self.coarse is None:
            rows = [[_cell(r["name"]), volume_text(r["volume_mm3"])] for r in self.segments]
            return "\n".join([*lines, *_table(["segment", "volume"], rows), ""])
        lines += _table(
            ["segment", "Dice", "volume, coarse", "volume, full", "difference"],
            [
                [
                    _cell(row["name"]),
                    f"{row['dice']:.4f}",
                    volume_text(row["other_volume_mm3"]),
                    volume_text(row["volume_mm3"]),
                    _difference(row["other_volume_mm3"], row["volume_mm3"]),
                ]
                for row in self.segments
            ],
        )
        lines += ["", "## Where they differ most", ""]
        worst = [
            [
                _cell(row["name"]),
                ", ".join(f"{part:.1f}" for part in block["center"]),
                f"{block['voxels']:,}",
            ]
            for row in self.segments
            for block in row["worst"]
        ]
        if worst:
            edge = self.editor.session.GetBlockEdge()
            lines += [f"Blocks of up to {edge} voxels along each edge.", ""]
            axes = {3: "z, y, x", 2: "y, x"}[len(self.editor.shape)]
            if not self.editor.has_arrays:
                axes = "R, A, S"
            lines += _table(["segment", f"centre {axes} (mm)", "differing voxels"], worst)
        else:
            lines.append("Nowhere.")
        return "\n".join([*lines, ""])


def volume_text(cubic_millimetres: float) -> str:
    """A volume in mm³, and in a unit that suits it.

    Examples
    --------
    >>> from segmentationcore.replay import volume_text
    >>> volume_text(1234567.0), volume_text(12.5), volume_text(0.00025)
    ('1,234,567 mm³ (1.235 l)', '12.5 mm³', '0.00025 mm³ (250,000 µm³)')
    """
    value = abs(cubic_millimetres)
    text = f"{cubic_millimetres:,.0f} mm³" if value >= 1e5 else f"{cubic_millimetres:,.6g} mm³"
    if value >= 1e6:
        return f"{text} ({cubic_millimetres / 1e6:.4g} l)"
    if value >= 1e3:
        return f"{text} ({cubic_millimetres / 1e3:.4g} ml)"
    if 0.0 < value < 1e-2:
        return f"{text} ({1e9 * cubic_millimetres:,.0f} µm³)"
    return text


def _difference(coarse: float, full: float) -> str:
    if coarse == full:
        return "0 %"
    return f"{100.0 * (full - coarse) / coarse:+.2f} %" if coarse else "only in the full one"


def _times(values: Sequence[float]) -> str:
    return " x ".join(f"{value:g}" for value in values)


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    ruler = ["---", *["---:"] * (len(head) - 1)]
    return [f"| {' | '.join(cells)} |" for cells in (head, ruler, *rows)]


def replay_report(
    journal: str | os.PathLike[str],
    volume: Source,
    coarse: Source | None = None,
    *,
    labels: Any = None,
    coarse_labels: Any = None,
    blocks: int = 5,
    progress: Progress | None = None,
) -> ReplayReport:
    """Replay a journal on a volume, and on the coarse one that it came from, and compare.

    Parameters
    ----------
    journal : str or path
        As of `Editor.open_journal` or `Editor.save_journal`.
    volume, coarse : path, vtkImageData or Editor
        Where to replay it; ``coarse`` may be absent. For arrays give an `Editor`.
    labels, coarse_labels : path, LabelMap or vtkImageData, optional
        Where to start, for a journal that was started from a label map.
    blocks : int, default 5
        How many of the worst blocks of each segment to list at most.
    progress : callable, optional
        Called with a fraction from 0 to 1; returning False cancels.

    Returns
    -------
    ReplayReport

    Raises
    ------
    OSError, TypeError, ValueError
        For files and arguments that are not accepted.
    SegmentationCoreError
        The journal is broken, or one of its operations fails on this volume.

    Warns
    -----
    RuntimeWarning
        The journal was recorded in another part of the world, or not on the coarse volume.

    Examples
    --------
    >>> import os, tempfile
    >>> from segmentationcore import Editor, replay_report
    >>> small = Editor(shape=(20, 20, 20), spacing=(2, 2, 2), origin=(0.5, 0.5, 0.5))
    >>> small.apply([{"effect": "add_segment", "segment": "ball"},
    ...              {"effect": "paint", "segment": "ball", "parameters":
    ...               {"Points": [[20, 20, 20]], "BrushAbsoluteDiameter": 30}}])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "ball.journal")
    ...     small.save_journal(path)
    ...     small.undo()
    ...     small.undo()
    ...     report = replay_report(path, Editor(shape=(40, 40, 40)), small)
    True
    True
    >>> [(row["segment"], round(row["dice"], 3), row["volume_mm3"]) for row in report.segments]
    [('ball', 0.957, 14147.0)]
    """
    path = _existing(journal)
    header = _header(path)
    started = header.get("start") is not None
    for given, source, what in (
        (labels, volume, "labels"),
        (coarse_labels, coarse, "coarse_labels"),
    ):
        if given is not None and isinstance(source, Editor):
            raise TypeError(f"replay_report(): {what} is given, but an Editor has its own")
        if started and given is None and source is not None and not isinstance(source, Editor):
            raise ValueError(
                f"{path}: the journal was started from a label map; give the one to start from "
                f"here ({what})"
            )
    if progress is not None and not callable(progress):
        raise TypeError(
            f"replay_report(): progress is {type(progress).__name__}; expected a callable"
        )
    full_editor = _editor(volume, labels, "volume")
    coarse_editor = None if coarse is None else _editor(coarse, coarse_labels, "coarse")
    _check_place(header, full_editor, path)
    if coarse_editor is not None:
        _check_place(header, coarse_editor, path)
        told = (header.get("volume") or {}).get("fingerprint")
        if told and told != coarse_editor.session.GetVolumeFingerprint():
            warnings.warn(
                f"{path}: was recorded on another volume than the coarse one",
                RuntimeWarning,
                stacklevel=2,
            )

    sizes = [math.prod(editor.shape) for editor in (coarse_editor, full_editor) if editor]
    done = 0
    times = []
    for editor, size in zip([e for e in (coarse_editor, full_editor) if e], sizes, strict=True):

        def part(fraction: float, done: int = done, size: int = size) -> bool | None:
            return progress((done + fraction * size) / sum(sizes)) if progress else None

        begin = time.perf_counter()
        editor.replay(path, progress=part)
        times.append(time.perf_counter() - begin)
        done += size

    world = header["world"]["spacing"]
    voxel = math.prod(full_editor.lattice.GetSpacing())
    scale = math.prod(float(length) for length in world) / voxel
    names = {row.id: row for editor in (coarse_editor, full_editor) if editor
             for row in editor.segments}  # fmt: skip
    if coarse_editor is not None:
        rows = [
            {"name": names[row["segment"]].name, **row}
            for row in full_editor.compare(coarse_editor, blocks=blocks)
        ]
    else:
        rows = [
            {"name": r.name, "segment": r.id, "volume_mm3": r.voxel_count * voxel}
            for r in full_editor.segments
        ]
    return ReplayReport(
        full_editor,
        coarse_editor,
        tuple(rows),
        scale,
        times[-1],
        times[0] if coarse_editor else 0.0,
    )


def _editor(source: Any, labels: Any, what: str) -> Editor:
    if isinstance(source, Editor):
        return source
    if isinstance(source, (str, os.PathLike)):
        if is_segmentation_name(source):
            raise ValueError(f"{os.fspath(source)}: is a segmentation; expected a volume")
        source = read_volume(source)
    elif not is_image(source):
        raise TypeError(
            f"replay_report(): {what} is {type(source).__name__}; expected a path, vtkImageData or "
            "Editor (for an array: Editor(array, spacing=..))"
        )
    if isinstance(labels, (str, os.PathLike)):
        labels = read_segmentation(labels)
    return Editor(source, labels=labels)


def _header(path: str) -> dict[str, Any]:
    """What a journal was recorded on; the C++ class says more where this one refuses."""
    with open(path, "rb") as file:
        line = file.readline(1 << 20)
    try:
        header = json.loads(line)
        if header["format"] != "segmentationcore-journal":
            raise ValueError(header["format"])
        if len(header["world"]["spacing"]) != 3 or len(header["world"]["extent"]) != 6:
            raise ValueError("world")
    except (ValueError, KeyError, TypeError):
        raise ValueError(
            f"{path}: is no journal; expected a file of Editor.open_journal or save_journal, or of "
            "segmentationcore apply --journal"
        ) from None
    return dict(header)


def _check_place(header: dict[str, Any], editor: Editor, path: str) -> None:
    """Warn if points of the journal are likely to be elsewhere."""
    world = header["world"]
    recorded = _bounds(world["extent"], world["origin"], world["spacing"], world["direction"])
    lattice = editor.lattice
    matrix = lattice.GetDirectionMatrix()
    direction = [matrix.GetElement(row, axis) for row in range(3) for axis in range(3)]
    here = _bounds(lattice.GetExtent(), lattice.GetOrigin(), lattice.GetSpacing(), direction)
    if any(
        min(mine[1], theirs[1]) <= max(mine[0], theirs[0])
        for mine, theirs in zip(here, recorded, strict=True)
    ):
        warnings.warn(
            f"{path}: was recorded in another part of the world, from "
            f"{', '.join(f'{low:g} to {high:g}' for low, high in recorded)} mm; the volume is from "
            f"{', '.join(f'{low:g} to {high:g}' for low, high in here)} mm",
            RuntimeWarning,
            stacklevel=3,
        )


def _bounds(
    extent: Sequence[int],
    origin: Sequence[float],
    spacing: Sequence[float],
    direction: Sequence[float],
) -> list[tuple[float, float]]:
    """Smallest and largest x, y, z of the voxels' borders."""
    result = []
    for row in range(3):
        low = high = origin[row]
        for axis in range(3):
            step = direction[3 * row + axis] * spacing[axis]
            ends = (step * (extent[2 * axis] - 0.5), step * (extent[2 * axis + 1] + 0.5))
            low, high = low + min(ends), high + max(ends)
        result.append((low, high))
    return result
