"""The model of a job: a client of the loopback proxy on the Go side.

It never retries and opens no other connection: retry, limits, budget and
recording are the proxy's. It is safe for concurrent use, by threads and by any
number of event loops, one after another or at once.
"""

from __future__ import annotations

import array
import asyncio
import base64
import binascii
import http.client
import json
import socket
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar
from urllib.parse import urlsplit

T = TypeVar("T")

# A message is {"role": "system" | "user" | "assistant", "content": "..."}.
Messages = str | Sequence[Mapping[str, str]]

# The proxy refuses a larger request.
MAX_BODY = 32 << 20


class EndpointError(Exception):
    """A call that failed.

    kind says why: a kind of the model's failures ("rate", "overload", "quota",
    "auth", "model", "too_long", "schema", "unsupported", "blocked", "refused",
    "truncated", "malformed"), "budget", "stopped" or "missing" (no later call
    can succeed), "cancelled", "panic" or "internal", "bad_request" (the call
    itself is wrong), "connection" (there was no reply) or "protocol" (the reply
    cannot be read). status is the HTTP status, 0 without a reply.
    """

    def __init__(self, kind: str, status: int, message: str) -> None:
        super().__init__(kind, status, message)
        self.kind = kind
        self.status = status
        self.message = message

    def __str__(self) -> str:
        status = f" ({self.status})" if self.status else ""
        return f"{self.kind}{status}: {self.message}"


class Endpoint:
    """A chat model and an embedding model at the proxy.

    url ends in /v1. The a... methods run in a pool of `concurrency` threads;
    the others run in the caller's thread and have no limit.
    """

    def __init__(
        self,
        url: str,
        token: str,
        model: str = "",
        embedding_model: str = "",
        concurrency: int = 16,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname or not parts.port:
            raise ValueError("the endpoint's url must be http://host:port/path")
        self.model = model
        self.embedding_model = embedding_model
        self.concurrency = max(1, concurrency)
        self._host = parts.hostname
        self._port = parts.port
        self._path = parts.path.rstrip("/")
        self._headers = {
            "Authorization": "Bearer " + token,
            "Content-Type": "application/json",
        }
        self._lock = threading.Lock()
        self._idle: list[http.client.HTTPConnection] = []
        self._closed = False
        self._pool = ThreadPoolExecutor(self.concurrency, "endpoint")

    def complete(
        self,
        messages: Messages,
        *,
        schema: Mapping[str, Any] | None = None,
        schema_name: str | None = None,
        json_object: bool = False,
        temperature: float | None = None,
        max_tokens: int | None = None,
        seed: int | None = None,
        task: str | None = None,
    ) -> str:
        """Returns the reply to messages, or to one user message.

        With a JSON schema it is JSON text that the schema accepts, with
        json_object the text of a JSON object or list; else it is as the model
        wrote it. task names the job's task in the log. Raises EndpointError.
        """
        body = self._chat_body(
            messages, schema, schema_name, json_object, temperature, max_tokens, seed
        )
        return self._complete(_Flight(), body, task)

    async def acomplete(
        self,
        messages: Messages,
        *,
        schema: Mapping[str, Any] | None = None,
        schema_name: str | None = None,
        json_object: bool = False,
        temperature: float | None = None,
        max_tokens: int | None = None,
        seed: int | None = None,
        task: str | None = None,
    ) -> str:
        """Is complete() for an event loop. Cancelling it ends the call."""
        body = self._chat_body(
            messages, schema, schema_name, json_object, temperature, max_tokens, seed
        )
        return await self._submit(self._complete, body, task)

    def embed(self, texts: Sequence[str], *, task: str | None = None) -> list[list[float]]:
        """Returns a vector for each text, in their order, all of one length.

        No texts are no vectors, without a call. Raises EndpointError.
        """
        return self._embed(_Flight(), list(texts), task)

    async def aembed(
        self, texts: Sequence[str], *, task: str | None = None
    ) -> list[list[float]]:
        """Is embed() for an event loop. Cancelling it ends the call."""
        return await self._submit(self._embed, list(texts), task)

    def close(self) -> None:
        """Ends the pool and its connections; calls under way are not waited for."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _chat_body(
        self,
        messages: Messages,
        schema: Mapping[str, Any] | None,
        schema_name: str | None,
        json_object: bool,
        temperature: float | None,
        max_tokens: int | None,
        seed: int | None,
    ) -> dict[str, Any]:
        if isinstance(messages, str):
            messages = [{"role": "user", "content": messages}]
        body: dict[str, Any] = {"model": self.model, "messages": list(messages)}
        if schema is not None:
            name = schema_name or str(schema.get("title") or "reply")
            body["response_format"] = {
                "type": "json_schema",
                "json_schema": {"name": name, "schema": schema},
            }
        elif json_object:
            body["response_format"] = {"type": "json_object"}
        for name, value in (
            ("temperature", temperature),
            ("max_tokens", max_tokens),
            ("seed", seed),
        ):
            if value is not None:
                body[name] = value
        return body

    async def _submit(self, call: Callable[..., T], body: Any, task: str | None) -> T:
        flight = _Flight()
        try:
            future = self._pool.submit(call, flight, body, task)
        except RuntimeError as exc:
            raise EndpointError("connection", 0, "the endpoint is closed") from exc
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            flight.abort()
            raise

    def _complete(self, flight: _Flight, body: dict[str, Any], task: str | None) -> str:
        status, reply = self._post(flight, "/chat/completions", body, task)
        try:
            text = reply["choices"][0]["message"]["content"]
        except (KeyError, IndexError, TypeError):
            text = None
        if not isinstance(text, str):
            raise EndpointError("protocol", status, "the reply holds no text")
        return text

    def _embed(self, flight: _Flight, texts: list[str], task: str | None) -> list[list[float]]:
        if not texts:
            return []
        # base64 holds the very numbers, and is read ten times as fast.
        body = {"model": self.embedding_model, "input": texts, "encoding_format": "base64"}
        status, reply = self._post(flight, "/embeddings", body, task)
        try:
            rows = sorted(reply["data"], key=lambda row: row["index"])
            vectors = [_vector(row["embedding"]) for row in rows]
        except (KeyError, TypeError, ValueError, binascii.Error):
            vectors = []
        if len(vectors) != len(texts):
            raise EndpointError("protocol", status, "the reply has not a vector for each text")
        return vectors

    def _post(
        self, flight: _Flight, path: str, body: dict[str, Any], task: str | None
    ) -> tuple[int, Any]:
        """Makes one call; returns its status and the JSON of its reply."""
        try:
            text = json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        except (TypeError, ValueError) as exc:
            raise EndpointError("bad_request", 0, f"the request has no JSON: {exc}") from exc
        # A lone surrogate has no UTF-8.
        content = text.encode("utf-8", "replace")
        if len(content) > MAX_BODY:
            raise EndpointError("too_long", 0, f"the request has {len(content)} bytes")
        headers = self._headers
        if task is not None:
            headers = {**headers, "X-Casebook-Task": _header(task)}
        try:
            status, raw = self._exchange(flight, self._path + path, content, headers)
        except (OSError, http.client.HTTPException) as exc:
            message = "the call was cancelled" if flight.aborted else f"{type(exc).__name__}: {exc}"
            raise EndpointError("connection", 0, message) from exc
        try:
            reply = json.loads(raw)
        except ValueError as exc:
            raise EndpointError("protocol", status, "the reply is no JSON") from exc
        if status != 200:
            raise _refusal(status, reply)
        return status, reply

    def _exchange(
        self, flight: _Flight, path: str, content: bytes, headers: dict[str, str]
    ) -> tuple[int, bytes]:
        while True:
            connection, reused = self._take()
            try:
                flight.board(connection)
                try:
                    connection.request("POST", path, content, headers)
                    # Waits for the first byte and leaves it there.
                    begun = connection.sock.recv(1, socket.MSG_PEEK) != b""
                except ConnectionError:
                    if not reused or flight.aborted:
                        raise
                    begun = False
                if not begun and reused and not flight.aborted:
                    # The idle connection had died; not a byte of a reply was read.
                    connection.close()
                    continue
                response = connection.getresponse()
                status, raw = response.status, response.read()
            except BaseException:
                connection.close()
                raise
            finally:
                flight.leave()
            if response.will_close:
                connection.close()
            else:
                self._give(connection)
            return status, raw

    def _take(self) -> tuple[http.client.HTTPConnection, bool]:
        """Returns a connection, and whether it was used before."""
        with self._lock:
            if self._closed:
                raise ConnectionError("the endpoint is closed")
            if self._idle:
                return self._idle.pop(), True
        connection = http.client.HTTPConnection(self._host, self._port)
        try:
            connection.connect()
            # Without it the body of a request waits for the head's receipt.
            connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except BaseException:
            connection.close()
            raise
        return connection, False

    def _give(self, connection: http.client.HTTPConnection) -> None:
        with self._lock:
            if not self._closed:
                self._idle.append(connection)
                return
        connection.close()


class _Flight:
    """One call, so that another thread can end it."""

    def __init__(self) -> None:
        self.aborted = False
        self._lock = threading.Lock()
        self._connection: http.client.HTTPConnection | None = None

    def board(self, connection: http.client.HTTPConnection) -> None:
        with self._lock:
            if self.aborted:
                raise ConnectionError("the call was cancelled")
            self._connection = connection

    def leave(self) -> None:
        with self._lock:
            self._connection = None

    def abort(self) -> None:
        with self._lock:
            self.aborted = True
            sock = self._connection.sock if self._connection else None
            if sock is not None:
                try:
                    sock.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass  # it has ended by itself


def _vector(encoded: str) -> list[float]:
    vector = array.array("f", base64.b64decode(encoded, validate=True))
    if sys.byteorder == "big":
        vector.byteswap()
    return vector.tolist()


def _refusal(status: int, reply: Any) -> EndpointError:
    error = reply.get("error") if isinstance(reply, dict) else None
    if not isinstance(error, dict):
        return EndpointError("protocol", status, "the reply is no error object")
    kind = error.get("code") or error.get("type") or "internal"
    return EndpointError(str(kind), status, str(error.get("message") or ""))


def _header(text: str) -> str:
    """Returns text as a header may hold it."""
    return "".join(c if " " <= c <= "~" else "?" for c in text)[:128]
