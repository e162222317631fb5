"""Fast marching against Dijkstra's algorithm and a sort, and in a session."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sample_data import assert_same, blob_labels, noise, smooth_volume, template
from segmentationcore import Editor, fast_marching
from session_world import World, add_segments, apply, array_of, done, mask_of, operation, whole
from test_grow_from_seeds import by_dijkstra
from vtkmodules.vtkCommonDataModel import vtkImageData

pytestmark = pytest.mark.python

WORLD = World((9, 12, 14), first=(-3, 0, 5))


def by_sorting(
    labels: np.ndarray,
    volume: np.ndarray,
    percent: float,
    factor: float = 0.0,
    spacing: tuple[float, ...] = (1.0, 1.0, 1.0),
    label: int = 1,
) -> np.ndarray:
    """Whole numbers that span up to 255 only."""
    scale = 256 if factor else 1
    mask = (labels == label).astype(np.uint8)
    _, costs = by_dijkstra(mask, volume, factor, spacing, scale)
    size, most = int(mask.sum()), int(percent * labels.size / 100)
    order = np.sort(costs[(mask == 0) & (costs >= 0)])
    limit = 0 if most <= size else order[most - size] if most - size < order.size else 2**62
    return np.where((costs >= 0) & (costs < limit) | (mask == 1), label, labels)


@pytest.mark.parametrize("factor", [0.0, 0.3, 4.0])
@pytest.mark.parametrize("percent", [0.0, 1.0, 29.0, 70.0, 100.0])
def test_first_come(percent: float, factor: float) -> None:
    shape, spacing = (8, 9, 20), (2.0, 0.5, 1.25)
    labels = blob_labels(shape, 3)
    labels[noise(shape, 1) % 20 != 0] = 0
    volume = smooth_volume(shape, 8).astype(np.int16) - 50
    volume[0, 0, :2] = 0, 255
    for label in (1, 2):
        got = fast_marching(
            labels,
            volume,
            percent_max=percent,
            seed_locality_factor=factor,
            spacing=spacing,
            label=label,
        )
        expected = by_sorting(labels, volume, percent, factor, spacing, label)
        assert_same(got, expected, f"label {label}:")
        assert (got == label).mean() <= max(percent / 100, (labels == label).mean())


def test_more_percent_is_more() -> None:
    volume = smooth_volume((12, 13, 14), 8)
    labels = np.zeros(volume.shape, np.uint8)
    labels[6, 6, 6] = 1
    before = labels == 1
    for percent in np.linspace(0, 100, 12):
        now = fast_marching(labels, volume, percent_max=float(percent)) == 1
        assert (now >= before).all()
        before = now
    assert before.all()


def test_it_fills_a_chamber_before_it_leaves_it() -> None:
    volume = np.full((15, 15, 15), 200.0)
    volume[2:7, 2:7, 2:7] = 100.0  # a room, a corridor to another one, and a third behind a wall
    volume[4, 4, 7:9] = 100.0
    volume[2:7, 2:7, 9:14] = 100.0
    volume[9:14, 9:14, 9:14] = 100.0
    labels = np.zeros(volume.shape, np.uint8)
    labels[4, 4, 4] = 1
    rooms = volume == 100.0
    rooms[9:14, 9:14, 9:14] = False
    percent = 100 * (rooms.sum() + 3) / rooms.size
    got = fast_marching(labels, volume, percent_max=percent, seed_locality_factor=0.5)
    assert_same(got == 1, rooms)


def test_a_real_head() -> None:
    volume, _ = template("ch2bet.nii.gz")
    volume = np.ascontiguousarray(volume[60:80, 80:110, 60:90])
    labels = np.zeros(volume.shape, np.uint8)
    labels[10, 10, 10:14] = 1
    got = fast_marching(labels, volume, percent_max=25.0, seed_locality_factor=0.0)
    assert_same(got, by_sorting(labels, volume, 25.0))
    assert got.mean() > 0.05


def test_in_a_session() -> None:
    volume = smooth_volume(WORLD.shape, 5)
    session = WORLD.session(volume)
    add_segments(session, ["a", "b"])
    stroke = {"Points": [WORLD.point([5, 6, 4])], "BrushAbsoluteDiameter": 3.0}
    apply(session, operation("paint", "a", **stroke))
    seed = mask_of(session, "a").astype(np.uint8)
    edit = operation("fast_marching", "a", PercentMax=35.0, SeedLocalityFactor=0.0)
    expected = by_sorting(seed, volume.astype(int), 35.0)
    image = vtkImageData()
    done(session, session.Preview(json.dumps(edit), whole(session), 1, image))
    assert_same(array_of(image, "Mask"), expected)
    apply(session, edit)
    assert_same(mask_of(session, "a"), expected == 1)
    # An empty segment stays empty.
    apply(session, operation("fast_marching", "b", PercentMax=35.0))
    assert not mask_of(session, "b").any()


def test_in_the_editor() -> None:
    volume = smooth_volume((5, 9, 11), 3)
    editor = Editor(volume)
    editor.add_segment("a")
    editor.apply("paint", "a", points=[[2, 4, 5]], brush_pixel_mode=True)
    labels = editor.labels().labels
    editor.apply("fast_marching", "a", percent_max=40.0)
    assert_same(editor.labels().labels, fast_marching(labels, volume, percent_max=40.0))
