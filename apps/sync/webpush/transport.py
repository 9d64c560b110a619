"""One empty POST to a push service, so that no address a phone names can make the server call anything else.

The address was judged by name (`WebPush.may_call`); here the name is resolved once, every number it resolves to must be
public, and the connection goes to one of those numbers. Redirects are answers like any other, and answers are not read.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
from collections.abc import Mapping
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

SECONDS = 5.0


class _Pinned(http.client.HTTPSConnection):
    """A connection to a number, under the name that its certificate must bear."""

    def __init__(self, host: str, address: str) -> None:
        super().__init__(host, 443, timeout=SECONDS, context=ssl.create_default_context())
        self._address = address

    def connect(self) -> None:
        """Connect to the number."""
        raw = socket.create_connection((self._address, 443), SECONDS)
        self.sock = ssl.create_default_context().wrap_socket(raw, server_hostname=self.host)


def connection_to(host: str) -> http.client.HTTPConnection:
    """Give a connection to a public address of a host. Raises OSError."""
    found: list[Any] = socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM)
    addresses = [str(entry[4][0]) for entry in found]
    if not addresses or not all(ipaddress.ip_address(address).is_global for address in addresses):
        raise OSError(f"{host} has an address that is not public")
    return _Pinned(host, addresses[0])


def poke(endpoint: str, headers: Mapping[str, str]) -> int:
    """Send an empty push; gives the status, 0 when the service could not be reached."""
    parts = urlsplit(endpoint)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    try:
        with closing(connection_to(parts.hostname or "")) as connection:
            connection.request("POST", target or "/", b"", dict(headers))
            return connection.getresponse().status
    except (OSError, http.client.HTTPException, ValueError):
        return 0
