"""Where a measured client sends its calls, and with which key."""

from __future__ import annotations

from typing import NamedTuple


class Target(NamedTuple):
    """Where to call and as whom; the key and the secret are made up. `connections`: how many may be open at once."""

    url: str
    key: str
    secret: str
    connections: int = 1
