"""Put the Python package together in a build tree, from links: sources, generated files, compiled modules.

stage_package.py SOURCE GENERATED COMPILED TARGET

Links instead of copies, so that an edited source needs no build, and a second run changes nothing.
"""

from __future__ import annotations

import sys
from pathlib import Path


def link(target: Path, source: Path) -> None:
    """Make `target` a link to `source` unless it is one already."""
    if target.is_symlink() or target.exists():
        if target.is_symlink() and target.readlink() == source:
            return
        target.unlink()
    target.symlink_to(source)


def main() -> None:
    """Command line."""
    source, generated, compiled, target = (Path(argument) for argument in sys.argv[1:5])
    target.mkdir(parents=True, exist_ok=True)
    wanted = {path.name: path for path in source.iterdir() if path.name != "__pycache__"}
    wanted |= {path.name: path for path in generated.iterdir() if path.is_file()}
    wanted |= {path.name: path for path in compiled.glob("*.so") if path.is_file()}
    for name, path in wanted.items():
        link(target / name, path)
    for path in target.iterdir():
        if path.is_symlink() and (path.name not in wanted or not path.exists()):
            path.unlink()


if __name__ == "__main__":
    main()
