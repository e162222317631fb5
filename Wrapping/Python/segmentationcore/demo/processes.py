"""Programs that the demonstration starts, and that are gone when it ends, however it ends.

Every program gets a session of its own, so that everything it starts in turn (``mpirun`` its
ranks) can be found and ended with it, and a log file.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

_GRACE_SECONDS = 3.0


class DemoError(Exception):
    """The demonstration cannot go on; the text is for a person."""


class Program:
    """A program that runs beside the demonstration."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], log: Path) -> None:
        self.name = name
        self.process = process
        self.log = log

    def log_tail(self, lines: int = 15) -> str:
        """The end of what it wrote."""
        text = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(f"  {line}" for line in text[-lines:])

    def failure(self, what: str) -> DemoError:
        """An error about this program, with the end of its log."""
        return DemoError(f"{self.name} {what}. The end of {self.log}:\n{self.log_tail()}")

    def check(self) -> None:
        """Raise if it is not running any more."""
        status = self.process.poll()
        if status is not None:
            raise self.failure(f"ended unexpectedly ({_status_text(status)})")

    def wait(self, seconds: float) -> None:
        """Wait for it to end by itself, in good order."""
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise self.failure(f"did not end within {seconds:g} s") from None
        if status:
            raise self.failure(f"failed ({_status_text(status)})")

    def end(self) -> None:
        """End it and everything it started. Does nothing when all of them are gone."""
        # The leader first: it may want to end and collect what it started. The session may outlive
        # it, so it is looked at even if the leader is gone.
        for number, leader_only in (
            (signal.SIGTERM, True),
            (signal.SIGTERM, False),
            (signal.SIGKILL, False),
        ):
            if leader_only and self.process.poll() is None:
                self.process.send_signal(number)
            elif not leader_only:
                _signal_session(self.process.pid, number)
            if self._is_gone(_GRACE_SECONDS):
                break
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(1.0)
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()

    def _is_gone(self, seconds: float) -> bool:
        """Wait until the whole session is gone."""
        deadline = time.monotonic() + seconds
        while True:
            self.process.poll()  # collects the leader
            if not _session_members(self.process.pid):
                return True
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)


class Programs:
    """All programs of a demonstration; leaving the ``with`` block ends them, the last one first."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._programs: list[Program] = []

    def __enter__(self) -> Programs:
        self._logs.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # Somebody who presses Ctrl-C once more must not keep the rest from being ended.
        impatient = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
        before = signal.pthread_sigmask(signal.SIG_BLOCK, impatient)
        try:
            while self._programs:
                self._programs.pop().end()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def start(
        self,
        name: str,
        command: Sequence[str | os.PathLike[str]],
        *,
        variables: Mapping[str, str] | None = None,
        pipe_input: bool = False,
        pass_files: Sequence[int] = (),
    ) -> Program:
        """Start a program; what it writes goes to ``<name>.log``."""
        words = [os.fspath(word) for word in command]
        log = self._logs / f"{name}.log"
        with log.open("wb") as stream:
            try:
                process = subprocess.Popen(
                    words,
                    env={**os.environ, **(variables or {})},
                    stdin=subprocess.PIPE if pipe_input else subprocess.DEVNULL,
                    stdout=stream,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    pass_fds=tuple(pass_files),
                )
            except OSError as error:
                raise DemoError(f"{words[0]} cannot be started: {error}") from error
        program = Program(name, process, log)
        self._programs.append(program)
        return program

    def run(
        self,
        name: str,
        command: Sequence[str | os.PathLike[str]],
        *,
        seconds: float,
        variables: Mapping[str, str] | None = None,
        accept_failure: bool = False,
        others: Sequence[Program] = (),
    ) -> int:
        """Run a program to its end; returns its exit status, which is 0 unless ``accept_failure``.

        ``others`` are watched meanwhile: it cannot succeed without them.
        """
        program = self.start(name, command, variables=variables)
        deadline = time.monotonic() + seconds
        try:
            while program.process.poll() is None:
                for other in others:
                    other.check()
                if time.monotonic() > deadline:
                    raise program.failure(f"did not end within {seconds:g} s")
                with contextlib.suppress(subprocess.TimeoutExpired):
                    program.process.wait(0.2)
            status = program.process.returncode
            if status and not accept_failure:
                raise program.failure(f"failed ({_status_text(status)})")
            return status
        finally:
            self._programs.remove(program)
            program.end()


class Talker:
    """A program that does what it is told: a JSON object a line in, one a line out.

    Commands go to its standard input. Answers come on a pipe of their own, because anything may
    write to the standard output of a program with ParaView in it.
    """

    def __init__(
        self, programs: Programs, name: str, command: Sequence[str], variables: Mapping[str, str]
    ):
        reading, writing = os.pipe()
        try:
            self.program = programs.start(
                name,
                [*command, "--answers", str(writing)],
                variables=variables,
                pipe_input=True,
                pass_files=[writing],
            )
        except BaseException:
            os.close(reading)
            raise
        finally:
            os.close(writing)
        self._answers = reading
        self._buffer = b""

    def ask(
        self, command: str, *, seconds: float, others: Sequence[Program] = (), **arguments: Any
    ) -> dict[str, Any]:
        """Have a command done; returns its result."""
        self.tell(command, **arguments)
        return self.answer(command, seconds=seconds, others=others)

    def tell(self, command: str, **arguments: Any) -> None:
        """Send a command without waiting for the answer."""
        stream = self.program.process.stdin
        if stream is None:
            raise AssertionError("started without a pipe")
        try:
            stream.write(json.dumps({"command": command, **arguments}).encode() + b"\n")
            stream.flush()
        except OSError:
            raise self.program.failure("does not listen any more") from None

    def answer(
        self, command: str, *, seconds: float, others: Sequence[Program] = ()
    ) -> dict[str, Any]:
        """Wait for the answer to a command."""
        deadline = time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            selector.register(self._answers, selectors.EVENT_READ)
            while b"\n" not in self._buffer:
                for other in others:
                    other.check()
                if time.monotonic() > deadline:
                    raise self.program.failure(f"did not finish {command!r} within {seconds:g} s")
                if selector.select(0.5):
                    received = os.read(self._answers, 1 << 16)
                    if not received:
                        with contextlib.suppress(subprocess.TimeoutExpired):
                            self.program.process.wait(2.0)
                        raise self.program.failure(f"ended during {command!r}")
                    self._buffer += received
        line, _, self._buffer = self._buffer.partition(b"\n")
        answer = json.loads(line)
        if "error" in answer:
            raise self.program.failure(f"could not do {command!r}: {answer['error']}")
        result = answer["result"]
        if not isinstance(result, dict):
            raise AssertionError(f"an answer that is no object: {line!r}")
        return result

    def finish(self, seconds: float) -> None:
        """Let it end by itself, in good order: its input ends."""
        if self.program.process.stdin is not None:
            self.program.process.stdin.close()
        self.program.wait(seconds)

    def close(self) -> None:
        """Close the pipe of the answers."""
        with contextlib.suppress(OSError):
            os.close(self._answers)


@contextlib.contextmanager
def signals_as_interrupts() -> Iterator[None]:
    """Let requests to terminate end the program as Ctrl-C does, so that it cleans up."""

    def interrupt(number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt(signal.Signals(number).name)

    if threading.current_thread() is not threading.main_thread():
        yield  # signals belong to somebody else
        return
    numbers = (signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _status_text(status: int) -> str:
    return f"exit status {status}" if status >= 0 else signal.Signals(-status).name


def _session_members(session: int) -> list[int]:
    """Processes of a session that are not gone; ``mpirun`` gives each rank its own group."""
    members = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            stat = (entry / "stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue  # gone meanwhile
        # The name, in parentheses, may hold anything; state, parent, group and session follow it.
        state, _, _, its_session = stat.rpartition(")")[2].split()[:4]
        if int(its_session) == session and state not in "ZX":
            members.append(int(entry.name))
    return members


def _signal_session(session: int, number: int) -> None:
    for member in _session_members(session):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(member, number)
