"""Where a measured client sends its calls, and with which key."""

from __future__ import annotations

from typing import NamedTuple


class Target(NamedTuple):
    """Where to send calls, with a fake key.

    Attributes:
        url: Base URL.
        key: API key.
        secret: API secret.
        connections: Maximum number of connections.
    """

    url: str
    key: str
    secret: str
    connections: int = 1
