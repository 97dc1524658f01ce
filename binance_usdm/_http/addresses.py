"""Host names and IP addresses: parse, recognize, resolve."""

from __future__ import annotations

import functools
import ipaddress
import os
import socket
import threading
from collections.abc import Iterable
from functools import partial
from typing import Any, Final, TypeAlias

from binance_usdm._concurrency.gates import Gate
from binance_usdm._concurrency.interrupts import raise_if_from_handler
from binance_usdm._concurrency.threads import RESOLVERS, Job

from .messages import DeadlinePassed, time_until

AddressInfo: TypeAlias = tuple[socket.AddressFamily, socket.SocketKind, int, str, Any]
"""As `socket.getaddrinfo()` returns it."""

_lock: Final = threading.RLock()
_in_flight: Final[dict[tuple[int, str, int], Job[Iterable[AddressInfo]]]] = {}


def is_loopback(host: str) -> bool:
    """Return whether a host is always this machine.

    That is `localhost`, or a loopback address in plain notation.
    """
    address = parse_ip_address(host.strip("[]"))
    return host.lower() == "localhost" or (address is not None and address.is_loopback)


def is_valid_host_name(host: str) -> bool:
    """Return whether DNS can hold a name (RFC 1035, 2.3.4).

    A name has at most 253 characters, in labels of 1 to 63.
    """
    labels = host.removesuffix(".").split(".")
    return len(host) <= 253 and all(1 <= len(label) <= 63 for label in labels)


# The cache keeps signals out: `ipaddress` itself drops a ValueError of a handler.
@functools.lru_cache(256)
def parse_ip_address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return a host as an IP address, or None when it is a name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError as error:
        raise_if_from_handler(error)
        return None


# The cache keeps signals out: a codec wraps what a handler raises within it.
@functools.lru_cache(256)
def encodable_host(host: str) -> str | bytes:
    """Return a host name that functions which encode a str as IDNA accept.

    It is bytes where Python cannot load that codec. Python cannot when no file descriptor is free,
    and then does not try a second time.
    """
    try:
        "a".encode("idna")
    except LookupError:
        return host.encode("ascii")
    return host


async def resolve(host: str, port: int, gate: Gate, deadline: float) -> list[AddressInfo]:
    """Return the addresses of a host.

    Waits for the look-up of the host and port. One is under way at a time; other callers wait for
    the same one. Numeric hosts need none. A cancelled or interrupted caller leaves the look-up
    running in its thread.

    Args:
        host: Name or IP address.
        port: Put into each address.
        gate: A new gate of the waiting thread or task.
        deadline: Instant of `time.monotonic()`.

    Raises:
        DeadlinePassed: The deadline has come. A look-up goes on in its thread.
        OSError: The resolver failed, or no thread can be started.
    """
    time_until(deadline)
    address = parse_ip_address(host)
    if address is not None:
        family = socket.AF_INET if address.version == 4 else socket.AF_INET6
        socket_address: Any = (host, port) if address.version == 4 else (host, port, 0, 0)
        return [(family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", socket_address)]
    lookup = _start_lookup(host, port)
    if not await lookup.wait(gate, deadline):
        raise DeadlinePassed
    return list(lookup.result())


def _start_lookup(host: str, port: int) -> Job[Iterable[AddressInfo]]:
    """Return the look-up that is under way for this host, or a new one."""
    key = (os.getpid(), host, port)
    with _lock:
        lookup = _in_flight.get(key)
        if lookup is None or lookup.is_done:
            lookup = RESOLVERS.submit(partial(_look_up, key, encodable_host(host)))
            if not lookup.is_done:
                _in_flight[key] = lookup
    return lookup


def _look_up(key: tuple[int, str, int], host: str | bytes) -> Iterable[AddressInfo]:
    try:
        return socket.getaddrinfo(host, key[2], type=socket.SOCK_STREAM)
    finally:
        with _lock:
            _in_flight.pop(key, None)
