"""Check the servers of the document or of an operation."""

from __future__ import annotations

from collections.abc import Iterator

from .findings import Finding, Place, find_duplicates
from .spec import Json


def check_servers(place: Place, servers: list[Json]) -> Iterator[Finding]:
    """Yield the findings of the servers of the document or of an operation."""
    environments = [str(server.get("x-environment")) for server in servers]
    if "production" not in environments:
        yield Finding.at(place, "one server must have x-environment: production")
    for name in find_duplicates(environments):
        yield Finding.at(place, f"two servers have x-environment: {name}")
    for number, server in enumerate(servers):
        if not server.get("url", "https://").startswith("https://"):
            yield Finding.at((*place, number), "url must be https")
