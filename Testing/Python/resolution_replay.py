"""Edit a small copy, replay on the whole: shown on a head CT and on the synthetic rock.

    python resolution_replay.py FOLDER [--picture rock.png] [--task rock|ct]

Each volume is reduced to an eighth of its voxels (means of 2 x 2 x 2), a session is recorded there,
and its journal is replayed on the whole volume. FOLDER gets the volumes, the journals and the
reports. The CT is that of the package invesalius-examples of Debian; `test_replay.py` checks the
numbers.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from segmentationcore import Editor, ReplayReport, replay_report, to_array, to_image
from segmentationcore.demo import data

OUTSIDE = {"mask_mode": "EditAllowedOutsideAllSegments"}
NO_OVERWRITE = {"overwrite_mode": "OverwriteNone"}


def halved(image: Any) -> Any:
    """An eighth of the voxels: means of 2 x 2 x 2, where these are in the world."""
    voxels = to_array(image)
    even = tuple(slice(0, 2 * (length // 2)) for length in voxels.shape)
    nz, ny, nx = (length // 2 for length in voxels.shape)
    mean = voxels[even].reshape(nz, 2, ny, 2, nx, 2).mean(axis=(1, 3, 5))
    if voxels.dtype.kind in "iu":
        mean = np.rint(mean)
    small = to_image(mean.astype(voxels.dtype))
    # The middle of the first eight voxels is half a voxel from the middle of the first one.
    small.SetOrigin(position(image, [bound + 0.5 for bound in image.GetExtent()[::2]]))
    small.SetSpacing([2.0 * length for length in image.GetSpacing()])
    small.SetDirectionMatrix(image.GetDirectionMatrix())
    return small


def position(image: Any, index: Any) -> list[float]:
    """World position of an index x, y, z of the extent."""
    matrix = image.GetDirectionMatrix()
    steps = [length * float(part) for length, part in zip(image.GetSpacing(), index, strict=True)]
    return [
        image.GetOrigin()[row] + sum(matrix.GetElement(row, a) * steps[a] for a in range(3))
        for row in range(3)
    ]


def inside(image: Any, *fractions: tuple[float, float, float]) -> list[list[float]]:
    """World positions at fractions x, y, z of the volume's edges."""
    extent, lengths = image.GetExtent(), image.GetDimensions()
    return [
        position(image, [extent[2 * a] + part[a] * (lengths[a] - 1) for a in range(3)])
        for part in fractions
    ]


def edit_ct(editor: Editor, image: Any) -> None:
    """Bone, a mark painted on the way through the head, what lies around the bone."""
    editor.add_segment("bone", name="Bone", color=(0.95, 0.85, 0.6))
    editor.apply("threshold", "bone", minimum_threshold=300)
    editor.apply("islands", "bone", operation="REMOVE_SMALL_ISLANDS", minimum_size=200)
    editor.apply("margin", "bone", margin_size_mm=1.5)
    editor.apply("margin", "bone", margin_size_mm=-1.5)
    editor.add_segment("mark", name="Mark", color=(0.9, 0.2, 0.2))
    way = inside(image, (0.3, 0.4, 0.5), (0.5, 0.6, 0.6), (0.7, 0.4, 0.5))
    editor.apply("paint", "mark", points=way, brush_absolute_diameter=12.0, masking=OUTSIDE)
    editor.add_segment("shell", name="Around the bone", color=(0.3, 0.5, 0.9))
    editor.apply("logical", "shell", operation="COPY", modifier_segment_id="bone",
                 bypass_masking=False, masking=NO_OVERWRITE)  # fmt: skip
    editor.apply("margin", "shell", margin_size_mm=3.0, masking=NO_OVERWRITE)
    editor.apply("logical", "shell", operation="SUBTRACT", modifier_segment_id="bone")


def edit_rock(editor: Editor, image: Any) -> None:
    """Pores, the dense mineral, a painted bore, and the pores that the bore meets."""
    editor.add_segment("pores", name="Pores", color=(0.2, 0.6, 0.9))
    editor.apply("threshold", "pores", maximum_threshold=16000)
    editor.apply("islands", "pores", operation="REMOVE_SMALL_ISLANDS", minimum_size=25)
    editor.add_segment("mineral", name="Dense mineral", color=(0.9, 0.7, 0.2))
    editor.apply("threshold", "mineral", minimum_threshold=33000)
    editor.apply("islands", "mineral", operation="REMOVE_SMALL_ISLANDS", minimum_size=25)
    editor.add_segment("rim", name="Rim of the mineral", color=(0.8, 0.4, 0.7))
    editor.apply("logical", "rim", operation="COPY", modifier_segment_id="mineral",
                 bypass_masking=False, masking=NO_OVERWRITE)  # fmt: skip
    editor.apply("margin", "rim", margin_size_mm=1.5, masking=NO_OVERWRITE)
    editor.apply("logical", "rim", operation="SUBTRACT", modifier_segment_id="mineral")
    editor.add_segment("bore", name="Bore", color=(0.9, 0.2, 0.2))
    way = inside(image, (0.2, 0.2, 0.1), (0.5, 0.6, 0.5), (0.8, 0.7, 0.9))
    editor.apply("paint", "bore", points=way, brush_absolute_diameter=16.0, masking=NO_OVERWRITE)
    editor.add_segment("met", name="Pores in the bore", color=(0.3, 0.9, 0.4))
    editor.apply("logical", "met", operation="COPY", modifier_segment_id="pores",
                 bypass_masking=False, masking=NO_OVERWRITE)  # fmt: skip
    editor.apply("logical", "met", operation="INTERSECT", modifier_segment_id="bore")


TASKS = {"ct": edit_ct, "rock": edit_rock}


def volume_of(task: str, folder: Path, size: int = 256) -> Any:
    """The volume of a task, written to the folder and read again."""
    from segmentationcore import read_volume

    path = folder / f"{task}.nrrd"
    if task == "rock":
        data.write_rock(path, size)
    else:
        data.write_nrrd(path, data.read_ct(data.located(data.CT_FILE)))
    return read_volume(path)


def run(task: str, folder: Path, size: int = 256) -> ReplayReport:
    """Reduce, record, replay, compare."""
    image = volume_of(task, folder, size)
    small = halved(image)
    journal = folder / f"{task}.journal"
    with Editor(small) as editor:
        editor.open_journal(journal)
        TASKS[task](editor, small)
        recorded = editor.labels()
    report = replay_report(journal, image, small)
    assert report.coarse is not None
    again = report.coarse.labels()
    for layer in {row.array_name for row in recorded.segments}:
        assert np.array_equal(to_array(again.labels, layer), to_array(recorded.labels, layer))
    return report


def picture(report: ReplayReport, path: Path) -> None:
    """A slice of the volume with the segments: small copy, whole volume."""
    from vtkmodules.vtkIOImage import vtkPNGWriter

    assert report.coarse is not None
    panels = []
    for editor, step in ((report.coarse, 2), (report.editor, 1)):
        full = report.editor.shape
        window = [slice(length // 4 // step, 3 * length // 4 // step) for length in full[1:]]
        plane = full[0] // 2 // step
        part = (slice(plane, plane + 1), *window)
        grey = to_array(editor.session.GetVolume())[part][0].astype(np.float64)
        grey = np.clip((grey - 4000.0) / 44000.0, 0.0, 1.0)
        color = np.repeat(grey[..., None], 3, axis=2)
        for row in editor.segments:
            mask = to_array(editor.mask(row.id, part))[0] == 1
            color[mask] = 0.45 * color[mask] + 0.55 * np.array(row.color)
        panels.append(np.repeat(np.repeat(color, 3 * step, axis=0), 3 * step, axis=1))
    gap = np.ones((panels[0].shape[0], 12, 3))
    sheet = np.concatenate([panels[0], gap, panels[1]], axis=1)[::-1]
    values = np.ascontiguousarray(np.rint(255.0 * sheet), np.uint8)
    channels = to_image(np.ascontiguousarray(values[:, :, 0]))
    from vtkmodules.util import numpy_support

    array = numpy_support.numpy_to_vtk(values.reshape(-1, 3), deep=1)
    channels.GetPointData().SetScalars(array)
    writer = vtkPNGWriter()
    writer.SetFileName(str(path))
    writer.SetInputData(channels)
    writer.Write()


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--task", choices=sorted(TASKS), action="append")
    parser.add_argument("--size", type=int, default=256, help="edge of the rock")
    parser.add_argument("--picture", type=Path, help="PNG of the rock")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    for task in options.task or sorted(TASKS):
        report = run(task, options.folder, options.size)
        text = report.to_markdown(f"Replay of {task}.journal")
        (options.folder / f"{task}.md").write_text(text, encoding="utf-8")
        print(text)
        if options.picture and task == "rock":
            picture(report, options.picture)


if __name__ == "__main__":
    main()
