"""Wait until a socket is readable or writable."""

from __future__ import annotations

import select
from collections.abc import Callable


class SocketWaiter:
    """Wait for one socket, again and again.

    A socket is readable when it has bytes, its end or an error. An idle connection that is
    readable cannot be used: no request asked for what it has.

    Args:
        fd: Descriptor of the socket.
        writing: Whether to wait until it is writable instead of readable.
    """

    __slots__ = ("_poll",)

    def __init__(self, fd: int, *, writing: bool = False) -> None:
        self._poll: Callable[[float], object]
        if hasattr(select, "poll"):
            poller = select.poll()
            poller.register(fd, select.POLLOUT if writing else select.POLLIN)
            self._poll = poller.poll
        else:
            # This is Windows, whose select takes any descriptor.
            fds: tuple[list[int], list[int]] = ([], [fd]) if writing else ([fd], [])
            self._poll = lambda ms: any(select.select(*fds, [], ms / 1000))

    def wait(self, seconds: float) -> bool:
        """Block until the socket is ready, at most `seconds`, and return whether it is."""
        return bool(self._poll(seconds * 1000))
