"""The scenarios of ``test_mrml.py``; runs in Slicer's Python, which needs no pytest.

    python mrml_scenarios.py <scenario> <folder>

Each one serves a backend in memory, does what a Slicer session does, and writes what it found to
``<folder>/<scenario>.json``, with its pictures beside it.
"""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import slicer
import vtk
from bridge_backend import oblique_boxes, two_boxes
from segmentationcore.bridge.client import BridgeClient
from segmentationcore.bridge.server import BridgeServer
from segmentationcore.bridge.snapshot import take_snapshot
from segmentationcore.bridge.token import write_token
from segmentationcore.slicer.demo_session import check_seg_nrrd, main
from segmentationcore.slicer.mrml import (
    BINARY_LABELMAP,
    CLOSED_SURFACE,
    Region,
    SegmentationMirror,
)
from segmentationcore.slicer.views import ORIENTATIONS, SlicerScene, SliceView, ThreeDView
from vtk.util.numpy_support import vtk_to_numpy


def _serve(backend: Any) -> Any:

    server = BridgeServer(backend, token="t" * 32, port=0)
    server.start()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def _connect(server: Any) -> Any:

    return BridgeClient.connect(server.url, token="t" * 32)


def _scenario_mirror(folder: Path) -> dict[str, Any]:

    backend = oblique_boxes()
    backend.hidden.add("s-green")
    server = _serve(backend)
    scene = SlicerScene()
    node = scene.add_segmentation("mirror")
    segmentation = node.GetSegmentation()

    def elements(matrix: Any) -> list[float]:
        return [matrix.GetElement(row, col) for row in range(4) for col in range(4)]

    def read() -> dict[str, Any]:
        ids = list(segmentation.GetSegmentIDs())
        segments = [segmentation.GetSegment(key) for key in ids]
        images = [segment.GetRepresentation(BINARY_LABELMAP) for segment in segments]
        matrix, reference = vtk.vtkMatrix4x4(), vtk.vtkMatrix4x4()
        images[0].GetImageToWorldMatrix(matrix)
        extent = [0] * 6
        converter = slicer.vtkSegmentationConverter
        converter.DeserializeImageGeometry(
            segmentation.GetConversionParameter(converter.GetReferenceImageGeometryParameterName()),
            reference,
            extent,
        )
        labels = vtk_to_numpy(images[0].GetPointData().GetScalars())
        surfaces = [
            list(segment.GetRepresentation(CLOSED_SURFACE).GetBounds()) for segment in segments
        ]
        return {
            "order": ids,
            "names": [segment.GetName() for segment in segments],
            "colors": [list(segment.GetColor()) for segment in segments],
            "label_values": [segment.GetLabelValue() for segment in segments],
            "visible": [bool(node.GetDisplayNode().GetSegmentVisibility(key)) for key in ids],
            "surface_bounds": surfaces,
            "extent": list(images[0].GetExtent()),
            "shared": all(image is images[0] for image in images),
            "matrix": elements(matrix),
            "expected_matrix": client.describe().volume.index_to_ras().ravel().tolist(),
            "reference_matrix": elements(reference),
            "reference_extent": list(extent),
            "label_differences": int((labels != backend.labels.ravel()).sum()),
        }

    with _connect(server) as client:
        mirror = SegmentationMirror(client, node, labels=Region())
        mirror.fill()
        sources = {"whole": segmentation.GetSourceRepresentationName()}
        result: dict[str, Any] = {"before": read()}
        held = {
            key: segmentation.GetSegment(key).GetRepresentation(CLOSED_SURFACE)
            for key in ("s-red", "s-green")
        }
        asked = 0
        fetch = client.surface

        def count(*arguments: Any, **options: Any) -> Any:
            nonlocal asked
            asked += 1
            return fetch(*arguments, **options)

        client.surface = count
        with client.record() as traffic:
            margin = {"effect": "margin", "segment": "s-red", "parameters": {"MarginSizeMm": 2.0}}
            mirror.update(client.apply(margin))
        after = read()
        for key, word in (("s-green", "green_surface_kept"), ("s-red", "red_surface_renewed")):
            same = segmentation.GetSegment(key).GetRepresentation(CLOSED_SURFACE) is held[key]
            after[word] = same if key == "s-green" else not same
        result["after"] = after
        result["edit_traffic"] = traffic.received
        result["surfaces_sent_for_edit"] = asked

        _, color, _ = backend.names.pop("s-red")
        backend.labels[backend.labels == 1] = 7
        green = backend.names.pop("s-green")
        backend.names["s-new"] = ("New", color, 7)
        backend.names["s-green"] = green
        change = {"effect": "recolor", "segment": "s-green", "parameters": {"Name": "Recoloured"}}
        mirror.update(client.apply(change))
        result["renamed"] = read()

        other = scene.add_segmentation("slice")
        SegmentationMirror(client, other, labels=Region(axis="k", index=4)).fill()
        sources["slice"] = other.GetSegmentation().GetSourceRepresentationName()
        result["sources"] = sources
    server.close()
    return result


def _scenario_overlap(folder: Path) -> dict[str, Any]:

    backend = oblique_boxes()
    server = _serve(backend)
    scene = SlicerScene()
    node = scene.add_segmentation("overlap")
    part = scene.add_segmentation("part")
    result: dict[str, Any] = {}
    # Red is voxels 1..3, 1..4, 1..3 from index (5, -3, 2), so a part of it is inside.
    box = (7, 13, -1, 3, 4, 7)

    def labels_of(image: Any) -> Any:
        ni, nj, nk = image.GetDimensions()
        return vtk_to_numpy(image.GetPointData().GetScalars()).reshape(nk, nj, ni)

    def read(where: Any, extent: Any) -> dict[str, Any]:
        """How what a node shows differs from what the backend holds."""
        segmentation = where.GetSegmentation()
        keys = list(segmentation.GetSegmentIDs())
        segments = {key: segmentation.GetSegment(key) for key in keys}
        images = {key: s.GetRepresentation(BINARY_LABELMAP) for key, s in segments.items()}
        (i, j, k), e = backend.start, extent
        cut = (slice(e[4] - k, e[5] - k + 1), slice(e[2] - j, e[3] - j + 1))
        cut = (*cut, slice(e[0] - i, e[1] - i + 1))
        surfaces = {key: s.GetRepresentation(CLOSED_SURFACE) for key, s in segments.items()}
        return {
            "differences": {
                key: int(
                    ((labels_of(images[key]) == s.GetLabelValue()) != backend.mask(key)[cut]).sum()
                )
                for key, s in segments.items()
            },
            "extents": [list(image.GetExtent()) for image in images.values()],
            "images": len({id(image) for image in images.values()}),
            "layers": segmentation.GetNumberOfLayers(),
            "bounds": {key: list(s.GetBounds()) for key, s in surfaces.items() if s is not None},
        }

    def region_traffic(what: Any) -> dict[str, Any]:
        backend.regions.clear()
        what()
        return {"regions": [[list(extent), layer] for extent, layer in backend.regions]}

    copy = {"effect": "copy", "segment": "s-green", "parameters": {"Source": "s-red"}}
    margin = {"effect": "margin", "segment": "s-red", "parameters": {"MarginSizeMm": 1.0}}
    rename = {"effect": "recolor", "segment": "s-red", "parameters": {"Name": "Renamed"}}
    with _connect(server) as client:
        mirror = SegmentationMirror(client, node, labels=Region())
        small = SegmentationMirror(client, part, surfaces=False, labels=Region(extent=box))
        whole = mirror.fill().volume.extent
        small.fill()

        def step(name: str, news: Any) -> None:
            asked = region_traffic(lambda: small.update(news))
            mirror.update(news)
            result[name] = {
                "whole": read(node, whole),
                "part": read(part, box),
                "extent": news.extent,
                **asked,
            }

        step("copied", client.apply(copy))
        # Green in its own layer keeps its image while red grows over and around it.
        green = [n.GetSegmentation().GetSegment("s-green") for n in (node, part)]
        held = [s.GetRepresentation(BINARY_LABELMAP) for s in green]
        step("grown", client.apply(margin))
        kept = [s.GetRepresentation(BINARY_LABELMAP) for s in green]
        result["green kept"] = [a is b for a, b in zip(held, kept, strict=True)]
        step("renamed", client.apply(rename))
        for name in ("undone renamed", "undone grown", "undone copied"):
            step(name, client.undo())
        step("redone", client.redo())

        # Somebody else's edits, all at once.
        with _connect(server) as other:
            other.apply(margin)
            other.apply({**margin, "segment": "s-green"})
            latest = other.undo().revision
        news = client.changes(wait=5)
        while news.revision < latest:
            more = client.changes(wait=5)
            news = news.followed_by(more)
        step("others", news)

        storage = scene.scene.AddNewNodeByClass("vtkMRMLSegmentationStorageNode")
        storage.SetFileName(str(folder / "overlap.seg.nrrd"))
        assert storage.WriteData(node)
    server.close()
    take_snapshot(backend, folder / "overlap.npz")
    result["file"] = check_seg_nrrd(folder / "overlap.seg.nrrd", folder / "overlap.npz")
    return result


def _scenario_pictures(folder: Path) -> dict[str, Any]:

    backend = oblique_boxes()
    server = _serve(backend)
    scene = SlicerScene()
    node = scene.add_segmentation("pictures")
    slices: list[dict[str, Any]] = []
    sides: dict[str, Any] = {}
    red_pixels: dict[str, Any] = {}
    with _connect(server) as client:
        mirror = SegmentationMirror(client, node, labels=Region())
        volume = mirror.fill().volume
        values = np.zeros(backend.labels.shape, np.int16)
        values += np.arange(values.shape[2], dtype=np.int16) * 10
        first = volume.index_to_ras().copy()
        first[:, 3] = volume.index_to_ras() @ [*backend.start, 1]
        grey = scene.add_volume("grey", values, first)
        middles = {
            key: (volume.index_to_ras() @ [*index, 1])[:3]
            for key, index in (
                ("s-red", (7, -0.5, 4)),
                ("s-green", (13.5, 2.5, 6)),
                ("nothing", (15, -2, 3)),
            )
        }

        def red(picture: Any) -> Any:
            p = picture.astype(int)
            return (p[..., 0] > 90) & (p[..., 1] < 0.6 * p[..., 0]) & (p[..., 2] < 0.6 * p[..., 0])

        def green(picture: Any) -> Any:
            p = picture.astype(int)
            return (p[..., 1] > 70) & (p[..., 0] < 0.8 * p[..., 1]) & (p[..., 2] < 0.8 * p[..., 1])

        def middle(mask: Any) -> dict[str, float]:
            rows, columns = np.nonzero(mask)
            return {"row": float(rows.mean()), "column": float(columns.mean())}

        views = {name: SliceView(scene, name) for name in ORIENTATIONS}
        for name, view in views.items():
            view.show(grey)
            for key, ras in middles.items():
                view.go_to(ras)
                pixel = view.image()[view.pixel(ras)].tolist()
                slices.append({"view": name, "segment": key, "pixel": pixel})
            # Where each segment is seen, each in the plane through its middle.
            sides[name] = {}
            for key, mask in (("s-red", red), ("s-green", green)):
                view.go_to(middles[key])
                sides[name][key] = middle(mask(view.image()))
            view.go_to(middles["s-red"])
            view.save(folder / f"boxes-{name.lower()}-before.png")
            red_pixels[name] = {"before": int(red(view.image()).sum())}
        threed = ThreeDView(scene)
        threed.look_from((0.0, 1.0, 0.0))
        threed.save(folder / "boxes-3d-before.png")
        picture = threed.image()
        sides["3d"] = {"s-red": middle(red(picture)), "s-green": middle(green(picture))}
        red_pixels["3d"] = {"before": int(red(picture).sum())}

        margin = {"effect": "margin", "segment": "s-red", "parameters": {"MarginSizeMm": 2.0}}
        mirror.update(client.apply(margin))
        for name, view in views.items():
            view.save(folder / f"boxes-{name.lower()}-after.png")
            red_pixels[name]["after"] = int(red(view.image()).sum())
        threed.save(folder / "boxes-3d-after.png")
        red_pixels["3d"]["after"] = int(red(threed.image()).sum())
        for view in (*views.values(), threed):
            view.close()
    server.close()
    return {"slices": slices, "sides": sides, "red_pixels": red_pixels}


def _scenario_files(folder: Path) -> dict[str, Any]:

    backend = oblique_boxes()
    server = _serve(backend)
    scene = SlicerScene()
    node = scene.add_segmentation("files")
    with _connect(server) as client:
        SegmentationMirror(client, node, surfaces=False, labels=Region()).fill()
    server.close()
    # Written by Slicer itself: what is tested here is the comparison, not a writer of ours.
    path = folder / "boxes.seg.nrrd"
    storage = scene.scene.AddNewNodeByClass("vtkMRMLSegmentationStorageNode")
    storage.SetFileName(str(path))
    assert storage.WriteData(node)

    def check(change: Any = None) -> dict[str, Any]:
        expected = oblique_boxes()
        if change is not None:
            change(expected)
        take_snapshot(expected, folder / "expected.npz")
        return check_seg_nrrd(path, folder / "expected.npz", folder / "labels.npy")

    def voxel(b: Any) -> None:
        b.labels[1, 1, 1] = 0

    def name(b: Any) -> None:
        b.names["s-green"] = ("Another", *b.names["s-green"][1:])

    def color(b: Any) -> None:
        b.names["s-red"] = ("Red box", (0.999, 0.0, 0.0), 1)

    def value(b: Any) -> None:
        b.labels[b.labels == 1] = 3
        b.names["s-red"] = (*b.names["s-red"][:2], 3)

    def origin(b: Any) -> None:
        b.origin = (np.array(b.origin) + b.directions[:, 0] * b.spacing[0]).tolist()

    def half(b: Any) -> None:
        b.origin = (np.array(b.origin) + b.directions[:, 0] * b.spacing[0] / 2).tolist()

    def order(b: Any) -> None:
        b.names = dict(reversed(b.names.items()))

    result = {"same": check()}
    assert (np.load(folder / "labels.npy") == backend.labels).all()
    for change in (voxel, name, color, value, origin, half, order):
        result[change.__name__] = check(change)
    return result


def _scenario_session(folder: Path) -> dict[str, Any]:

    backend = two_boxes(origin=(-4.0, 3.0, 20.0), spacing=(2.0, 1.5, 2.5))
    server = _serve(backend)
    token = folder / "session.token"
    token.unlink(missing_ok=True)
    write_token(token, "t" * 32)
    values = np.zeros(backend.labels.shape, np.int16)
    values += np.arange(values.shape[2], dtype=np.int16) * 10
    values[backend.labels > 0] += 60
    matrix = np.diag([*backend.spacing, 1.0])
    matrix[:3, 3] = backend.origin
    scene = SlicerScene()
    node = scene.add_volume("grey", values, matrix)
    storage = scene.scene.AddNewNodeByClass("vtkMRMLVolumeArchetypeStorageNode")
    storage.SetFileName(str(folder / "grey.nrrd"))
    assert storage.WriteData(node)
    margin = {"effect": "margin", "segment": "s-red", "parameters": {"MarginSizeMm": 1.5}}
    status = main(
        ["session", "--bridge", server.url, "--token-file", str(token),
         "--volume", str(folder / "grey.nrrd"), "--output", str(folder / "session"),
         "--operation", json.dumps(margin), "--slice", "k", "3"]
    )  # fmt: skip
    assert status == 0
    server.close()
    report = json.loads((folder / "session" / "slicer-session.json").read_text(encoding="utf-8"))
    assert isinstance(report, dict)
    return report


if __name__ == "__main__":
    _folder = Path(sys.argv[2])
    _result = globals()[f"_scenario_{sys.argv[1]}"](_folder)
    (_folder / f"{sys.argv[1]}.json").write_text(json.dumps(_result), encoding="utf-8")
