"""Keeps a process from looking up any host but its own machine."""

from __future__ import annotations

import ipaddress
import socket
from typing import Any

_lookup = socket.getaddrinfo


def is_loopback(host: str | bytes | None) -> bool:
    """Return whether a host name or address is this machine."""
    name = host.decode() if isinstance(host, bytes) else host
    if name in (None, "", "localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def getaddrinfo(host: str | bytes | None, *arguments: Any, **options: Any) -> list[Any]:
    """As socket.getaddrinfo on a machine without network; gaierror for every other host."""
    if not is_loopback(host):
        raise socket.gaierror(socket.EAI_NONAME, f"Tests stay on the loopback, not {host!r}")
    return _lookup(host, *arguments, **options)
