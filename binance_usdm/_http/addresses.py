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

from binance_usdm._gates import Gate
from binance_usdm._interrupts import raise_if_from_handler
from binance_usdm._threads import RESOLVERS, Job

from .messages import DeadlinePassed, time_until

AddressInfo: TypeAlias = tuple[socket.AddressFamily, socket.SocketKind, int, str, Any]
"""As `socket.getaddrinfo()` returns it."""

_lock: Final = threading.RLock()
_in_flight: Final[dict[tuple[int, str, int], Job[Iterable[AddressInfo]]]] = {}


def is_loopback(host: str) -> bool:
    """Whether a host can only be this machine: `localhost` or a loopback address in plain notation."""
    found = parse_ip_address(host.strip("[]"))
    return host.lower() == "localhost" or (found is not None and found.is_loopback)


def is_valid_host_name(host: str) -> bool:
    """Return whether DNS can hold a name: labels of 1 to 63 characters, 253 in all (RFC 1035, 2.3.4)."""
    return len(host) <= 253 and all(
        1 <= len(label) <= 63 for label in host.removesuffix(".").split(".")
    )


# The cache keeps signals out: `ipaddress` itself drops a ValueError of a handler.
@functools.lru_cache(256)
def parse_ip_address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return the address that a host is, or None for a name."""
    try:
        return ipaddress.ip_address(host)
    except ValueError as error:
        raise_if_from_handler(error)
        return None


# The cache keeps signals out: a codec wraps what a handler raises within it.
@functools.lru_cache(256)
def encodable_host(host: str) -> str | bytes:
    """Return a host name for functions that encode a str as IDNA: as bytes where Python cannot load that codec.

    It cannot when no descriptor is free, and then never tries again.
    """
    try:
        "a".encode("idna")
    except LookupError:
        return host.encode("ascii")
    return host


async def resolve(host: str, port: int, gate: Gate, deadline: float) -> list[AddressInfo]:
    """Return the addresses of a host.

    One look-up per host and port is under way at a time; numeric hosts need none.

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
        place: Any = (host, port) if address.version == 4 else (host, port, 0, 0)
        return [(family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", place)]
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
