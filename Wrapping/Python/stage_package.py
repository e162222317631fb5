"""Put the Python package together: links to its sources and to the generated files.

    stage_package.py SOURCE GENERATED PACKAGE [LINK]

PACKAGE is the folder to fill. In a build tree it holds the compiled modules, which find their
libraries relative to it; LINK then becomes a link to the folder that holds PACKAGE: a short path
for PYTHONPATH. Links instead of copies, so that an edited source needs no build, and a second run
changes nothing.
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
    source, generated, package, *short = (Path(argument) for argument in sys.argv[1:5])
    package.mkdir(parents=True, exist_ok=True)
    wanted = {
        path.name: path
        for folder in (source, generated)
        for path in folder.iterdir()
        if not path.name.startswith(".") and path.name != "__pycache__"
    }
    for name, path in wanted.items():
        link(package / name, path)
    for path in package.iterdir():
        if path.is_symlink() and path.name not in wanted:
            path.unlink()
    for path in short:
        link(path, package.parent)


if __name__ == "__main__":
    main()
