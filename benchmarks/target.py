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
        redis_url: Redis server for clients that share a budget there.
    """

    url: str
    key: str
    secret: str
    connections: int = 1
    redis_url: str = ""
