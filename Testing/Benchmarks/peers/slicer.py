"""The other end of `slicer_peer`: starts Slicer's Python and asks it.

Where it is comes from ``SEGMENTATIONCORE_SLICER_PYTHON``, which `make bench` sets.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from . import Task

LIBRARY = "Slicer"
_PACKAGE_ROOT = Path(__file__).resolve().parents[2]
_PATIENCE = 1800  # seconds for one answer; its slowest filters need minutes for a large volume


class SlicerError(Exception):
    """Slicer cannot be asked, or could not do it; the message says why."""


class Slicer:
    """One process of Slicer's Python with a number of threads."""

    def __init__(self, threads: int) -> None:
        executable = os.environ.get("SEGMENTATIONCORE_SLICER_PYTHON", "")
        if not executable or not Path(executable).exists():
            raise SlicerError(
                "there is no environment with slicer-core: start this by `make bench`, or set "
                "SEGMENTATIONCORE_SLICER_PYTHON to a Python that can import slicer"
            )
        self._folder = tempfile.TemporaryDirectory(prefix="bench-slicer-")
        self._log = Path(self._folder.name) / "log"
        number = str(threads)
        variables = {
            **os.environ,
            "PYTHONPATH": str(_PACKAGE_ROOT),
            "PYTHONUNBUFFERED": "1",
            "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS": number,
            "VTK_SMP_MAX_THREADS": number,
        }
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [executable, "-m", "Benchmarks.peers.slicer_peer", number],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=variables,
            )
        try:
            self.versions: dict[str, str] = self.ask("version")
        except SlicerError:
            self.close()
            raise

    def ask(self, command: str, **request: Any) -> dict[str, Any]:
        """One request; returns the answer or raises its error."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        line = json.dumps({"command": command, **request}) + "\n"
        try:
            self._process.stdin.write(line.encode())
            self._process.stdin.flush()
            if not select.select([self._process.stdout], [], [], _PATIENCE)[0]:
                raise SlicerError(f"{command}: no answer in {_PATIENCE} s")
            answered = self._process.stdout.readline()
        except BrokenPipeError:
            answered = b""
        if not answered:
            raise SlicerError(f"{command}: Slicer's process ended: {self._last_words()}")
        answer: dict[str, Any] = json.loads(answered)
        if "error" in answer:
            raise SlicerError(f"{command}: {answer['error']}")
        return answer

    def _last_words(self) -> str:
        lines = self._log.read_text(encoding="utf-8", errors="replace").split("\n")
        return " / ".join(line.strip() for line in lines[-12:] if line.strip()) or "no message"

    @property
    def alive(self) -> bool:
        """Whether it can be asked."""
        return self._process.poll() is None

    def load(self, task: Task) -> None:
        """Hand over the input of a task."""
        paths = []
        for name, array in (("input", task.array), ("volume", task.volume)):
            path = Path(self._folder.name) / f"{name}.npy"
            if array is not None:
                np.save(path, array)
            paths.append(path)
        volume = str(paths[1]) if task.volume is not None else ""
        self.ask("load", path=str(paths[0]), spacing=list(task.spacing), volume=volume)
        for path in paths:
            path.unlink(missing_ok=True)

    def method(self, task: Task) -> dict[str, str]:
        """Get ready for a task whose input is loaded: ``name`` and ``note``, or nothing."""
        return self.ask("method", effect=task.effect, options=task.options)

    def first(self) -> dict[str, Any]:
        """The warm-up: ``seconds``, ``growth`` in bytes, and ``result``, an array or a text.

        The result itself is not part of the growth.
        """
        path = Path(self._folder.name) / "result.npy"
        answer = self.ask("first", save=str(path))
        if path.exists():
            answer["result"] = np.load(path)
            path.unlink()
        else:
            answer["result"] = answer["text"]
        return answer

    def run(self) -> float:
        """Once more; returns seconds."""
        return float(self.ask("run")["seconds"])

    def voxels(self, size: int, way: str) -> np.ndarray:
        """The segment of a world of the editor."""
        path = Path(self._folder.name) / "voxels.npy"
        self.ask("voxels", size=size, way=way, save=str(path))
        result: np.ndarray = np.load(path)
        path.unlink()
        return result

    def close(self) -> None:
        """End the process and remove its files."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._folder.cleanup()

    def __enter__(self) -> Slicer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
