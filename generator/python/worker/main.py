"""The worker of casebook's Python engines: runs a framework for a Go process.

    python -P -s -B -X utf8 main.py FRAMEWORK [MEMORY [LINE]]

MEMORY is the most bytes of address space, LINE the most bytes of a line that is
written; 0 means no limit. Jobs come on standard input, a line of JSON each; what
comes of them goes to standard output. The end of standard input ends the process
and every process that it started.
"""

from __future__ import annotations

import errno
import faulthandler
import importlib
import ipaddress
import json
import mmap
import os
import platform
import queue
import resource
import shutil
import signal
import socket
import sys
import threading
import traceback
from pathlib import Path
from typing import Any

# The program's own folder, which -P keeps off the path.
sys.path.insert(0, str(Path(__file__).resolve().parent))

from channel import EXIT_MEMORY, Channel, Job, Out, Task, describe, exit_if_memory  # noqa: E402
from endpoint import Endpoint  # noqa: E402

PROTOCOL = 1


def claim_channel() -> tuple[int, int]:
    """Take standard input and output away from everybody else.

    Returns descriptors of their own, which no child process inherits. What reads
    standard input from now on finds its end; what writes to standard output
    writes to standard error.
    """
    source, sink = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.dup2(2, 1)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace", line_buffering=True)
    return source, sink


def settle(memory: int) -> None:
    """Set the process up: limits, signals, and an environment without proxies."""
    os.umask(0o077)
    faulthandler.enable()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    for name in ("http_proxy", "https_proxy", "all_proxy", "ftp_proxy"):
        os.environ.pop(name, None)
        os.environ.pop(name.upper(), None)
    os.environ["no_proxy"] = os.environ["NO_PROXY"] = "*"

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a dump would hold the document
    if memory > 0:
        try:
            resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        except (ValueError, OSError) as exc:  # macOS takes none
            print(f"worker: the limit of memory is not set: {exc}", file=sys.stderr)


def short_of(memory: int) -> bool:
    """Report whether a limit of memory is as good as reached.

    A library that cannot be mapped for want of it fails with an error of its own.
    """
    if memory <= 0:
        return False
    try:
        mmap.mmap(-1, 64 << 20).close()
    except (OSError, ValueError):
        return True
    return False


def stay_home() -> None:
    """Let nothing in this process reach further than this machine's loopback.

    It holds for what connects by Python's socket module, as telemetry does.
    """

    def refuse(where: Any) -> None:
        raise PermissionError(errno.EPERM, f"the worker connects to loopback only, not to {where!r}")

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if not event.startswith("socket."):
            return
        match event:
            case "socket.connect" | "socket.sendto" | "socket.sendmsg" | "socket.bind":
                sock, address = args
                if sock.family in (socket.AF_INET, socket.AF_INET6) and address and not is_loopback(address[0]):
                    refuse(address)
            case "socket.getaddrinfo" | "socket.gethostbyname" | "socket.gethostbyaddr":
                if not is_loopback(args[0]):
                    refuse(args[0])

    sys.addaudithook(hook)


def is_loopback(host: str | bytes | None) -> bool:
    """Report whether a host, by name or number, is this machine without a network."""
    name = host.decode("ascii", "replace") if isinstance(host, bytes | bytearray) else host
    if name in (None, "localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def read_lines(source: int, lines: queue.SimpleQueue[bytes]) -> None:
    """Pass on the lines of standard input, and end the process with it."""
    with os.fdopen(source, "rb") as stream:
        for line in stream:
            lines.put(line)
    end_group()


def end_group() -> None:
    """End this process, and with it its process group if it leads one.

    The Go process is gone then, or was about to kill this one: so the private
    folder is removed here, if the program stands in one.
    """
    private = Path(__file__).resolve().parents[1]
    if private.name.startswith("casebook-python-"):
        shutil.rmtree(private, ignore_errors=True)
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(0)


def watch_threads() -> None:
    """Let memory that ran out in a thread end the process."""

    def hook(args: threading.ExceptHookArgs) -> None:
        exit_if_memory(args.exc_value)
        threading.__excepthook__(args)

    threading.excepthook = hook


def main(argv: list[str]) -> None:
    framework = argv[1]
    memory, limit = (int(a) for a in (*argv[2:4], "0", "0")[:2])
    source, sink = claim_channel()
    settle(memory)
    stay_home()
    channel = Channel(sink, limit)
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=read_lines, args=(source, lines), name="channel", daemon=True).start()
    watch_threads()
    try:
        driver = importlib.import_module(f"{framework}_driver")
        packages = dict(driver.load())
        channel.send(
            {
                "type": "ready",
                "protocol": PROTOCOL,
                "framework": framework,
                "version": packages.pop("version"),
                "python": platform.python_version(),
                "packages": packages,
            }
        )
    except BaseException as exc:
        exit_if_memory(exc)
        traceback.print_exc()
        if short_of(memory):
            os._exit(EXIT_MEMORY)
        channel.send({"type": "failed", "error": describe(exc, "import")})
        os._exit(1)
    try:
        while True:
            serve(driver, channel, json.loads(lines.get()))
    except MemoryError:
        os._exit(EXIT_MEMORY)
    except BaseException:
        traceback.print_exc()
        os._exit(1)


def serve(driver: Any, channel: Any, message: dict[str, Any]) -> None:
    """Do a job, whatever the driver does."""
    where = message["endpoint"]
    tasks = [Task(t["id"], t["seed"], t["body"]) for t in message["tasks"]]
    out = Out(channel, message["id"], [t.id for t in tasks])
    endpoint = Endpoint(where["url"], where["token"], where["model"], where["embedding_model"], message["concurrency"])
    failure: BaseException | None = None
    try:
        driver.run(Job(message["op"], message["shared"] or {}, tasks, endpoint, message["concurrency"]), out)
    except BaseException as exc:  # sys.exit of a framework too
        exit_if_memory(exc)
        traceback.print_exc()
        failure = exc
    finally:
        endpoint.close()
    for task_id in out.open():
        if failure is None:
            out.error(task_id, RuntimeError("the driver left the task open"), "internal")
        else:
            out.error(task_id, failure)
    out.result()


if __name__ == "__main__":
    main(sys.argv)
