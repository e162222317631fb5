"""Random sequences of operations on Slicer's containers and on ours give the same states.

See ``data_model_driver.py`` for the operations and what is compared after each, and
``data_model_sessions.py`` for the sequences. To look at more of them:

    python Testing/Slicer/data_model_sessions.py <Slicer's Python> 0 1000
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from data_model_sessions import KINDS, Arena, compare, row_names, session

pytestmark = pytest.mark.slicer

SEEDS = 120
KIND_SEEDS = 20  # for each of the other kinds
LENGTH = 60  # so 12000 steps


@pytest.fixture(scope="module")
def arena(slicer_python: str) -> Iterator[Arena]:
    pytest.importorskip("segmentationcore.SegmentationCoreDataModel")
    with Arena(slicer_python) as made:
        yield made


@pytest.fixture(scope="module")
def expected() -> Counter[str]:
    """Uses of the rows of the tables of differences, over all sessions."""
    return Counter()


def play(arena: Arena, expected: Counter[str], played: dict[str, Any]) -> None:
    slicer, ours = arena.play(played)
    if compare(slicer, ours) is not None:
        pytest.fail(arena.report(played))
    expected.update(ours["expected"])


@pytest.mark.parametrize("part", range(8))
def test_same_states(arena: Arena, expected: Counter[str], part: int) -> None:
    for seed in range(part, SEEDS, 8):
        play(arena, expected, session(seed, LENGTH))


@pytest.mark.parametrize("kind", KINDS[1:])
def test_same_states_of_other_kinds(arena: Arena, expected: Counter[str], kind: str) -> None:
    for seed in range(KIND_SEEDS):
        play(arena, expected, session(seed, LENGTH, kind))


def test_expected_differences_are_in_the_tables(expected: Counter[str]) -> None:
    """And each of them occurred: a row that never does needs no exception here."""
    if not expected:
        pytest.skip("no session was played")
    names = row_names()
    assert not [name for name in expected if name not in names]
    assert not [name for name, count in expected.items() if not count]


def test_slicer_is_deterministic(slicer_python: str) -> None:
    """Otherwise nothing could be concluded from a difference."""
    with Arena(slicer_python, "slicer", slicer_python) as arena:
        for seed in range(4):
            assert arena.differs(session(seed, LENGTH)) is None


def test_a_difference_is_found_and_shrunk() -> None:
    """The test of the test, without any library: the third operation of a kind is wrong."""

    class Pretended(Arena):
        def __init__(self) -> None:
            self.played = 0

        def play(self, played: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
            self.played += 1
            kinds = [operation["do"] for operation in played["operations"]]
            right = [{"events": [[], []], "count": i} for i in range(len(kinds) + 1)]
            wrong = [
                {**state, "count": i + (kinds[:i].count("add_empty") >= 3)}
                for i, state in enumerate(right)
            ]
            return {"states": right}, {"states": wrong}

    report = Pretended().report(session(1, LENGTH))
    assert report.count('"do": "add_empty"') == 3
    assert report.count('"do"') == 3
    assert "after step 3" in report
    assert ".count: Slicer 3, ours 4" in report
