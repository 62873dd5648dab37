"""What a driver sees of a job: its tasks, and where what comes of them goes."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from endpoint import Endpoint, EndpointError

# The status with which the worker ends when it has no memory left.
EXIT_MEMORY = 71

# What is kept of an exception's text, in characters.
MAX_MESSAGE = 2000


@dataclass(frozen=True)
class Task:
    """One item to make. body is what the Go side of the driver put there."""

    id: str
    seed: int
    body: Any


@dataclass(frozen=True)
class Job:
    """A batch of tasks; op names what is to be done with them.

    shared is {} when the tasks have nothing in common. At most concurrency calls
    to the model are to be under way.
    """

    op: str
    shared: dict[str, Any]
    tasks: list[Task]
    endpoint: Endpoint
    concurrency: int


class InputError(ValueError):
    """A task that asks for what cannot be done."""


class Channel:
    """Writes messages, each a line, whole and one at a time."""

    def __init__(self, fd: int, limit: int) -> None:
        self._fd = fd
        self._limit = limit
        self._lock = threading.Lock()

    def send(self, message: dict[str, Any]) -> None:
        """Write a message.

        TypeError and ValueError say that it cannot be written (a type that JSON
        has not, a number that is not finite, too long), and nothing of it was.
        """
        line = encode(message)
        if self._limit and len(line) > self._limit:
            raise ValueError(f"a message of {len(line)} bytes is too long")
        with self._lock:
            view = memoryview(line)
            while view:
                view = view[os.write(self._fd, view) :]


def encode(message: dict[str, Any]) -> bytes:
    """Return the line of a message."""

    def dump(ascii_only: bool) -> str:
        return json.dumps(message, ensure_ascii=ascii_only, allow_nan=False, separators=(",", ":"))

    try:
        return dump(False).encode() + b"\n"
    except UnicodeEncodeError:  # half a surrogate pair, which a \u escape may be
        return dump(True).encode() + b"\n"


class Out:
    """Takes what comes of the tasks of one job. It is safe for use by threads.

    A task ends once, by done or by error. What comes for a task after its end,
    for a task that the job does not have or after the end of the job is left out.
    """

    def __init__(self, channel: Channel, job_id: str, task_ids: Iterable[str]) -> None:
        self._channel = channel
        self._job = job_id
        self._open = dict.fromkeys(task_ids)  # in the order of the job
        self._lock = threading.Lock()
        self._over = False
        self._records = 0
        self._errors = 0

    def record(self, task_id: str, obj: dict[str, Any]) -> None:
        """Write a record of a task. See Channel.send for what it raises."""
        if not isinstance(obj, dict):
            raise TypeError(f"a record is a dict, not {type(obj).__name__}")
        with self._lock:
            if not self._takes(task_id):
                return
            self._send({"type": "record", "task": task_id, "record": obj})
            self._records += 1

    def done(self, task_id: str) -> None:
        """End a task."""
        with self._lock:
            if self._takes(task_id):
                self._send({"type": "done", "task": task_id})
                del self._open[task_id]

    def error(self, task_id: str, exc: BaseException, kind: str = "framework") -> None:
        """End a task that failed; kind is model, framework, input or internal."""
        exit_if_memory(exc)
        error = describe(exc, kind)
        with self._lock:
            if self._takes(task_id):
                self._send({"type": "error", "task": task_id, "error": error})
                del self._open[task_id]
                self._errors += 1

    @contextmanager
    def ending(self, task_id: str) -> Iterator[None]:
        """End a task at the end of the block, with the error if there is one."""
        try:
            yield
        except EndpointError as exc:
            self.error(task_id, exc, "model")
        except InputError as exc:
            self.error(task_id, exc, "input")
        except (Exception, SystemExit) as exc:
            self.error(task_id, exc)
        else:
            self.done(task_id)

    def progress(self, done: int, total: int) -> None:
        """Say how far the job is, in whatever the driver counts."""
        with self._lock:
            if not self._over:
                self._send({"type": "progress", "done": max(0, int(done)), "total": max(0, int(total))})

    def open(self) -> list[str]:
        """Return the tasks that have not ended."""
        with self._lock:
            return list(self._open)

    def result(self) -> None:
        """End the job. Every task has ended."""
        with self._lock:
            self._send({"type": "result", "records": self._records, "errors": self._errors})
            self._over = True

    def _takes(self, task_id: str) -> bool:
        if not self._over and task_id in self._open:
            return True
        print(f"worker: something came for task {task_id!r} after its end", file=sys.stderr)
        return False

    def _send(self, message: dict[str, Any]) -> None:
        self._channel.send({"job": self._job, **message})


def describe(exc: BaseException, kind: str) -> dict[str, str]:
    """Return an exception as the protocol tells it."""
    try:
        text = str(exc)
    except Exception as broken:
        text = f"its text cannot be read ({type(broken).__name__})"
    return {"kind": kind, "type": type(exc).__name__, "message": text[:MAX_MESSAGE]}


def exit_if_memory(exc: BaseException | None) -> None:
    """End the process if an exception is that memory ran out, or comes from one."""
    seen: set[int] = set()
    while exc is not None and id(exc) not in seen:
        if isinstance(exc, MemoryError):
            os._exit(EXIT_MEMORY)
        seen.add(id(exc))
        exc = exc.__cause__ or exc.__context__
