"""What Slicer does in ``make demo``: show a running segmentation, ask for an edit, show it again.

Two commands, run with the Python that has ``slicer-core``:

``session``
    connects to the bridge, fills a segmentation node, makes the first pictures, asks for an edit,
    receives what changed, makes the second pictures, and writes ``slicer-session.json``;
``check``
    loads a ``.seg.nrrd`` with Slicer's storage node and compares it voxel by voxel with a snapshot
    of what the server held. Exit status 1 when they differ.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import vtk
from numpy.typing import NDArray
from vtk.util import numpy_support

from ..bridge import protocol
from ..bridge.client import BridgeClient, Traffic
from ..bridge.snapshot import read_snapshot
from .mrml import BINARY_LABELMAP, CLOSED_SURFACE, Region, SegmentationMirror
from .views import ORIENTATIONS, SlicerScene, SliceView, ThreeDView

# -- session -------------------------------------------------------------------------------------


class Pictures:
    """The same views before and after: each slice, 3D, and the slice that shows the labelmap."""

    def __init__(self, scene: SlicerScene, volume: Any, node: Any, folder: Path) -> None:
        self._display = node.GetDisplayNode()
        self._folder = folder
        self.slices = {name: SliceView(scene, name) for name in ORIENTATIONS}
        self.labelmap: SliceView | None = None
        self.threed = ThreeDView(scene)
        for view in self.slices.values():
            view.show(volume)

    def aim(self, center: NDArray[np.float64]) -> None:
        """Move the slices through a position and the camera to the front, right, above."""
        for view in self.slices.values():
            view.go_to(center)
        self.threed.look_from((0.6, 1.0, 0.4))

    def show_region(
        self, scene: SlicerScene, volume: Any, region: Region, lattice: protocol.Volume
    ) -> None:
        """Add a view in the plane of the volume that the region's thinnest axis crosses."""
        extent = np.reshape(_region_extent(region, lattice), (3, 2))
        axis = int(np.argmin(extent[:, 1] - extent[:, 0]))
        normal = np.reshape(lattice.directions, (3, 3))[:, axis]
        orientation = ("Sagittal", "Coronal", "Axial")[int(np.argmax(np.abs(normal)))]
        self.labelmap = SliceView(scene, orientation, name="Labelmap")
        self.labelmap.show(volume)
        axes = vtk.vtkMatrix4x4()
        volume.GetIJKToRASDirectionMatrix(axes)
        self.labelmap.node.RotateToAxes(axes)
        index = [*(extent.sum(axis=1) // 2), 1]
        self.labelmap.go_to((lattice.index_to_ras() @ index)[:3])

    def take(self, when: str) -> list[str]:
        """Write all pictures; returns their names."""
        names = []
        self._display.SetPreferredDisplayRepresentationName2D(CLOSED_SURFACE)
        for name, view in self.slices.items():
            names.append(view.save(self._folder / f"slicer-{name.lower()}-{when}.png").name)
        names.append(self.threed.save(self._folder / f"slicer-3d-{when}.png").name)
        if self.labelmap is not None:
            self._display.SetPreferredDisplayRepresentationName2D(BINARY_LABELMAP)
            names.append(self.labelmap.save(self._folder / f"slicer-labelmap-{when}.png").name)
        return names

    def close(self) -> None:
        """Give the render windows back."""
        for view in (*self.slices.values(), self.labelmap, self.threed):
            if view is not None:
                view.close()


def run_session(
    url: str,
    token_file: str | os.PathLike[str],
    volume_file: str | os.PathLike[str],
    output: str | os.PathLike[str],
    operation: dict[str, Any],
    *,
    region: Region | None = None,
    coarsening: int = 1,
    position: Sequence[float] | None = None,
    allow_insecure: bool = False,
) -> dict[str, Any]:
    """The session; returns the report that is also written to ``slicer-session.json``.

    ``region`` is what the labelmap holds (default: the middle slice across k); ``position`` is
    where the slices go in RAS (default: the middle of the edited segment's surface).
    """
    folder = Path(output)
    folder.mkdir(parents=True, exist_ok=True)
    scene = SlicerScene()
    volume = scene.load_volume(volume_file)
    node = scene.add_segmentation("Bridge")
    with BridgeClient.connect(
        url, token_file=token_file, allow_insecure=allow_insecure, software="Slicer demo session"
    ) as client:
        first = client.describe()
        if region is None:
            region = Region(axis="k", index=sum(first.volume.extent[4:6]) // 2)
        mirror = SegmentationMirror(client, node, coarsening=coarsening, labels=region)
        with client.record() as fill_traffic:
            begin = time.perf_counter()
            before = mirror.fill()
            fill_seconds = time.perf_counter() - begin

        pictures = Pictures(scene, volume, node, folder)
        try:
            pictures.show_region(scene, volume, region, before.volume)
            pictures.aim(
                _surface_center(node, operation["segment"])
                if position is None
                else np.asarray(position, float)
            )
            taken = pictures.take("before")

            progress: list[tuple[float, str]] = []
            with client.record() as edit_traffic:
                begin = time.perf_counter()
                applied = client.apply(
                    operation, progress=lambda fraction, text: progress.append((fraction, text))
                )
                replied_seconds = time.perf_counter() - begin
                after = mirror.update(applied)
                changed_seconds = time.perf_counter() - begin
            taken += pictures.take("after")
        finally:
            pictures.close()

        report = {
            "bridge": client.welcome.to_wire() if client.welcome is not None else None,
            "ranks": after.ranks,
            "volume": after.volume.to_wire(),
            "region": _region_extent(region, after.volume),
            "coarsening": coarsening,
            "source_representation": mirror.source_representation,
            "fill": {"seconds": fill_seconds, **_traffic(fill_traffic)},
            "edit": {
                "operation": operation,
                "changed": list(applied.changed),
                "revision": applied.revision,
                "seconds_on_server": applied.seconds,
                "seconds_to_reply": replied_seconds,
                "seconds_to_changed_surface": changed_seconds,
                "progress_messages": len(progress),
                **_traffic(edit_traffic),
            },
            "segments": _segment_report(node, before, after),
            "pictures": taken,
        }
    (folder / "slicer-session.json").write_text(
        json.dumps(report, indent=2) + "\n", encoding="utf-8"
    )
    return report


def _region_extent(region: Region, lattice: protocol.Volume) -> list[int]:
    request = protocol.RegionRequest(1, None, region.extent, region.axis, region.index)
    return list(request.resolve(lattice))


def _surface_center(node: Any, segment_id: str) -> NDArray[np.float64]:
    """Middle of a segment's surface, or of all surfaces when it is new or empty."""
    segmentation = node.GetSegmentation()
    segment = segmentation.GetSegment(segment_id)
    candidates = [segment] if segment is not None else []
    candidates += [segmentation.GetSegment(key) for key in segmentation.GetSegmentIDs()]
    for candidate in candidates:
        surface = candidate.GetRepresentation(CLOSED_SURFACE)
        if surface is not None and surface.GetNumberOfPoints():
            bounds = surface.GetBounds()
            return np.array([(bounds[i] + bounds[i + 1]) / 2 for i in (0, 2, 4)])
    raise ValueError("no segment has a surface; say where the slices should go (--position)")


def _traffic(traffic: Traffic) -> dict[str, Any]:
    return {
        "messages": traffic.messages,
        "bytes_sent": traffic.sent_bytes,
        "bytes_received": traffic.received_bytes,
        "largest_message_bytes": traffic.largest,
        "bytes_by_type": {"sent": traffic.sent, "received": traffic.received},
    }


def _segment_report(
    node: Any, before: protocol.Description, after: protocol.Description
) -> list[dict[str, Any]]:
    counts = {row.id: row.voxel_count for row in before.segments}
    rows = []
    for row in after.segments:
        surface = node.GetSegmentation().GetSegment(row.id).GetRepresentation(CLOSED_SURFACE)
        rows.append(
            {
                "id": row.id,
                "name": row.name,
                "color": list(row.color),
                "label_value": row.label_value,
                "voxels_before": counts.get(row.id),
                "voxels_after": row.voxel_count,
                "surface_points": surface.GetNumberOfPoints(),
                "surface_triangles": surface.GetNumberOfPolys(),
            }
        )
    return rows


# -- check ---------------------------------------------------------------------------------------


def check_seg_nrrd(
    path: str | os.PathLike[str],
    expected_npz: str | os.PathLike[str],
    labels_npy: str | os.PathLike[str] | None = None,
) -> dict[str, Any]:
    """Compare a ``.seg.nrrd``, as Slicer's storage node reads it, with a snapshot.

    Compared are the number and order of segments, their IDs, names, colours (to the six digits
    that the file holds) and label values, the lattice, and every voxel of every segment on the
    snapshot's lattice; voxels that the file has outside it count as different. The result holds
    ``equal``, ``problems`` (one sentence each) and a row per segment. ``labels_npy`` receives the
    labels as Slicer read them, on the snapshot's lattice with its layers and label values.
    """
    expected = read_snapshot(expected_npz)
    scene = SlicerScene()
    node = scene.add_segmentation("check")
    storage = scene.scene.AddNewNodeByClass("vtkMRMLSegmentationStorageNode")
    storage.SetFileName(os.fspath(path))
    problems: list[str] = []
    if not storage.ReadData(node):
        raise OSError(f"Slicer's storage node cannot read {path}")
    segmentation = node.GetSegmentation()

    ids = tuple(segmentation.GetSegmentIDs())
    if ids != expected.ids:
        problems.append(f"segments {list(ids)}; expected {list(expected.ids)}")
    rows = []
    found = np.zeros(expected.labels.shape, expected.labels.dtype)
    for index, key in enumerate(expected.ids):
        segment = segmentation.GetSegment(key)
        if segment is None:
            continue  # named above
        value = expected.label_values[index]
        row: dict[str, Any] = {
            "id": key,
            "name": segment.GetName(),
            "color": list(segment.GetColor()),
            "label_value": segment.GetLabelValue(),
        }
        if row["name"] != expected.names[index]:
            problems.append(f"{key}: name {row['name']!r}; expected {expected.names[index]!r}")
        if not np.allclose(row["color"], expected.colors[index], rtol=0, atol=1e-6):
            problems.append(
                f"{key}: colour {row['color']}; expected {expected.colors[index].tolist()}"
            )
        if row["label_value"] != value:
            problems.append(f"{key}: label value {row['label_value']}; expected {value}")
        layer = expected.layers[index]
        inside, outside = _on_lattice(segment, expected.volume, problems, key)
        wanted = expected.mask(index)
        row["voxels"] = int(inside.sum()) + outside
        row["voxels_expected"] = int(wanted.sum())
        row["voxels_different"] = int((inside != wanted).sum()) + outside
        if row["voxels_different"]:
            problems.append(f"{key}: {row['voxels_different']} voxels differ")
        found[layer][inside] = value
        rows.append(row)
    if labels_npy is not None:
        np.save(labels_npy, found)
    unnamed = 0
    for layer, labels in enumerate(expected.labels):
        values = [v for v, n in zip(expected.label_values, expected.layers) if n == layer]
        unnamed += int((~np.isin(labels, [0, *values])).sum())
    if unnamed:
        problems.append(f"the snapshot has {unnamed} voxels with labels of no segment")
    return {
        "file": Path(path).name,
        "equal": not problems,
        "problems": problems,
        "layers": segmentation.GetNumberOfLayers(),
        "voxels_compared": int(expected.labels.size),
        "segments": rows,
    }


def _on_lattice(
    segment: Any, lattice: protocol.Volume, problems: list[str], key: str
) -> tuple[NDArray[np.bool_], int]:
    """A segment's voxels on a lattice, and how many it has outside.

    The image may have other indices for the same places: a file need not keep index 0. Its lattice
    must be the same but for a shift by whole voxels.
    """
    e = lattice.extent
    inside = np.zeros((e[5] - e[4] + 1, e[3] - e[2] + 1, e[1] - e[0] + 1), bool)
    image = segment.GetRepresentation(BINARY_LABELMAP)
    if image is None:
        problems.append(f"{key}: no binary labelmap")
        return inside, 0
    if image.IsEmpty() or image.GetPointData().GetScalars() is None:
        return inside, 0
    matrix = vtk.vtkMatrix4x4()
    image.GetImageToWorldMatrix(matrix)
    to_ras = np.array([[matrix.GetElement(r, c) for c in range(4)] for r in range(4)])
    shift = np.linalg.inv(lattice.index_to_ras()) @ to_ras
    offset = np.round(shift[:3, 3]).astype(int)
    if not np.allclose(shift[:3, :3], np.eye(3), atol=1e-4) or not np.allclose(
        shift[:3, 3], offset, atol=1e-2
    ):
        problems.append(f"{key}: the lattice differs: index to index {shift.round(5).tolist()}")
    ni, nj, nk = image.GetDimensions()
    scalars = numpy_support.vtk_to_numpy(image.GetPointData().GetScalars())
    mask = scalars.reshape(nk, nj, ni) == segment.GetLabelValue()
    first = np.array(image.GetExtent())[[4, 2, 0]] + offset[::-1] - np.array(e)[[4, 2, 0]]
    places = np.argwhere(mask) + first
    valid = ((places >= 0) & (places < inside.shape)).all(axis=1)
    inside[tuple(places[valid].T)] = True
    return inside, int((~valid).sum())


# -- command line --------------------------------------------------------------------------------


def main(arguments: Sequence[str] | None = None) -> int:
    """See the module's text."""
    parser = argparse.ArgumentParser(prog="demo_session", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    session = commands.add_parser("session", help="connect, show, edit, show again")
    session.add_argument("--bridge", required=True, help="address of the bridge, ws://..")
    session.add_argument("--token-file", required=True)
    session.add_argument("--volume", required=True, help="volume to show, as Slicer reads it")
    session.add_argument("--output", required=True, help="folder for pictures and report")
    session.add_argument("--operation", required=True, help="the edit to ask for, as JSON")
    where = session.add_mutually_exclusive_group()
    where.add_argument("--slice", nargs=2, metavar=("AXIS", "INDEX"), help="labels of a slice")
    where.add_argument("--extent", nargs=6, type=int, help="labels of a box of voxels")
    session.add_argument("--coarsening", type=int, default=1)
    session.add_argument("--position", nargs=3, type=float, metavar=("R", "A", "S"))
    session.add_argument("--insecure", action="store_true")
    check = commands.add_parser("check", help="compare a .seg.nrrd with a snapshot")
    check.add_argument("--seg-nrrd", required=True)
    check.add_argument("--expected", required=True, help=".npz of bridge.snapshot.take_snapshot")
    check.add_argument("--labels", help=".npy to write the labels to that Slicer read")
    check.add_argument("--report", help="JSON file to write the result to")
    options = parser.parse_args(arguments)

    if options.command == "check":
        result = check_seg_nrrd(options.seg_nrrd, options.expected, options.labels)
        text = json.dumps(result, indent=2)
        if options.report:
            Path(options.report).write_text(text + "\n", encoding="utf-8")
        print(text)
        return 0 if result["equal"] else 1

    region = None
    if options.slice:
        region = Region(axis=options.slice[0], index=int(options.slice[1]))
    elif options.extent:
        region = Region(extent=tuple(options.extent))
    report = run_session(
        options.bridge,
        options.token_file,
        options.volume,
        options.output,
        json.loads(options.operation),
        region=region,
        coarsening=options.coarsening,
        position=options.position,
        allow_insecure=options.insecure,
    )
    edit = report["edit"]
    print(
        f"slicer: {len(report['segments'])} segments in {report['fill']['seconds']:.2f} s; edit to "
        f"changed surface {edit['seconds_to_changed_surface']:.2f} s, "
        f"{edit['bytes_received']} bytes received"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
