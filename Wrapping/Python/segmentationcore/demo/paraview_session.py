"""The ParaView client of the demonstration: a ``pvpython`` that does what it is told.

    pvpython -m segmentationcore.demo.paraview_session --help

Reads commands from standard input, one JSON object a line, and writes one answer for each to the
file descriptor ``--answers``: ``{"result": ..}`` or ``{"error": ".."}``. It ends when its input
does. What each command does is told by the function of the same name in `Session`.
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from paraview import servermanager, simple

from ..bridge.command import serve
from ..bridge.paraview_backend import ParaViewBackend, last_error
from ..bridge.server import BridgeServer
from ..bridge.snapshot import take_snapshot

_PICTURE_SIZE = (1000, 800)
_MANY = 6  # segments that get a surface of their own
_BACKGROUND = (0.10, 0.11, 0.13)
_RANK_COLORS = ((0.30, 0.60, 0.90), (0.95, 0.70, 0.25), (0.45, 0.75, 0.40), (0.80, 0.45, 0.70))


class Session:
    """What the client holds: a connection, and the volume that is worked on."""

    def __init__(self, port: int, plugin: str) -> None:
        if simple.Connect("127.0.0.1", port) is None:
            raise RuntimeError(f"no ParaView server answers on port {port}")
        simple.LoadPlugin(plugin, remote=True)
        simple.LoadPlugin(plugin, remote=False)
        self.ranks = int(servermanager.ActiveConnection.GetNumberOfDataPartitions())
        self._answer: Callable[[dict[str, Any]], None] = _nothing
        self._bridge: BridgeServer | None = None
        self._reader: Any = None
        self._labels: Any = None
        self._backend: ParaViewBackend | None = None

    @property
    def backend(self) -> ParaViewBackend:
        """The backend of the open volume."""
        if self._backend is None:
            raise RuntimeError("no volume is open")
        return self._backend

    def hello(self) -> dict[str, Any]:
        """Who is there."""
        version = servermanager.vtkSMProxyManager.GetParaViewSourceVersion()
        return {"ranks": self.ranks, "paraview": version.rpartition(" ")[2]}

    def open(self, volume: str, labels: str | None) -> dict[str, Any]:
        """Read a volume, each rank its own part, and begin to segment it.

        ``labels`` is a ``.seg.nrrd`` on the same voxels to begin with.
        """
        self.close()
        begin = time.perf_counter()
        self._reader = simple.RASVolumeReader(FileName=volume)
        self._reader.UpdatePipeline()
        editor = simple.LabelMapEditor(Input=self._reader, Operations="[]")
        if labels is not None:
            self._labels = simple.LabelMapNrrdReader(FileName=labels)
            editor.LabelMap = self._labels
        self._backend = ParaViewBackend(editor)
        return {
            "seconds": time.perf_counter() - begin,
            "parts": self._parts(),
            **self.describe(),
        }

    def apply(self, operation: dict[str, Any]) -> dict[str, Any]:
        """Do one operation on all ranks."""
        begin = time.perf_counter()
        self.backend.apply(operation, _Silent())
        return {"seconds": time.perf_counter() - begin, **self.describe()}

    def describe(self) -> dict[str, Any]:
        """The lattice and the segments."""
        description = self.backend.describe()
        return {
            "volume": dict(description["volume"]),
            "segments": [dict(row) for row in description["segments"]],
        }

    def serve(self, token_file: str) -> dict[str, Any]:
        """Serve the segmentation until ``stop``. Answers when the port is open, and at the end."""

        def ready(server: BridgeServer, path: Path) -> None:
            self._bridge = server
            self._answer({"result": {"url": server.url, "token_file": str(path)}})

        try:
            serve(self.backend, port=0, token_file=token_file, ready=ready)
        finally:
            self._bridge = None
        return {"operations": json.loads(self.backend.editor.GetPropertyValue("Operations"))}

    def stop(self) -> None:
        """Called from the thread that reads the commands."""
        if self._bridge is not None:
            self._bridge.stop()

    def save(self, segmentation: str, snapshot: str) -> dict[str, Any]:
        """Write the ``.seg.nrrd`` from the server, and what the server holds into a snapshot."""
        begin = time.perf_counter()
        writer = servermanager.writers.LabelMapNrrdWriter(
            Input=self.backend.editor, FileName=segmentation
        )
        writer.UpdatePipeline()
        writer.UpdatePropertyInformation()
        if error := last_error(writer):
            raise RuntimeError(error)
        writing = time.perf_counter() - begin
        begin = time.perf_counter()
        take_snapshot(self.backend, snapshot)
        return {"seconds": writing, "snapshot_seconds": time.perf_counter() - begin}

    def render(
        self,
        picture: str,
        ranks_picture: str,
        direction: Sequence[float],
        translucent: Sequence[str],
        coarsening: int,
    ) -> dict[str, Any]:
        """Two pictures of all segments: in their colours, and coloured by the rank that holds them.

        The surfaces stay where they were made, each rank renders its own, and the images are
        composited. Segments in ``translucent`` let others shine through; ``coarsening`` is that of
        the surfaces.
        """
        begin = time.perf_counter()
        view = simple.CreateRenderView()
        view.ViewSize = list(_PICTURE_SIZE)
        view.UseColorPaletteForBackground = 0
        view.BackgroundColorMode = "Single Color"
        view.Background = list(_BACKGROUND)
        view.OrientationAxesVisibility = 1
        view.EnableRayTracing = 0
        segments = [row for row in self.backend.describe()["segments"] if row["voxel_count"]]
        shown = []
        if len(segments) > _MANY:
            # One surface of all, which brings the colours with it.
            surface, display = self._show_surface(view, 0, coarsening)
            display.ColorArrayName = ["CELLS", "SegmentColor"]
            display.MapScalars = 0
            shown.append((surface, display))
        else:
            for row in segments:
                surface, display = self._show_surface(view, row["label_value"], coarsening)
                display.ColorArrayName = [None, ""]
                display.DiffuseColor = display.AmbientColor = list(row["color"])
                display.Opacity = 0.35 if row["id"] in translucent else 1.0
                shown.append((surface, display))
        # The outline that an image representation draws does not know of directions.
        box = simple.Outline(Input=self._reader)
        outline = simple.Show(box, view)
        outline.ColorArrayName = [None, ""]
        outline.AmbientColor = outline.DiffuseColor = [0.6, 0.6, 0.6]
        self._aim(view, direction)
        simple.SaveScreenshot(picture, view, ImageResolution=list(_PICTURE_SIZE))
        triangles = sum(
            int(surface.GetDataInformation().GetNumberOfCells()) for surface, _ in shown
        )
        self._color_by_rank(shown)
        simple.SaveScreenshot(ranks_picture, view, ImageResolution=list(_PICTURE_SIZE))
        for surface, _ in shown:
            simple.Delete(surface)
        simple.Delete(box)
        simple.Delete(view)
        return {"seconds": time.perf_counter() - begin, "triangles": triangles}

    def close(self) -> dict[str, Any]:
        """Forget the volume."""
        backend, self._backend = self._backend, None
        reader, self._reader = self._reader, None
        labels, self._labels = self._labels, None
        for proxy in (backend.editor if backend else None, reader, labels):
            if proxy is not None:
                simple.Delete(proxy)
        return {}

    def _parts(self) -> list[int]:
        """How many points each rank holds; neighbours share a plane."""
        port = self._reader.SMProxy.GetOutputPort(0)
        return [
            int(port.GetRankDataInformation(rank).GetNumberOfPoints()) for rank in range(self.ranks)
        ]

    @staticmethod
    def _aim(view: Any, direction: Sequence[float]) -> None:
        """Look from a direction (RAS), superior up, with everything in sight."""
        simple.ResetCamera(view)
        focus = np.array(view.CameraFocalPoint)
        distance = float(np.linalg.norm(np.array(view.CameraPosition) - focus))
        unit = np.array(direction) / np.linalg.norm(direction)
        view.CameraPosition = [float(x) for x in focus + distance * unit]
        view.CameraViewUp = [0.0, 0.0, 1.0]
        simple.ResetCamera(view)

    def _show_surface(self, view: Any, label: int, coarsening: int) -> tuple[Any, Any]:
        surface = simple.LabelMapSurface(Input=self.backend.editor, SegmentLabel=label)
        # Else ParaView prefers an array by which it has coloured before.
        surface.Array = ["POINTS", "Labels"]
        surface.Coarsening = coarsening
        surface.GatherToRoot = 0
        return surface, simple.Show(surface, view)

    def _color_by_rank(self, shown: Sequence[tuple[Any, Any]]) -> None:
        for _, display in shown:
            display.MapScalars = 1
            display.Opacity = 1.0
            simple.ColorBy(display, ("POINTS", "vtkProcessId"))
            table = simple.GetColorTransferFunction("vtkProcessId")
            table.InterpretValuesAsCategories = 1
            colors = [_RANK_COLORS[rank % len(_RANK_COLORS)] for rank in range(self.ranks)]
            table.Annotations = [text for rank in range(self.ranks) for text in (str(rank),) * 2]
            table.IndexedColors = [part for color in colors for part in color]


class _Silent:
    """Nobody watches the progress, and nobody cancels."""

    cancelled = False

    def __call__(self, fraction: float, text: str = "") -> None:
        """Nothing to do."""


def _nothing(_answer: dict[str, Any]) -> None:
    raise AssertionError("no way to answer yet")


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="paraview_session", description=__doc__)
    parser.add_argument("--server-port", type=int, required=True)
    parser.add_argument("--plugin", required=True)
    parser.add_argument("--answers", type=int, required=True, help="file descriptor to answer on")
    options = parser.parse_args(arguments)
    commands: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
    answers = os.fdopen(options.answers, "w", encoding="utf-8")

    def answer(text: dict[str, Any]) -> None:
        answers.write(json.dumps(text) + "\n")
        answers.flush()

    session = Session(options.server_port, options.plugin)
    session._answer = answer

    def read() -> None:
        try:
            # pvpython puts something of its own in the place of sys.stdin.
            with os.fdopen(0, encoding="utf-8") as stream:
                for line in stream:
                    command = json.loads(line)
                    if command["command"] == "stop":
                        session.stop()
                    else:
                        commands.put(command)
        finally:
            session.stop()
            commands.put(None)

    threading.Thread(target=read, name="commands", daemon=True).start()
    while (command := commands.get()) is not None:
        name = command.pop("command")
        try:
            answer({"result": getattr(session, name)(**command)})
        except Exception as error:
            # Whatever it is, whoever asked has to hear of it; the details are in the log.
            traceback.print_exc()
            answer({"error": f"{type(error).__name__}: {error}"})
    simple.Disconnect()
    return 0


if __name__ == "__main__":
    sys.exit(main())
