"""Events without those of every request."""

from __future__ import annotations

from binance_usdm import Event

EVERY_REQUEST = ("sent", "answered")


class Incidents(list[Event]):
    """A list whose `append` leaves out the events that every request has."""

    def append(self, event: Event) -> None:
        if event.kind not in EVERY_REQUEST:
            super().append(event)
