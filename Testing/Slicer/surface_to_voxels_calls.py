"""Surfaces to voxels with either library: what test_surface_to_voxels.py compares.

    python surface_to_voxels_calls.py RESULTS.npz     Slicer's own library, in its Python

``calls(module)`` makes the same calls with the classes of a module and returns named arrays and
texts. Surfaces are made of plain numbers here, so that two versions of VTK get the same ones.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from vtkmodules.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray, vtk_to_numpy
from vtkmodules.vtkCommonCore import vtkPoints
from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData, vtkPolyDataCollection

BINARY = "Binary labelmap"
FRACTIONAL = "Fractional labelmap"
SURFACE = "Closed surface"


def ask(python: str, folder: Path) -> dict[str, Any]:
    """What Slicer's own classes answer, from a process of their own."""
    target = folder / "slicer.npz"
    done = subprocess.run(
        [python, __file__, str(target)], capture_output=True, text=True, timeout=500, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    with np.load(target) as results:
        return {name: results[name] for name in results.files}


def poly_data(points: np.ndarray, triangles: np.ndarray, single: bool = True) -> Any:
    """A surface of triangles."""
    surface = vtkPolyData()
    held = vtkPoints()
    held.SetData(numpy_to_vtk(points.astype(np.float32 if single else np.float64), deep=1))
    surface.SetPoints(held)
    cells = np.hstack([np.full((len(triangles), 1), 3), triangles]).astype(np.int64)
    polys = vtkCellArray()
    polys.ImportLegacyFormat(numpy_to_vtkIdTypeArray(cells.ravel(), deep=1))
    surface.SetPolys(polys)
    return surface


CUBE = np.array([int(c) for c in "046062137175015054267273023031457476"]).reshape(12, 3)


def cuboid(size: Any, center: Any = (0, 0, 0)) -> tuple[np.ndarray, np.ndarray]:
    """Points and triangles of a box."""
    corners = np.array([[c & 1, c >> 1 & 1, c >> 2 & 1] for c in range(8)]) - 0.5
    return corners * np.asarray(size) + np.asarray(center), CUBE


def blob(rng: Any, radius: float, bumps: float, rings: int = 14) -> tuple[np.ndarray, np.ndarray]:
    """A closed surface around the origin: a sphere whose radius has random waves."""
    theta, phi = np.meshgrid(
        np.linspace(-np.pi / 2, np.pi / 2, rings + 1)[1:-1],
        np.linspace(0, 2 * np.pi, 2 * rings, endpoint=False),
        indexing="ij",
    )
    direction = np.stack(
        [np.cos(theta) * np.cos(phi), np.cos(theta) * np.sin(phi), np.sin(theta)], axis=-1
    )
    poles = np.array([[0, 0, -1.0], [0, 0, 1.0]])
    direction = np.vstack([direction.reshape(-1, 3), poles])
    waves, phases = rng.normal(size=(6, 3)) * 2, rng.uniform(0, 6, 6)
    points = (
        direction
        * (radius * (1 + bumps * np.sin(direction @ waves.T + phases).mean(axis=1)))[:, None]
    )
    sides = 2 * rings
    i, j = np.meshgrid(np.arange(rings - 2), np.arange(sides), indexing="ij")
    a, b = i * sides + j, i * sides + (j + 1) % sides
    c, d = a + sides, b + sides
    south, north = (rings - 1) * sides, (rings - 1) * sides + 1
    first, last = np.arange(sides), (rings - 2) * sides + np.arange(sides)
    triangles = np.vstack(
        [
            np.stack([a, b, d], -1).reshape(-1, 3),
            np.stack([a, d, c], -1).reshape(-1, 3),
            np.stack([np.full(sides, south), np.roll(first, -1), first], -1),
            np.stack([np.full(sides, north), last, np.roll(last, -1)], -1),
        ]
    )
    return points, triangles


def rotation(rng: Any) -> np.ndarray:
    """A random orthonormal matrix, left-handed half of the time."""
    q, r = np.linalg.qr(rng.normal(size=(3, 3)))
    return q * np.sign(np.diag(r))


def geometry_text(matrix: np.ndarray, extent: Any) -> str:
    """As vtkSegmentationConverter writes it."""
    return "".join(f"{float(x)!r};" for x in matrix.ravel()) + "".join(f"{int(x)};" for x in extent)


def lattice(rng: Any, spacing: float) -> np.ndarray:
    """Image to world of an oblique, anisotropic lattice."""
    matrix = np.eye(4)
    matrix[:3, :3] = rotation(rng) * spacing * rng.uniform(0.7, 1.4, 3)
    matrix[:3, 3] = rng.uniform(-5, 5, 3)
    return matrix


def shapes() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """The surfaces that masks are made of."""
    rng = np.random.default_rng(4)
    found: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    for n in range(6):
        points, triangles = cuboid(rng.uniform(6, 20, 3), rng.uniform(-3, 3, 3))
        found[f"cuboid {n}"] = (points @ rotation(rng), triangles)
    for n in range(3):
        found[f"cuboid on voxels {n}"] = cuboid(2 * rng.integers(3, 9, 3), rng.integers(-3, 4, 3))
    for n in range(4):
        found[f"ball {n}"] = blob(rng, rng.uniform(6, 12), 0.0, 10 + 4 * n)
    for n in range(4):
        found[f"blob {n}"] = blob(rng, rng.uniform(8, 12), 0.5)
    return found


def lattice_of(name: str) -> np.ndarray:
    """The lattice for a shape: that of whole millimetres where voxels are met exactly."""
    if "on voxels" in name:
        return np.eye(4)
    return lattice(np.random.default_rng(sum(name.encode())), 0.9)


def convert(module: Any, surface: Any, rule: Any, **parameters: str) -> Any:
    """The target representation."""
    segment = module.vtkSegment()
    segment.AddRepresentation(SURFACE, surface)
    names = {
        "geometry": "Reference image geometry",
        "oversampling": "Oversampling factor",
        "crop": "Crop to reference image geometry",
    }
    for name, value in parameters.items():
        rule.SetConversionParameter(names[name], value)
    assert rule.Convert(segment)
    return segment.GetRepresentation(rule.GetTargetRepresentationName())


def voxels(image: Any) -> np.ndarray:
    """Values with axes z, y, x."""
    values = vtk_to_numpy(image.GetPointData().GetScalars())
    return values.reshape(image.GetDimensions()[::-1]).astype(np.int16)


def rules(module: Any) -> dict[str, Any]:
    """Names, costs, parameters."""
    found = {}
    for rule in (
        module.vtkClosedSurfaceToBinaryLabelmapConversionRule(),
        module.vtkClosedSurfaceToFractionalLabelmapConversionRule(),
    ):
        parameters = module.vtkSegmentationConversionParameters()
        rule.GetRuleConversionParameters(parameters)
        found[rule.GetClassName()] = [
            rule.GetName(),
            rule.GetConversionCost(),
            rule.GetSourceRepresentationName(),
            rule.GetTargetRepresentationName(),
            [
                (parameters.GetName(i), parameters.GetValue(i), parameters.GetDescription(i))
                for i in range(parameters.GetNumberOfParameters())
            ],
        ]
    return found


def geometries(module: Any) -> list[str]:
    """Geometry texts of labelmaps of many kinds of reference."""
    rng = np.random.default_rng(1)
    found = []
    for trial in range(60):
        points, triangles = blob(rng, 20.0, 0.4, 8)
        points += rng.integers(-9, 9, 3)
        matrix = np.eye(4)
        matrix[:3, :3] = rotation(rng) if trial % 3 else np.eye(3)
        matrix[:3, :3] *= rng.choice([0.5, 1, 2, 0.1 * 3, 0.7], 3)
        matrix[:3, 3] = rng.integers(-20, 20, 3) * (0.5 if trial % 2 else 1.0)
        low = rng.integers(-30, 10, 3)
        extent = np.stack([low, low + rng.integers(30, 90, 3)], 1).ravel()
        text = "" if trial % 10 == 9 else geometry_text(matrix, extent)
        if text == "":
            points *= 0.3
        image = convert(
            module,
            poly_data(points, triangles, single=trial % 4 != 1),
            module.vtkClosedSurfaceToBinaryLabelmapConversionRule(),
            geometry=text,
            oversampling=("1", "2", "A", "0.5", "1.5")[trial % 5]
            if text
            else ("1", "0.5")[trial % 2],
            crop=str(int(trial % 7 == 3)),
        )
        found.append(module.vtkSegmentationConverter.SerializeImageGeometry(image))
    return found


def factors(module: Any) -> np.ndarray:
    """Oversampling factor, size, complexity and shape index of many shapes."""
    rng = np.random.default_rng(2)
    found = []
    for trial in range(300):
        if trial % 3 == 0:
            surface = poly_data(*cuboid(rng.uniform(1, 80, 3) * rng.choice([1, 1, 0.05], 3)))
        else:
            surface = poly_data(*blob(rng, rng.uniform(3, 40), rng.uniform(0, 1.2), 10))
        reference = module.vtkOrientedImageData()
        reference.SetSpacing(*rng.uniform(0.5, 2, 3))
        calculator = module.vtkCalculateOversamplingFactor()
        calculator.SetInputPolyData(surface)
        calculator.SetReferenceGeometryImageData(reference)
        assert calculator.CalculateOversamplingFactor()
        found.append(
            [
                calculator.GetOutputOversamplingFactor(),
                calculator.GetOutputRelativeStructureSize(),
                calculator.GetOutputComplexityMeasure(),
                calculator.GetOutputNormalizedShapeIndex(),
            ]
        )
    return np.array(found)


def lattices(module: Any) -> list[str]:
    """ApplyOversamplingOnImageGeometry on random lattices."""
    rng = np.random.default_rng(3)
    found = []
    for _ in range(60):
        low = rng.integers(-9, 30, 3)  # see the difference "oversampling-negative-extent"
        extent = np.stack([low, low + rng.integers(30, 90, 3)], 1).ravel()
        image = module.vtkOrientedImageData()
        text = geometry_text(lattice(rng, 1.3), extent)
        module.vtkSegmentationConverter.DeserializeImageGeometry(text, image, False)
        module.vtkCalculateOversamplingFactor.ApplyOversamplingOnImageGeometry(
            image, float(rng.choice([0.2, 0.5, 1, 1.5, 2, 3.7]))
        )
        found.append(module.vtkSegmentationConverter.SerializeImageGeometry(image))
    return found


def levels(module: Any) -> list[list[int]]:
    """Levels of random nested boxes."""
    rng = np.random.default_rng(5)
    found = []
    for trial in range(60):
        collection = vtkPolyDataCollection()
        for _ in range(12):
            size = rng.integers(1, 30, 3) if trial % 2 else np.full(3, rng.integers(1, 30))
            center = rng.integers(-2, 3, 3) if trial % 2 else (0, 0, 0)
            collection.AddItem(poly_data(*cuboid(size, center)))
        hierarchy = module.vtkTopologicalHierarchy()
        hierarchy.SetInputPolyDataCollection(collection)
        hierarchy.SetContainConstraintFactor(float(rng.choice([0.0, 0.03, 0.1])))
        hierarchy.Update()
        output = hierarchy.GetOutputLevels()
        found.append([output.GetValue(i) for i in range(output.GetNumberOfValues())])
    return found


def calls(module: Any) -> dict[str, Any]:
    """Everything."""
    found: dict[str, Any] = {
        "rules": json.dumps(rules(module)),
        "geometries": json.dumps(geometries(module)),
        "lattices": json.dumps(lattices(module)),
        "factors": factors(module),
        "levels": json.dumps(levels(module)),
    }
    for name, (points, triangles) in shapes().items():
        text = geometry_text(lattice_of(name), (0, 9, 0, 9, 0, 9))
        for kind, rule in (
            (BINARY, module.vtkClosedSurfaceToBinaryLabelmapConversionRule()),
            (FRACTIONAL, module.vtkClosedSurfaceToFractionalLabelmapConversionRule()),
        ):
            image = convert(module, poly_data(points, triangles), rule, geometry=text)
            found[f"{kind} of {name}"] = voxels(image)
            found[f"{kind} extent of {name}"] = np.array(image.GetExtent())
    return found


if __name__ == "__main__":
    from slicer_core import vtkSegmentationCore

    np.savez_compressed(sys.argv[1], **calls(vtkSegmentationCore))
