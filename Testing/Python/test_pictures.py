"""Every effect and query has its picture, and the page shows it. What is in it is for eyes."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from Pictures import charts, drawing, queries, scenes
from Pictures.__main__ import FOLDER, PAGE, page
from segmentationcore import _registry
from segmentationcore._registry import LABEL_ISLANDS, voxel_effects
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkIOImage import vtkPNGReader

pytestmark = pytest.mark.python


def pixels(path: Path) -> np.ndarray:
    reader = vtkPNGReader()
    reader.SetFileName(str(path))
    reader.Update()
    image = reader.GetOutput()
    columns, rows, _ = image.GetDimensions()
    return vtk_to_numpy(image.GetPointData().GetScalars()).reshape(rows, columns, -1)[::-1]


def test_every_effect_has_a_scene() -> None:
    shown = [scene.effect for scene in scenes.SCENES]
    assert sorted(shown) == sorted(voxel_effects())
    assert all(scene.caption.endswith(".") for scene in scenes.SCENES)


@pytest.mark.parametrize("scene", scenes.SCENES, ids=lambda scene: scene.effect)
def test_every_effect_has_a_picture_in_which_something_happens(scene: scenes.Scene) -> None:
    path = FOLDER / f"{scene.effect}.png"
    assert path.stat().st_size < 60_000
    picture = pixels(path).astype(int)
    width = (picture.shape[1] - drawing.GAP) // 2
    before, after = picture[:, :width], picture[:, -width:]
    assert np.count_nonzero(np.abs(before - after).max(axis=2) > 30) > 200


def test_every_query_has_a_scene() -> None:
    shown = {question.query: question for question in queries.QUESTIONS}
    declared = {**_registry.queries(), LABEL_ISLANDS["identifier"]: LABEL_ISLANDS}
    assert sorted(shown) == sorted(declared)
    assert len(shown) == len(queries.QUESTIONS)
    for name, question in shown.items():
        assert question.title == declared[name]["title"]
        assert question.caption.endswith(".")


@pytest.mark.parametrize("question", queries.QUESTIONS, ids=lambda question: question.query)
def test_every_query_has_a_picture_with_an_answer(question: queries.Question) -> None:
    path = FOLDER / f"{question.query}.png"
    assert path.stat().st_size < 60_000
    picture = pixels(path).astype(int)
    # The answer is wider than the frame of an empty chart, and no copy of what was asked of.
    half = picture.shape[1] // 2
    left, right = picture[:, :half], picture[:, -half:]
    assert np.count_nonzero(np.abs(left - right).max(axis=2) > 30) > 200
    assert len(np.unique(right.reshape(-1, 3), axis=0)) > 10


def test_there_is_no_picture_without_an_effect() -> None:
    shown = {scene.effect for scene in scenes.SCENES}
    shown |= {question.query for question in queries.QUESTIONS}
    assert {path.stem for path in FOLDER.iterdir()} == shown


def test_the_page_is_up_to_date() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text == "\n".join(page())
    for name in re.findall(r"\]\(([^)]+)\)", text):
        assert (PAGE.parent / name).is_file(), name


def test_a_slice_is_upright_and_square() -> None:
    volume = np.zeros((5, 11, 21))
    volume[4, 0, 20] = 100  # last plane, first row, last column
    view = drawing.View(0, at=1.0, flips=(True, False))
    seen = drawing.panel(volume, None, (3.0, 2.0, 1.0), (0, 100), view)
    assert seen.shape == (drawing.PANEL, drawing.PANEL, 3)  # 10 x 2 mm by 20 x 1 mm
    assert seen[-1, -1].tolist() == [255, 255, 255]
    assert seen[0, 0].tolist() == [0, 0, 0]


def test_labels_are_tinted_and_points_marked() -> None:
    labels = np.zeros((3, 65, 65), np.uint8)
    labels[1, 20:40, 20:40] = 1
    view = drawing.View(0)
    seen = drawing.panel(np.zeros(labels.shape), labels, (1.0, 1.0, 1.0), (0, 1), view)
    middle = seen[30 * 4, 30 * 4]
    assert middle.tolist() == np.round(0.45 * drawing.COLOURS[0]).tolist()
    assert (seen == drawing.COLOURS[0].astype(int)).all(axis=2).any()  # the outline
    marked = drawing.panel(
        np.zeros(labels.shape), None, (1.0, 1.0, 1.0), (0, 1), view, [(0.0, 10.0, 50.0)]
    )
    rows, columns = np.nonzero(marked[..., 0] == 255)
    assert abs(rows.mean() - 10 * 255 / 64) < 1
    assert abs(columns.mean() - 50 * 255 / 64) < 1


def test_panels_of_different_heights_stand_side_by_side() -> None:
    low, high = np.zeros((4, 3, 3), np.uint8), np.zeros((8, 5, 3), np.uint8)
    seen = drawing.side_by_side(low, high, low)
    assert seen.shape == (8, 3 + 5 + 3 + 2 * drawing.GAP, 3)
    assert (seen[:2, :3] == 255).all()
    assert (seen[2:6, :3] == 0).all()
    assert (seen[:, 3 : 3 + drawing.GAP] == 255).all()


def test_values_are_taken_where_a_panel_has_its_pixels() -> None:
    values = np.zeros((3, 65, 65))
    values[1, 10, 50] = 7
    found = drawing.nearest(values, (1.0, 1.0, 1.0), drawing.View(0))
    assert found.shape == (drawing.PANEL, drawing.PANEL)
    rows, columns = np.nonzero(found)
    assert abs(rows.mean() - 10 * 255 / 64) < 1
    assert abs(columns.mean() - 50 * 255 / 64) < 1


def test_a_chart_has_the_size_of_a_panel() -> None:
    pytest.importorskip("matplotlib")
    marks = {"lowest": 0.0, "threshold": 5.0, "mean": 5.1, "highest": 8.0}
    seen = charts.bars([0, 2, 4, 6, 8], [1, 5, 2, 9], "x", "y", marks)
    assert seen.shape == (charts.HEIGHT, charts.WIDTH, 3)
    assert seen.dtype == np.uint8
    flat = seen.reshape(-1, 3).tolist()
    for colour in (charts.BAR, charts.CURVE):
        assert [int(colour[at : at + 2], 16) for at in (1, 3, 5)] in flat
