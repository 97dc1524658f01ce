"""Wait until a socket is readable or writable."""

from __future__ import annotations

import select
from collections.abc import Callable


class SocketWaiter:
    """Tells whether a socket can be read (bytes, its end or an error came), or written. What an idle one has to read nobody asked for."""

    __slots__ = ("_poll",)

    def __init__(self, fd: int, *, writing: bool = False) -> None:
        self._poll: Callable[[float], object]
        if hasattr(select, "poll"):
            poller = select.poll()
            poller.register(fd, select.POLLOUT if writing else select.POLLIN)
            self._poll = poller.poll
        else:  # Windows, whose select takes any descriptor
            fds: tuple[list[int], list[int]] = ([], [fd]) if writing else ([fd], [])
            self._poll = lambda ms: any(select.select(*fds, [], ms / 1000))

    def wait(self, seconds: float) -> bool:
        return bool(self._poll(seconds * 1000))
