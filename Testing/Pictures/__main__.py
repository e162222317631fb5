"""Make the pictures and their page."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from segmentationcore._registry import voxel_effects

from .drawing import panel, side_by_side, write_png
from .queries import QUESTIONS
from .scenes import SCENES, Scene

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "images" / "effects"
PAGE = ROOT / "docs" / "effects-pictures.md"


def draw(scene: Scene) -> None:
    """One picture."""
    data = scene.load()
    labels = scene.before(data) if scene.before else None
    result = scene.run(data, labels)
    view = scene.looking(data)
    marks = scene.given(data).get("Points", ())
    before = panel(data.volume, labels, data.spacing, data.window, view, marks)
    after = panel(data.volume, result, data.spacing, data.window, view)
    write_png(FOLDER / f"{scene.effect}.png", side_by_side(before, after))


def page() -> Iterator[str]:
    """The lines of the page."""
    yield "# The effects in pictures"
    yield ""
    yield (
        "Before on the left, after on the right; crosses are points that were given. The head is "
        "an MRI, the skull a CT, the rock is synthetic. Parameters are explained in "
        "[effects.md](effects.md). Made by `make pictures`."
    )
    effects = voxel_effects()
    for scene in SCENES:
        effect = effects[scene.effect]
        yield ""
        yield f"## {effect['title']}"
        yield ""
        yield scene.caption
        yield ""
        yield f"![{effect['title']}](images/effects/{scene.effect}.png)"
    yield ""
    yield "# The queries in pictures"
    yield ""
    yield (
        "Queries measure segments, or make volumes of them, and change none. On the left is what "
        "they were asked of, on the right the answer. On the command line they are "
        "`segmentationcore query`."
    )
    for question in QUESTIONS:
        yield ""
        yield f"## {question.title}"
        yield ""
        yield question.caption
        yield ""
        yield f"![{question.title}](images/effects/{question.query}.png)"
    yield ""


def main(names: Sequence[str]) -> int:
    """Command line: the effects and queries to draw, all by default."""
    known = [*(scene.effect for scene in SCENES), *(question.query for question in QUESTIONS)]
    unknown = sorted(set(names) - set(known))
    if unknown:
        print(f"pictures: there is no scene of {', '.join(unknown)}", file=sys.stderr)
        return 2
    for scene in SCENES:
        if not names or scene.effect in names:
            print(f"pictures: {scene.effect}", flush=True)
            draw(scene)
    for question in QUESTIONS:
        if not names or question.query in names:
            print(f"pictures: {question.query}", flush=True)
            write_png(FOLDER / f"{question.query}.png", question.draw())
    PAGE.write_text("\n".join(page()), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
