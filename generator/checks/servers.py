"""Check the servers of the document or of an operation."""

from __future__ import annotations

from collections.abc import Iterator

from generator.document.findings import Finding, Place, find_duplicates
from generator.document.openapi import MOCK_ENVIRONMENT, Json

LOOPBACK = "http://127.0.0.1:"


def check_servers(place: Place, servers: list[Json]) -> Iterator[Finding]:
    """Yield the findings of the servers of the document or of an operation."""
    environments = [str(server.get("x-environment")) for server in servers]
    if "production" not in environments:
        yield Finding.at(place, "one server must have x-environment: production")
    for name in find_duplicates(environments):
        yield Finding.at(place, f"two servers have x-environment: {name}")
    for number, (environment, server) in enumerate(zip(environments, servers, strict=True)):
        url = server.get("url", "https://")
        if environment == MOCK_ENVIRONMENT:
            if not url.startswith(LOOPBACK):
                problem = f"the url of the mock exchange must begin with {LOOPBACK}"
                yield Finding.at((*place, number), problem)
        elif not url.startswith("https://"):
            yield Finding.at((*place, number), "url must be https")
