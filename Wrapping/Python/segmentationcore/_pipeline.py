"""Running one VTK algorithm so that nothing is only printed, and Ctrl-C and progress work.

VTK prints an exception that leaves an observer, and ends the process for a KeyboardInterrupt. So
no exception may leave ours: they are kept, the algorithm is asked to stop, and they are raised
afterwards. Ctrl-C is turned into a request to stop for the time of the run, because Python would
otherwise raise it at the first instruction of an observer, where nothing can catch it.
"""

from __future__ import annotations

import contextlib
import re
import signal
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from .errors import Cancelled, Interrupted, SegmentationCoreError

Progress = Callable[[float], "bool | None"]


def is_refusal(answer: object) -> bool:
    """Whether a progress callback asks to stop: by False, also NumPy's, but not by None or 0."""
    return type(answer).__name__ in ("bool", "bool_") and not answer


class _Run:
    """What happens during one run."""

    def __init__(self, algorithm: Any, progress: Progress | None) -> None:
        self.algorithm = algorithm
        self.progress = progress
        self.errors: list[str] = []
        self.warnings: list[str] = []
        self.interrupted = False
        self.cancelled = False
        self.failure: BaseException | None = None

    def stop(self) -> None:
        if hasattr(self.algorithm, "SetAbortExecuteAndUpdateTime"):  # VTK 9.3
            self.algorithm.SetAbortExecuteAndUpdateTime()
        else:
            self.algorithm.SetAbortExecute(1)

    def on_progress(self, algorithm: Any, _event: str) -> None:
        self.on_fraction(algorithm, _event, float(algorithm.GetProgress()))

    def on_fraction(self, _object: Any, _event: str, fraction: float) -> None:
        if self.interrupted or self.cancelled or self.failure is not None:
            self.stop()
            return
        if self.progress is None:
            return
        try:
            self.cancelled = is_refusal(self.progress(min(max(fraction, 0.0), 1.0)))
        except BaseException as error:
            self.failure = error
        if self.cancelled or self.failure is not None:
            self.stop()

    def on_error(self, _object: Any, _event: str, text: str) -> None:
        self.errors.append(text)

    def on_warning(self, _object: Any, _event: str, text: str) -> None:
        self.warnings.append(text)

    # VTK hands over what comes with an event only to an observer that asks for it so.
    on_fraction.CallDataType = 11  # type: ignore[attr-defined]  # VTK_DOUBLE
    on_error.CallDataType = "string0"  # type: ignore[attr-defined]
    on_warning.CallDataType = "string0"  # type: ignore[attr-defined]

    def on_signal(self, _number: int, _frame: Any) -> None:
        self.interrupted = True


@contextlib.contextmanager
def _interrupt_as_flag(run: _Run) -> Iterator[None]:
    """Have Ctrl-C set a flag, where this is possible and nobody took it for something else."""
    if (
        threading.current_thread() is not threading.main_thread()
        or signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    ):
        yield
        return
    previous = signal.signal(signal.SIGINT, run.on_signal)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)


def readable(text: str) -> str:
    """VTK's error text without the line of file and number, and without class and address."""
    text = re.sub(r"^\s*\w+: In [^\n]*, line \d+\s*\n", "", text)
    text = re.sub(r"^vtk\w+ \((?:0x)?[0-9a-fA-F]+\): ", "", text)
    return text.strip()


def execute(
    algorithm: Any,
    what: str,
    progress: Progress | None = None,
    action: Callable[[], object] | None = None,
) -> None:
    """Run ``algorithm`` (``Update()``, or ``action``) and raise what goes wrong.

    Parameters
    ----------
    algorithm : vtkAlgorithm or vtkObject
        With ``GetLastError()`` if it is one of ours. What is no algorithm needs ``action``, sends
        the fraction with its progress events and has ``SetAbortExecute``.
    what : str
        Begins the message of an error.
    progress : callable, optional
        Called with a fraction from 0 to 1; returning False cancels.
    action : callable, optional
        What to call instead of ``algorithm.Update``.

    Raises
    ------
    Cancelled, Interrupted
        By ``progress``, or by Ctrl-C.
    SegmentationCoreError
        With the text of the algorithm.
    """
    run = _Run(algorithm, progress)
    watched = [algorithm]
    if hasattr(algorithm, "GetExecutive"):
        watched.append(algorithm.GetExecutive())
    on_progress = run.on_progress if hasattr(algorithm, "GetProgress") else run.on_fraction
    tags = [(algorithm, algorithm.AddObserver("ProgressEvent", on_progress))]
    for thing in watched:
        tags.append((thing, thing.AddObserver("ErrorEvent", run.on_error)))
        tags.append((thing, thing.AddObserver("WarningEvent", run.on_warning)))
    succeeded: object = None
    try:
        with _interrupt_as_flag(run):
            succeeded = (action or algorithm.Update)()
    finally:
        for thing, tag in tags:
            thing.RemoveObserver(tag)
    if run.failure is not None:
        raise run.failure
    if run.interrupted or run.cancelled:
        # A writer that was asked too late has replaced the file, and that is not undone.
        late = action is not None and bool(succeeded)
        state = "it was complete already" if late else "nothing was changed"
        if run.interrupted:
            raise Interrupted(f"{what}: interrupted; {state}", run.errors)
        raise Cancelled(f"{what}: cancelled; {state}", run.errors)
    text = algorithm.GetLastError() if hasattr(algorithm, "GetLastError") else ""
    if not text and run.errors:
        text = "; ".join(dict.fromkeys(readable(error) for error in run.errors))
    if not text and action is not None and succeeded is not None and not succeeded:
        text = "it failed without saying why"
    if text:
        raise SegmentationCoreError(_begun_by(what, text), run.errors)
    for warning in run.warnings:
        warnings.warn(_begun_by(what, readable(warning)), RuntimeWarning, stacklevel=3)


def _begun_by(what: str, text: str) -> str:
    """``what: text``; the name of a file is often said already, with a line's number."""
    return text if re.match(re.escape(what) + r":(\d+:)? ", text) else f"{what}: {text}"
