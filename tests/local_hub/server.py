"""The HTTP server around a `Hub`, and the context in which it runs."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

from tests.local_hub import api, commits, files, pulls, revisions, uploads
from tests.local_hub.access import authenticate
from tests.local_hub.errors import HubError
from tests.local_hub.faults import Fault
from tests.local_hub.messages import Record, Request, Response, dispatch, refuse
from tests.local_hub.state import Hub, Options

ROUTES = [*api.ROUTES, *revisions.ROUTES, *uploads.ROUTES, *commits.ROUTES, *pulls.ROUTES, *files.ROUTES]


class Dropped(Exception):  # noqa: N818 - an order to the handler, not an error
    """Close the connection without an answer; holds the bytes that were read of the body."""


class Handler(BaseHTTPRequestHandler):
    """Reads a request, lets a fault or the routes decide, logs and answers."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: HubServer
    _at_once = 0

    def handle_one_request(self) -> None:
        """As the base class, but a connection that the client ends is no error."""
        try:
            super().handle_one_request()
        except (OSError, ValueError):
            self.close_connection = True

    def log_message(self, *_: Any) -> None:
        """Nothing: `Hub.requests` is the log."""

    def do_GET(self) -> None:
        """Lead every method the same way."""
        hub = self.server.hub
        with hub.lock:
            hub.in_progress += 1
            self._at_once = hub.in_progress
        try:
            answer = self._handle()
        finally:
            with hub.lock:
                hub.in_progress -= 1  # before the answer: whoever has it may ask again at once
        if answer is not None:
            self._send(*answer)

    def _handle(self) -> tuple[Response, bytes] | None:
        """Do what is asked; returns the answer and the part of its body that is sent, or None for no answer."""
        fault = self.server.hub.faults.strike(self.command, unquote(self.path))
        try:
            body = self._read_body(fault)
            if fault is not None and fault.kind == "corrupt":
                body = _flipped(body, fault.after)
            response = self._answer(fault, body)
        except Dropped as dropped:
            self.close_connection = True
            self._log(fault, 0, 0, *dropped.args)
            return None
        served = b"" if self.command == "HEAD" else response.body
        if fault is not None and fault.kind == "drop":
            self.close_connection = True
            served = served[: fault.after]
        # Logged first: a test that looks as soon as it has its answer must find the request.
        self._log(fault, response.status, len(served), len(body))
        return response, served

    do_HEAD = do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815

    def _log(self, fault: Fault | None, status: int, sent: int, received: int) -> None:
        record = Record(
            method=self.command,
            path=unquote(self.path),
            status=status,
            sent=sent,
            received=received,
            authorized="Authorization" in self.headers,
            fault=fault.kind if fault else "",
            range=self.headers.get("Range", ""),
            at_once=self._at_once,
        )
        with self.server.hub.lock:
            self.server.hub.requests.append(record)

    def _answer(self, fault: Fault | None, body: bytes) -> Response:
        if fault is not None and fault.kind == "status":
            wait = {} if fault.retry_after is None else {"Retry-After": f"{fault.retry_after:g}"}
            return refuse(HubError(fault.status, "Injected by the test", headers=wait))
        if fault is not None and fault.kind == "slow":
            self.server.closing.wait(fault.seconds)
        hub, (path, _, query) = self.server.hub, self.path.partition("?")
        with hub.lock:
            try:
                user = authenticate(self.headers.get("Authorization"), hub.users)
                request = Request(self.command, path, query, self.headers, body, user)
                response = dispatch(hub, request, ROUTES)
                if self.command not in ("GET", "HEAD"):
                    hub.changed()
            except HubError as error:
                response = refuse(error)
            except (KeyError, ValueError, TypeError) as error:
                response = refuse(HubError(400, f"Malformed request: {error!r}"))
        if fault is not None and fault.kind == "lost":
            raise Dropped(len(body))
        return response if fault is None else _spoiled(response, fault)

    def _send(self, response: Response, served: bytes) -> None:
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        self.wfile.write(served)

    def _read_body(self, fault: Fault | None) -> bytes:
        if fault is not None and fault.kind == "refuse":
            raise Dropped(0)
        limit = fault.after if fault is not None and fault.kind == "cut" else None
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            body = self._read_chunks(limit)
        else:
            size = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(size if limit is None else min(size, limit))
        if limit is not None:
            raise Dropped(len(body))
        return body

    def _read_chunks(self, limit: int | None) -> bytes:
        body = bytearray()
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
            if limit is not None and len(body) >= limit:
                return bytes(body)
        while self.rfile.readline().strip():
            pass  # trailers
        return bytes(body)


def _spoiled(response: Response, fault: Fault) -> Response:
    """Return the answer as this fault lets it arrive."""
    if fault.kind == "flip":
        return Response(response.status, _flipped(response.body, fault.after), response.headers)
    if fault.kind == "half":
        return Response(response.status, response.body[: len(response.body) // 2], response.headers)
    if fault.kind == "html":
        return Response(200, b"<!DOCTYPE html><html><body>Please log in</body></html>", {"Content-Type": "text/html"})
    return response


def _flipped(data: bytes, position: int) -> bytes:
    if not data:
        return data
    result = bytearray(data)
    result[position % len(result)] ^= 1
    return bytes(result)


class HubServer(ThreadingHTTPServer):
    """Serves one `Hub` on the loopback; closing it ends the connections that are open."""

    daemon_threads = True

    def __init__(self, hub: Hub, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.hub = hub
        self.closing = threading.Event()
        self._open: set[socket.socket] = set()
        hub.url = f"http://127.0.0.1:{self.server_address[1]}"

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember the connection."""
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget the connection."""
        self._open.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        """Wake slow answers and end idle connections, so that no thread outlives the server for long."""
        self.closing.set()
        super().server_close()
        for connection in list(self._open):
            with suppress(OSError):  # the client may have been faster
                connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def running_hub(hub: Hub | None = None, *, port: int = 0, **options: Any) -> Iterator[Hub]:
    """Yield a Hub that answers at `hub.url` until the context ends; `options` as in `Options`.

    The same `hub` may run again later, on the same `port` if wanted: its repositories stay.
    """
    hub = hub or Hub()
    if options:
        hub.options = Options(**options)
    server = HubServer(hub, port)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
