"""Runs in pvpython: what the plugin does in one ParaView session, written as JSON.

    pvpython plugin_session.py <scenario> <folder> <plugin> <ranks> [<port>]

Without a port the session has no server. The assertions are in test_plugin.py.
"""

from __future__ import annotations

import json
import sys
import threading
import zlib
from pathlib import Path

import numpy as np
from paraview import servermanager, simple
from vtkmodules.util.numpy_support import vtk_to_numpy

# Whole extent of the wavelet: no axis begins at 0, and no number of ranks divides it.
EXTENT = [-20, 20, -15, 25, -18, 19]

SEQUENCE = [
    {
        "effect": "add_segment",
        "segment": "a",
        "parameters": {"Name": "A", "Color": [1.0, 0.2, 0.1]},
    },
    {"effect": "threshold", "segment": "a", "parameters": {"AutoThresholdMode": "SET_LOWER_MAX"}},
    {
        "effect": "islands",
        "segment": "a",
        "parameters": {"Operation": "REMOVE_SMALL_ISLANDS", "MinimumSize": 20},
    },
    {"effect": "add_segment", "segment": "b", "parameters": {"LabelValue": 9}},
    {
        "effect": "threshold",
        "segment": "b",
        "parameters": {"MinimumThreshold": 60.5, "MaximumThreshold": 110.25},
    },
    {"effect": "margin", "segment": "a", "parameters": {"MarginSizeMm": -1}},
    {"effect": "margin", "segment": "a", "parameters": {"MarginSizeMm": 2}},
    {"effect": "median", "segment": "b"},
    {"effect": "islands", "segment": "b"},
]


def crc(array: np.ndarray) -> int:
    return zlib.crc32(np.ascontiguousarray(array).tobytes())


def voxels(image: object, name: str) -> np.ndarray:
    """The values of an image, [z, y, x]."""
    sizes = image.GetDimensions()
    values = vtk_to_numpy(image.GetPointData().GetArray(name))
    return values.reshape(sizes[2], sizes[1], sizes[0])


def collect(proxy: object, name: str, extent: list[int] | None = None) -> tuple[object, np.ndarray]:
    """A region of a distributed image, here."""
    collector = simple.LabelMapRegionCollector(Input=proxy)
    collector.Array = ["POINTS", name]
    if extent:
        collector.Extent = extent
    collector.UpdatePipeline()
    assert last_error(collector) == "", last_error(collector)
    image = servermanager.Fetch(collector, 0)
    simple.Delete(collector)
    return image, voxels(image, name)


def last_error(proxy: object) -> str:
    proxy.UpdatePropertyInformation()
    # Writers hide their information properties from ParaView's Python layer.
    return str(proxy.SMProxy.GetProperty("LastError").GetElement(0))


def pieces(proxy: object, name: str, ranks: int) -> list[dict[str, object]]:
    """What each rank holds, asked one by one."""
    found = []
    for rank in range(ranks):
        image = servermanager.Fetch(proxy, rank)
        points = image.GetNumberOfPoints()
        found.append(
            {
                "extent": list(image.GetExtent()) if points else None,
                "crc": crc(voxels(image, name)) if points else 0,
            }
        )
    return found


def piece_crcs(whole: np.ndarray, origin: list[int], found: list[dict[str, object]]) -> list[int]:
    """What the pieces must be, cut from the collected image."""
    result = []
    for piece in found:
        if piece["extent"] is None:
            result.append(0)
            continue
        e = piece["extent"]
        x, y, z = origin[0::2]
        part = whole[e[4] - z : e[5] - z + 1, e[2] - y : e[3] - y + 1, e[0] - x : e[1] - x + 1]
        result.append(crc(part))
    return result


def labels_of(proxy: object, ranks: int, name: str = "Labels") -> dict[str, object]:
    image, whole = collect(proxy, name)
    found = pieces(proxy, name, ranks)
    values, counts = np.unique(whole, return_counts=True)
    return {
        "crc": crc(whole),
        "type": str(whole.dtype),
        "shape": list(whole.shape),
        "extent": list(image.GetExtent()),
        "counts": dict(zip(map(str, values.tolist()), counts.tolist(), strict=True)),
        "pieces": found,
        "piece_crcs": piece_crcs(whole, list(image.GetExtent()), found),
        "error": last_error(proxy),
    }


def volume_of(proxy: object, ranks: int) -> dict[str, object]:
    image, whole = collect(proxy, "RTData")
    found = pieces(proxy, "RTData", ranks)
    return {
        "crc": crc(whole),
        "type": str(whole.dtype),
        "extent": list(image.GetExtent()),
        "origin": list(image.GetOrigin()),
        "pieces": found,
        "piece_crcs": piece_crcs(whole, list(image.GetExtent()), found),
        "error": last_error(proxy),
    }


def crop_truth(
    labels: np.ndarray, values: np.ndarray, label: int, padding: int, fill: float
) -> int:
    """The crop of a volume to a segment, from the whole images."""
    inside = labels == label
    box = tuple(slice(places.min(), places.max() + 1) for places in inside.nonzero())
    part = np.where(inside[box], values[box], values.dtype.type(fill))
    return crc(np.pad(part, padding, constant_values=fill))


def row_of(table: object) -> dict[str, list[float]]:
    """The only row of a table."""
    columns = [table.GetColumn(number) for number in range(table.GetNumberOfColumns())]
    return {column.GetName(): vtk_to_numpy(column).ravel().tolist() for column in columns}


def surface_of(proxy: object, ranks: int, **settings: int) -> dict[str, object]:
    """The gathered surface, and how many triangles each rank holds without gathering."""
    gathered = simple.LabelMapSurface(Input=proxy, GatherToRoot=1, **settings)
    gathered.Array = ["POINTS", "Labels"]
    gathered.UpdatePipeline()
    data = servermanager.Fetch(gathered, 0)
    result = {"error": last_error(gathered), "triangles": data.GetNumberOfPolys()}
    if data.GetNumberOfPolys():
        cells = vtk_to_numpy(data.GetPolys().GetConnectivityArray())
        result |= {
            "points": crc(vtk_to_numpy(data.GetPoints().GetData())),
            "cells": crc(cells.astype(np.int64)),
            "labels": crc(vtk_to_numpy(data.GetCellData().GetArray("SegmentLabel"))),
            "colors": crc(vtk_to_numpy(data.GetCellData().GetArray("SegmentColor")))
            if data.GetCellData().GetArray("SegmentColor")
            else None,
        }
        keys = vtk_to_numpy(data.GetPointData().GetArray("SurfacePointKey"))
        label = vtk_to_numpy(data.GetCellData().GetArray("SegmentLabel"))
        result["distinct keys"] = len(np.unique(keys)) == len(keys)
        result["open edges"] = open_edges(keys[cells].reshape(-1, 3), label)
    simple.Delete(gathered)
    parts = simple.LabelMapSurface(Input=proxy, **settings)
    parts.Array = ["POINTS", "Labels"]
    parts.UpdatePipeline()
    result["parts"] = [servermanager.Fetch(parts, r).GetNumberOfPolys() for r in range(ranks)]
    simple.Delete(parts)
    return result


def open_edges(triangles: np.ndarray, labels: np.ndarray) -> int:
    """Directed edges of a label without as many reverse ones."""
    balance: dict[tuple[int, int, int], int] = {}
    for corners, label in zip(triangles.tolist(), labels.tolist(), strict=True):
        for i in range(3):
            a, b = corners[i], corners[(i + 1) % 3]
            key = (label, min(a, b), max(a, b))
            balance[key] = balance.get(key, 0) + (1 if a < b else -1)
    return sum(1 for n in balance.values() if n)


def wavelet(extent: list[int]) -> object:
    return simple.Wavelet(WholeExtent=extent)


def edited(volume: object, operations: list[dict[str, object]], **inputs: object) -> object:
    editor = simple.LabelMapEditor(Input=volume, Operations=json.dumps(operations), **inputs)
    editor.UpdatePipeline()
    return editor


def table_of(proxy: object) -> dict[str, object]:
    fields = servermanager.Fetch(proxy, 0).GetFieldData()
    ids = fields.GetAbstractArray("SegmentID")
    names = fields.GetAbstractArray("SegmentName")
    return {
        "ids": [ids.GetValue(i) for i in range(ids.GetNumberOfValues())],
        "names": [names.GetValue(i) for i in range(names.GetNumberOfValues())],
        "colors": vtk_to_numpy(fields.GetArray("SegmentColor")).tolist(),
        "labels": vtk_to_numpy(fields.GetArray("SegmentLabelValue")).tolist(),
        "counts": vtk_to_numpy(fields.GetArray("SegmentVoxelCount")).tolist(),
    }


# -- scenarios -------------------------------------------------------------------------------------


def scenario_effects(folder: Path, ranks: int) -> dict[str, object]:
    """Each effect, the editor, the collector and the surface on a distributed wavelet."""
    volume = wavelet(EXTENT)
    results: dict[str, object] = {"ranks": ranks}

    threshold = simple.LabelMapThreshold(
        Input=volume, MinimumThreshold=100.0, MaximumThreshold=200.0
    )
    results["threshold"] = labels_of(threshold, ranks)
    _, values = collect(volume, "RTData")
    results["threshold truth"] = crc(((values >= 100.0) & (values <= 200.0)).astype(np.uint8))
    otsu = simple.LabelMapThreshold(Input=volume, AutoThresholdMode="SET_LOWER_MAX")
    results["otsu"] = labels_of(otsu, ranks)

    def on_labels(make: object, **parameters: object) -> dict[str, object]:
        effect = make(Input=otsu, **parameters)
        effect.Array = ["POINTS", "Labels"]
        result = labels_of(effect, ranks)
        simple.Delete(effect)
        return result

    results["largest"] = on_labels(simple.LabelMapIslands)
    results["small"] = on_labels(
        simple.LabelMapIslands, Operation="REMOVE_SMALL_ISLANDS", MinimumSize=30, Connectivity="26"
    )
    results["grown"] = on_labels(simple.LabelMapMargin, MarginSizeMm=2.5)
    results["shrunk"] = on_labels(simple.LabelMapMargin, MarginSizeMm=-1.0)
    results["wide"] = on_labels(simple.LabelMapMargin, MarginSizeMm=25.0)
    results["median"] = on_labels(simple.LabelMapMedian, KernelSizeMm=5.0)
    stroke = [-23.0, -9.5, 0.2, 4.1, 9.3, -5.2, 11.7, -2.4, 14.6]
    results["painted"] = on_labels(simple.LabelMapPaint, Points=stroke, BrushAbsoluteDiameter=9.0)
    results["erased"] = on_labels(
        simple.LabelMapErase,
        Points=stroke,
        BrushAbsoluteDiameter=14.0,
        BrushSphere=0,
        SliceNormal=[0.6, -0.64, 0.48],
        SliceThickness=4.0,
    )
    results["inverted"] = on_labels(simple.LabelMapLogical, Operation="INVERT")
    results["expanded"] = on_labels(simple.LabelMapExpandSegments, ExpansionSizeMm=2.5)
    # Two inputs: the label map, and the volume that it is made of.
    results["marched"] = on_labels(simple.LabelMapFastMarching, Volume=volume, PercentMax=70.0)
    results["local"] = on_labels(
        simple.LabelMapLocalThreshold,
        Volume=volume,
        Points=[0.2, 1.1, -0.3],
        MinimumThreshold=150.0,
        SegmentLabel=2,
    )
    seeds = simple.LabelMapPaint(
        Input=otsu, Points=stroke, BrushAbsoluteDiameter=9.0, SegmentLabel=2
    )
    seeds.Array = ["POINTS", "Labels"]
    seeded = simple.LabelMapGrowFromSeeds(Input=seeds, Volume=volume)
    seeded.Array = ["POINTS", "Labels"]
    seeded.VolumeArray = ["POINTS", "RTData"]
    results["seeded"] = labels_of(seeded, ranks)

    # Volumes and tables.
    def with_volume(make: object, labels: object, **parameters: object) -> object:
        query = make(Input=labels, Volume=volume, **parameters)
        query.Array = ["POINTS", "Labels"]
        query.VolumeArray = ["POINTS", "RTData"]
        return query

    masked = with_volume(simple.LabelMapMaskVolume, otsu, SoftEdgeMm=2.0)
    results["soft edge"] = volume_of(masked, ranks)
    split = with_volume(
        simple.LabelMapSplitVolume, seeds, SegmentLabel=2, PaddingVoxels=4, FillValue=-1.0
    )
    results["split"] = volume_of(split, ranks)
    _, seed_labels = collect(seeds, "Labels")
    results["split truth"] = crop_truth(seed_labels, values, 2, 4, -1.0)
    # What is behind gets the extent that there is, also after a change.
    bright = simple.LabelMapThreshold(Input=split, MinimumThreshold=0.0)
    results["split threshold"] = labels_of(bright, ranks)
    split.PaddingVoxels = 0
    results["split again"] = volume_of(split, ranks)
    results["split again truth"] = crop_truth(seed_labels, values, 2, 0, -1.0)
    results["split threshold again"] = labels_of(bright, ranks)
    split.SegmentLabel = 77
    split.UpdatePipeline()
    results["split error"] = last_error(split)
    histogram = simple.LabelMapLocalHistogram(
        Input=volume, Points=stroke, BrushType="LINE", BrushAbsoluteDiameter=9.0, NumberOfBins=7
    )
    histogram.UpdatePipeline()
    results["histogram"] = row_of(servermanager.Fetch(histogram, 0))
    results["histogram error"] = last_error(histogram)

    editor = edited(volume, SEQUENCE)
    results["editor"] = labels_of(editor, ranks)
    results["table"] = table_of(editor)
    results["applied"] = int(editor.GetPropertyValue("NumberOfAppliedOperations"))
    _, whole = collect(editor, "Labels")
    regions = {}
    for name, extent in {
        "inside": [-5, 9, 0, 12, -10, 10],
        "slice": [-20, 20, -15, 25, 3, 3],
        "voxel": [20, 20, 25, 25, 19, 19],
        "clipped": [10, 900, -900, -10, -900, 900],
    }.items():
        image, part = collect(editor, "Labels", extent)
        bounds = np.array(EXTENT).reshape(3, 2)
        clipped = np.array(extent).reshape(3, 2).clip(bounds[:, :1], bounds[:, 1:])
        clipped = clipped.ravel().tolist()
        truth = piece_crcs(whole, EXTENT, [{"extent": clipped}])[0]
        regions[name] = {
            "extent": list(image.GetExtent()),
            "expected extent": clipped,
            "crc": crc(part),
            "expected crc": truth,
        }
    results["regions"] = regions
    results["surface"] = surface_of(editor, ranks)
    results["coarse surface"] = surface_of(editor, ranks, Coarsening=3, SegmentLabel=9)

    # A longer list goes on, a wrong one changes nothing and says why.
    editor.Operations = json.dumps([*SEQUENCE, {"effect": "margin", "segment": "nope"}])
    editor.UpdatePipeline()
    results["editor error"] = last_error(editor)
    results["applied after error"] = int(editor.GetPropertyValue("NumberOfAppliedOperations"))
    results["crc after error"] = crc(collect(editor, "Labels")[1])
    return results


def scenario_few_voxels(folder: Path, ranks: int) -> dict[str, object]:
    """Images with fewer planes or voxels than ranks: nobody waits for an empty rank."""
    results: dict[str, object] = {}
    for name, extent in {
        "one voxel": [3, 3, -2, -2, 5, 5],
        "two voxels": [0, 1, 0, 0, 0, 0],
        "one slice": [0, 6, 0, 5, 2, 2],
        "two slices": [0, 6, 0, 5, 2, 3],
    }.items():
        volume = wavelet(extent)
        threshold = simple.LabelMapThreshold(Input=volume, MinimumThreshold=0.0)
        labels = edited(
            volume,
            [
                {"effect": "add_segment", "segment": "s"},
                {"effect": "threshold", "segment": "s", "parameters": {"MaximumThreshold": 1000}},
                {"effect": "margin", "segment": "s", "parameters": {"MarginSizeMm": -1}},
                {"effect": "median", "segment": "s"},
                {"effect": "islands", "segment": "s"},
            ],
        )
        results[name] = {
            "extent": extent,
            "threshold": labels_of(threshold, ranks),
            "editor": labels_of(labels, ranks),
            "surface": surface_of(labels, ranks),
        }
    return results


def scenario_errors(folder: Path, ranks: int) -> dict[str, object]:
    """Errors reach the client as text, and the session goes on."""
    volume = wavelet(EXTENT)
    results: dict[str, object] = {}

    def failure(proxy: object) -> str:
        # ParaView reports a failed update by text; some versions also raise.
        try:
            proxy.UpdatePipeline()
        except RuntimeError as error:
            print(f"(UpdatePipeline raised {error})")
        return last_error(proxy)

    margin = simple.LabelMapMargin(Input=volume, MarginSizeMm=2e6)
    results["margin"] = failure(margin)
    margin.MarginSizeMm = 0.0
    margin.UpdatePipeline()
    results["margin afterwards"] = last_error(margin)
    results["no volume"] = failure(simple.LabelMapGrowFromSeeds(Input=volume))
    results["bins"] = failure(simple.LabelMapThreshold(Input=volume, NumberOfBins=1))
    results["median"] = failure(simple.LabelMapMedian(Input=volume, KernelSizeMm=-1.0))
    results["islands"] = failure(simple.LabelMapIslands(Input=volume, MinimumSize=-1))
    results["label"] = failure(simple.LabelMapIslands(Input=volume, SegmentLabel=0))
    results["surface"] = failure(simple.LabelMapSurface(Input=volume))
    results["smoothing"] = failure(simple.LabelMapSurface(Input=volume, SmoothingIterations=101))
    collector = simple.LabelMapRegionCollector(Input=volume, Extent=[100, 120, 0, 1, 0, 1])
    results["collector"] = failure(collector)
    results["json"] = failure(simple.LabelMapEditor(Input=volume, Operations="[" * 100000))
    editor = simple.LabelMapEditor(Input=volume, Operations='[{"effect": "margn", "segment": "a"}]')
    results["editor"] = failure(editor)
    flat = simple.Calculator(Input=volume, ResultArrayName="flat", Function="7")
    otsu = simple.LabelMapThreshold(Input=flat, AutoThresholdMode="SET_UPPER")
    otsu.Array = ["POINTS", "flat"]
    results["single value"] = failure(otsu)
    missing = simple.RASVolumeReader(FileName=str(folder / "missing.nrrd"))
    results["missing file"] = failure(missing)
    cut = simple.RASVolumeReader(FileName=str(folder / "cut.nrrd"))
    results["cut file"] = failure(cut)
    editor.Operations = json.dumps(SEQUENCE)
    editor.UpdatePipeline()
    results["afterwards"] = labels_of(editor, ranks)
    nowhere = str(folder / "no such folder" / "labels.seg.nrrd")
    results["segmentation writer"] = failure(
        servermanager.writers.LabelMapNrrdWriter(Input=editor, FileName=nowhere)
    )
    results["volume writer"] = failure(
        servermanager.writers.RASVolumeWriter(
            Input=volume, FileName=nowhere.replace("labels.seg", "volume")
        )
    )
    return results


def scenario_real(folder: Path, ranks: int) -> dict[str, object]:
    """Each effect and query that real.json lists, on label maps and volumes from files."""
    results: dict[str, dict[str, object]] = {}
    inputs: dict[str, object] = {}
    for task in json.loads((folder / "real.json").read_text(encoding="utf-8")):
        data = task["data"]
        if data not in results:
            results[data] = {}
            inputs = {
                "labels": simple.LabelMapNrrdReader(FileName=str(folder / f"{data}.seg.nrrd")),
                "volume": simple.RASVolumeReader(FileName=str(folder / f"{data}.nrrd")),
            }
        chosen = {"Input": inputs[task["input"]]}
        if task["volume"]:
            chosen["Volume"] = inputs["volume"]
        proxy = getattr(simple, task["proxy"])(**chosen)
        for name, value in task["parameters"].items():
            setattr(proxy, name, value)
        if "SegmentLabel" in proxy.ListProperties():
            proxy.SegmentLabel = task["segment"]
        proxy.UpdatePipeline()
        if not task["array"]:
            table = servermanager.Fetch(proxy, 0)
            columns = [table.GetColumn(number) for number in range(table.GetNumberOfColumns())]
            found: dict[str, object] = {
                column.GetName(): crc(vtk_to_numpy(column))
                for column in columns
                if column.IsNumeric()
            }
        else:
            _, whole = collect(proxy, task["array"])
            found = {"type": str(whole.dtype), "crc": crc(whole), "count": int(whole.size)}
        results[data][task["identifier"]] = found | {"error": last_error(proxy)}
        simple.Delete(proxy)
    return dict(results)


def scenario_files(folder: Path, ranks: int) -> dict[str, object]:
    """A volume and a segmentation from files, each rank its part, edited together."""
    volume = simple.RASVolumeReader(FileName=str(folder / "volume.nrrd"))
    results: dict[str, object] = {}
    image, values = collect(volume, volume.PointData.keys()[0])
    # ParaView loses directions, and digits of the rest, on the way; the collector sends them.
    lattice = vtk_to_numpy(image.GetFieldData().GetArray("Lattice")).ravel().tolist()
    results["volume"] = {
        "crc": crc(values),
        "shape": list(values.shape),
        "lattice": lattice,
        "pieces": pieces(volume, volume.PointData.keys()[0], ranks),
    }
    results["volume"]["piece_crcs"] = piece_crcs(
        values, list(image.GetExtent()), results["volume"]["pieces"]
    )
    results["volume"]["extent"] = list(image.GetExtent())
    segmentation = simple.LabelMapNrrdReader(FileName=str(folder / "labels.seg.nrrd"))
    results["segmentation"] = labels_of_reader(segmentation, ranks)
    editor = edited(volume, [], LabelMap=segmentation)
    results["start"] = labels_of(editor, ranks)
    results["start table"] = table_of(editor)
    editor.Operations = json.dumps(
        [
            {"effect": "margin", "segment": "Segment_2", "parameters": {"MarginSizeMm": 1.5}},
            {"effect": "add_segment", "segment": "new"},
            {
                "effect": "threshold",
                "segment": "new",
                "parameters": {"MinimumThreshold": 10.7, "MaximumThreshold": 12.9},
            },
        ]
    )
    editor.UpdatePipeline()
    results["edited"] = labels_of(editor, ranks)
    results["edited table"] = table_of(editor)
    results["surface"] = surface_of(editor, ranks)
    return results


def labels_of_reader(reader: object, ranks: int) -> dict[str, object]:
    image, whole = collect(reader, "Labels")
    found = pieces(reader, "Labels", ranks)
    return {
        "crc": crc(whole),
        "extent": list(image.GetExtent()),
        "pieces": found,
        "piece_crcs": piece_crcs(whole, list(image.GetExtent()), found),
        "table": table_of(reader)["ids"],
    }


def scenario_proxies(folder: Path, ranks: int) -> dict[str, object]:
    """Every property of every proxy, with defaults and domains as the server manager sees them."""
    volume = wavelet([0, 4, 0, 4, 0, 4])
    results: dict[str, object] = {}
    for name in json.loads((folder / "proxies.json").read_text(encoding="utf-8")):
        reader = name.endswith("Reader")
        proxy = getattr(simple, name)(**({} if reader else {"Input": volume}))
        described = {}
        iterator = proxy.SMProxy.NewPropertyIterator()
        iterator.Begin()
        while not iterator.IsAtEnd():
            described[iterator.GetKey()] = describe(iterator.GetProperty())
            iterator.Next()
        results[name] = {
            "class": proxy.SMProxy.GetVTKClassName(),
            "group": proxy.SMProxy.GetXMLGroup(),
            "python": proxy.ListProperties(),
            "properties": described,
        }
        simple.Delete(proxy)
    return results


def describe(prop: object) -> dict[str, object]:
    kind = prop.GetClassName()
    described: dict[str, object] = {
        "class": kind,
        "information": bool(prop.GetInformationOnly()),
        "sentence": prop.GetDocumentation().GetDescription() if prop.GetDocumentation() else "",
    }
    if "Input" not in kind and not prop.GetInformationOnly():
        # Where a default cannot be asked for, no domain has replaced it by a value of the data.
        value = getattr(prop, "GetDefaultValue", prop.GetElement)
        described["default"] = [value(i) for i in range(prop.GetNumberOfElements())]
    domains = {}
    iterator = prop.NewDomainIterator()
    iterator.Begin()
    while not iterator.IsAtEnd():
        domain = iterator.GetDomain()
        about: dict[str, object] = {}
        if domain.GetClassName() in ("vtkSMIntRangeDomain", "vtkSMDoubleRangeDomain"):
            about = {"range": [domain.GetMinimum(0), domain.GetMaximum(0)]}
        elif domain.GetClassName() == "vtkSMEnumerationDomain":
            about = {
                "entries": [
                    [domain.GetEntryValue(i), domain.GetEntryText(i)]
                    for i in range(domain.GetNumberOfEntries())
                ]
            }
        domains[domain.GetClassName()] = about
        iterator.Next()
    described["domains"] = domains
    return described


def scenario_picture(folder: Path, ranks: int) -> dict[str, object]:
    """The surfaces of two segments in their own colours, without and with shading."""
    volume = simple.RASVolumeReader(FileName=str(folder / "balls.nrrd"))
    operations = []
    for segment, value, color in (("low", 1, [0.8, 0.2, 0.0]), ("high", 2, [0.0, 0.4, 1.0])):
        operations += [
            {"effect": "add_segment", "segment": segment, "parameters": {"Color": color}},
            {
                "effect": "threshold",
                "segment": segment,
                "parameters": {"MinimumThreshold": value, "MaximumThreshold": value},
            },
        ]
    editor = edited(volume, operations)
    surface = simple.LabelMapSurface(Input=editor)
    surface.Array = ["POINTS", "Labels"]
    view = simple.CreateRenderView(ViewSize=[400, 300])
    view.OrientationAxesVisibility = 0
    view.UseColorPaletteForBackground = 0
    view.BackgroundColorMode = "Single Color"
    view.Background = [1.0, 1.0, 1.0]
    display = simple.Show(surface, view)
    display.Representation = "Surface"
    display.ColorArrayName = ["CELLS", "SegmentColor"]
    display.MapScalars = 0
    # ParaView places the camera itself at the first rendering.
    simple.Render(view)
    # From the front (anterior is away from the camera), superior up: x runs to the right.
    view.CameraPosition = [0.0, -150.0, 0.0]
    view.CameraFocalPoint = [0.0, 0.0, 0.0]
    view.CameraViewUp = [0.0, 0.0, 1.0]
    view.CameraParallelProjection = 1
    view.CameraParallelScale = 30.0
    result: dict[str, object] = {"error": last_error(editor)}
    for name, ambient in (("flat", 1.0), ("shaded", 0.1)):
        display.Ambient = ambient
        display.Diffuse = 1.0 - ambient
        display.Specular = 0.0
        simple.Render(view)
        file = folder / f"segments_{name}_{ranks}_ranks.png"
        simple.SaveScreenshot(str(file), view, ImageResolution=[400, 300])
        result[name] = str(file)
    from vtkmodules.vtkIOImage import vtkPNGReader

    reader = vtkPNGReader()
    reader.SetFileName(str(result["flat"]))
    reader.Update()
    image = reader.GetOutput()
    width, height, _ = image.GetDimensions()
    pixels = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(height, width, -1)[:, :, :3]
    result["size"] = [width, height]
    for name, color in {
        "low": (204, 51, 0),
        "high": (0, 102, 255),
        "background": (255, 255, 255),
    }.items():
        near = np.abs(pixels.astype(int) - np.array(color)).max(axis=2) <= 2
        y, x = np.nonzero(near)
        result[name] = {
            "pixels": int(near.sum()),
            "centre": [float(x.mean()), float(y.mean())] if len(x) else None,
        }
    return result


def scenario_bridge(folder: Path, ranks: int) -> dict[str, object]:
    """Segments that overlap, undo and redo, through a bridge to a client in another thread."""
    parents = Path(sys.argv[3]).parents
    sys.path.insert(0, str(next(p / "python" for p in parents if (p / "python").is_dir())))
    from segmentationcore.bridge.client import BridgeClient
    from segmentationcore.bridge.paraview_backend import ParaViewBackend
    from segmentationcore.bridge.protocol import BridgeError
    from segmentationcore.bridge.server import BridgeServer

    # What the bridge must give, by the filters alone and by NumPy.
    volume = wavelet(EXTENT)
    otsu = simple.LabelMapThreshold(Input=volume, AutoThresholdMode="SET_LOWER_MAX")
    shrunk = simple.LabelMapMargin(Input=otsu, MarginSizeMm=-2.0)
    shrunk.Array = ["POINTS", "Labels"]
    truth: dict[str, object] = {}
    grey = collect(volume, "RTData")[1]
    for name, proxy in (("otsu", otsu), ("shrunk", shrunk)):
        mask = collect(proxy, "Labels")[1] > 0
        places = np.argwhere(mask)[:, ::-1] + EXTENT[::2]
        truth[name] = {
            "centroid": (places.mean(0)).tolist(),
            "mean": float(grey[mask].astype(np.float64).mean()),
            "voxels": int(mask.sum()),
            "mask": crc(mask),
            "points": surface_of(proxy, ranks)["points"],
            "box": box_of(mask, EXTENT),
        }
        if name == "otsu":
            values = collect(volume, "RTData")[1]
            inside = mask & (values >= 150.5) & (values <= 220.25)
            box = [-10, 10, -4, 6, -3, 5]
            place = piece_slices(EXTENT, box)
            part = np.zeros_like(inside)
            part[place] = inside[place]
            truth["part"] = {
                "voxels": int(part.sum()),
                "mask": crc(part),
                "box": box_of(part, EXTENT),
                "region": box,
            }

    begin = [
        {"effect": "add_segment", "segment": "a"},
        {
            "effect": "threshold",
            "segment": "a",
            "parameters": {"AutoThresholdMode": "SET_LOWER_MAX"},
        },
        {"effect": "add_segment", "segment": "b"},
    ]
    copy = {
        "effect": "logical",
        "segment": "b",
        "parameters": {"Operation": "COPY", "ModifierSegmentID": "a"},
    }
    masked = {
        "effect": "threshold",
        "segment": "c",
        "parameters": {"MinimumThreshold": 150.5, "MaximumThreshold": 220.25},
        "masking": {
            "MaskMode": "EditAllowedInsideSingleSegment",
            "MaskSegmentID": "b",
            "OverwriteMode": "OverwriteNone",
        },
        "region": {"center": [0.0, 1.0, 1.0], "size": [21.0, 11.0, 9.0]},
    }
    backend = ParaViewBackend.open(volume, begin)
    server = BridgeServer(backend, token="t" * 32, port=0)
    server.start()
    results: dict[str, object] = {"truth": truth}

    def state(client: object) -> dict[str, object]:
        description = client.describe()
        region = client.region()
        found: dict[str, object] = {
            "layers": [[layer.layer, list(layer.segments)] for layer in region.layers],
            "undoable": description.undoable,
            "redoable": description.redoable,
        }
        for row in description.segments:
            mask = region.mask(row.id)
            alone = client.region([-5, 9, 0, 12, -10, 10], segments=[row.id])
            surface = client.surface(row.id)
            found[row.id] = {
                "name": row.name,
                "layer": row.layer,
                "voxels": row.voxel_count,
                "mask": crc(mask),
                "differences alone": int(
                    (alone.mask(row.id) != mask[piece_slices(EXTENT, alone.volume.extent)]).sum()
                ),
                "values alone": sorted(np.unique(alone.labels).tolist()),
                "points": crc(surface.points) if len(surface.points) else None,
            }
        return found

    def measurements(client: object) -> dict[str, object]:
        table = client.statistics(intensities=True, islands=True)
        return {
            "columns": list(table.dtype.names),
            **{
                row["segment"]: {
                    "name": row["name"],
                    "voxels": int(row["voxel_count"]),
                    "extent": row["extent"].tolist(),
                    "centroid": row["centroid"].tolist(),
                    "mean": float(row["mean"]),
                    "bits": crc(np.frombuffer(b"".join(
                        row[name].tobytes() for name in table.dtype.names
                        if name not in ("segment", "name")
                    ), np.uint8)),
                }
                for row in table
            },
        }  # fmt: skip

    def refusal(call: object, *arguments: object) -> str:
        try:
            call(*arguments)
        except BridgeError as error:
            return str(error)
        return "not refused"

    def talk(client: object) -> None:
        def note(name: str, applied: object) -> None:
            results[name] = {
                "changed": list(applied.changed),
                "extent": applied.extent and list(applied.extent),
                "state": state(client),
            }

        results["begin"] = state(client)
        note("copied", client.apply(copy))
        margin = {
            "effect": "margin",
            "segment": "a",
            "parameters": {"MarginSizeMm": -2.0},
            "masking": {"OverwriteMode": "OverwriteNone"},
        }
        note("shrunk", client.apply(margin))
        note("added", client.apply({"effect": "add_segment", "segment": "c"}))
        note("masked", client.apply(masked))
        results["measured"] = measurements(client)
        results["refused statistics"] = refusal(lambda: client.statistics(Size=1))
        results["refusals"] = [
            refusal(client.apply, {**masked, "masking": {"MaskMode": "EditAllowed"}}),
            refusal(client.apply, {**masked, "region": {"center": [0, 0, 0]}}),
            refusal(client.apply, {**begin[0], "region": masked["region"]}),
            refusal(client.apply, {**copy, "parameters": {"ModifierSegmentID": "nobody"}}),
        ]
        results["after refusals"] = state(client)
        for name in ("undone masked", "undone added", "undone shrunk", "undone copied"):
            note(name, client.undo())
        for name in ("redone copied", "redone shrunk"):
            note(name, client.redo())
        everyone = {
            "effect": "margin",
            "ApplyToAllVisibleSegments": True,
            "parameters": {"MarginSizeMm": 1.0},
            "masking": {"OverwriteMode": "OverwriteNone"},
            "region": {"growth": 0.0},
        }
        note("all grown", client.apply(everyone))
        note("undone all", client.undo())
        note("filled", client.apply({"effect": "fill_between_slices"}))
        note("undone filled", client.undo())
        rename = {"effect": "rename_segment", "segment": "b", "parameters": {"Name": "B"}}
        note("renamed", client.apply(rename))
        results["no redo"] = refusal(client.redo)
        while client.describe().undoable:
            last = client.undo()
        note("empty", last)
        results["no undo"] = refusal(client.undo)
        results["empty labels"] = int(client.region().labels.any())

    def run() -> None:
        try:
            with BridgeClient.connect(server.url, token="t" * 32) as client:
                talk(client)
        except Exception as error:
            results["failure"] = repr(error)
        finally:
            server.stop()

    thread = threading.Thread(target=run)
    thread.start()
    server.serve_forever()
    thread.join()
    if "failure" in results:
        raise RuntimeError(results["failure"])
    return results


def box_of(mask: np.ndarray, extent: list[int]) -> list[int]:
    """The extent of a mask, [z, y, x], that begins where `extent` does."""
    places = np.argwhere(mask)[:, ::-1] + np.array(extent[::2])
    return [int(x) for ends in zip(places.min(0), places.max(0), strict=True) for x in ends]


def piece_slices(extent: list[int], piece: list[int]) -> tuple[slice, ...]:
    """Where a part is in an array, [z, y, x], that holds `extent`."""
    return tuple(
        slice(piece[2 * a] - extent[2 * a], piece[2 * a + 1] - extent[2 * a] + 1) for a in (2, 1, 0)
    )


def main() -> None:
    scenario, folder, plugin, ranks = sys.argv[1:5]
    if len(sys.argv) > 5:
        simple.Connect("localhost", int(sys.argv[5]))
        simple.LoadPlugin(plugin, remote=True, ns=vars(simple))
    simple.LoadPlugin(plugin, remote=False, ns=vars(simple))
    result = globals()["scenario_" + scenario](Path(folder), int(ranks))
    name = f"{scenario}_{ranks if len(sys.argv) > 5 else 'serial'}.json"
    Path(folder, name).write_text(json.dumps(result), encoding="utf-8")


main()
