"""Parse IP addresses and recognize loopback hosts."""

from __future__ import annotations

import ipaddress


def is_loopback(host: str) -> bool:
    """Whether a host can only be this machine: `localhost` or a loopback address in plain notation."""
    found = parse_ip_address(host.strip("[]"))
    return host.lower() == "localhost" or (found is not None and found.is_loopback)


def parse_ip_address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
