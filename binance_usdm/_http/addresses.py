"""Parse IP addresses and recognize loopback hosts."""

from __future__ import annotations

import ipaddress


def is_loopback(host: str) -> bool:
    """Whether a host can only be this machine: `localhost` or a loopback address in plain notation."""
    found = parse_ip_address(host.strip("[]"))
    return host.lower() == "localhost" or (found is not None and found.is_loopback)


def is_valid_host_name(host: str) -> bool:
    """Return whether DNS can hold a name: labels of 1 to 63 characters, 253 in all (RFC 1035, 2.3.4)."""
    return len(host) <= 253 and all(
        1 <= len(label) <= 63 for label in host.removesuffix(".").split(".")
    )


def parse_ip_address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
