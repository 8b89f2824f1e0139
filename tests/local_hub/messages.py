"""Requests, responses and the routes between them; what was asked is kept without its token."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote

from tests.local_hub.access import User
from tests.local_hub.errors import HubError

if TYPE_CHECKING:
    from tests.local_hub.state import Hub


@dataclass(frozen=True)
class Request:
    """A request as handlers see it: `path` still quoted and without the query, `body` whole."""

    method: str
    path: str
    query: str
    headers: Message[str, str]
    body: bytes
    user: User | None = None

    def flag(self, name: str) -> bool:
        """Return whether the query sets this switch."""
        return self.parameters.get(name, ["0"])[-1].lower() in ("1", "true")

    @property
    def parameters(self) -> dict[str, list[str]]:
        """The query, decoded."""
        return parse_qs(self.query)

    @property
    def form(self) -> dict[str, list[str]]:
        """The body as a form, or as the JSON object that some clients send instead."""
        if "json" in self.headers.get("Content-Type", ""):
            return {key: value if isinstance(value, list) else [str(value)] for key, value in self.json.items()}
        return parse_qs(self.body.decode())

    @property
    def json(self) -> dict[str, Any]:
        """The body as a JSON object; status 400 if it is none."""
        try:
            value = json.loads(self.body or b"{}")
        except ValueError as error:
            raise HubError(400, f"Invalid JSON: {error}") from error
        if not isinstance(value, dict):
            raise HubError(400, "Expected a JSON object")
        return value


@dataclass(frozen=True)
class Response:
    """An answer; for HEAD the server sends the headers and keeps the body."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Record:
    """One line of the server's log; `sent` and `received` count bytes of bodies, `path` is decoded.

    `status` 0 stands for no answer, `fault` for the kind of the fault that struck, if any; `at_once` requests were
    in progress when this one began, itself included.
    """

    method: str
    path: str
    status: int
    sent: int
    received: int
    authorized: bool
    fault: str = ""
    range: str = ""
    at_once: int = 1


@dataclass(frozen=True)
class Route:
    """Requests whose method and quoted path match whole go to `handle`, named groups decoded."""

    method: str
    pattern: str
    handle: Callable[..., Response]

    def match(self, request: Request) -> dict[str, str | None] | None:
        """Return the arguments for the handler, or None where the route is not for this request."""
        if request.method != self.method:
            return None
        found = re.fullmatch(self.pattern, request.path)
        if found is None:
            return None
        return {key: None if value is None else unquote(value) for key, value in found.groupdict().items()}


def respond(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a JSON answer."""
    return Response(status, json.dumps(value).encode(), {"Content-Type": "application/json", **(headers or {})})


def refuse(error: HubError) -> Response:
    """Return the answer to a request that raised."""
    headers = {**error.headers, "X-Error-Message": error.message}
    if error.code:
        headers["X-Error-Code"] = error.code
    return respond({"error": error.message}, error.status, headers)


def dispatch(hub: Hub, request: Request, routes: list[Route]) -> Response:
    """Return the answer of the first route that matches; 404 without an error code if none does."""
    for route in routes:
        arguments = route.match(request)
        if arguments is not None:
            return route.handle(hub, request, **arguments)
    return refuse(HubError(404, "Sorry, we can't find the page you are looking for."))
