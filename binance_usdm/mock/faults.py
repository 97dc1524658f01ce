"""What else the exchange, and what stands in front of it, has been seen to answer. Knows no request and no rule.

A fault takes the place of the whole treatment of a request: no route, key, parameter or signature is looked at.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from .limits import banned, limited
from .reply import Reply, dump, ok, page, refusal
from .switches import Switches


@dataclass(frozen=True, slots=True)
class Scene:
    """What a fault can build on: the body a good call would have got, the clock, the switches."""

    good: bytes
    now: int
    switches: Switches


@dataclass(frozen=True, slots=True)
class Fault:
    """A scripted answer. ``weighed``: it costs weight and says so; ``off_spec``: why no document describes it."""

    about: str
    reply: Callable[[Scene], Reply]
    weighed: bool = False
    off_spec: str = ""


@dataclass(slots=True)
class _Queued:
    fault: Fault
    times: int | None
    operation: str | None


class Script:
    """Faults in the order they were asked for."""

    def __init__(self) -> None:
        self._queue: list[_Queued] = []

    def add(self, fault: str | Reply, times: int | None, operation: str | None) -> None:
        """Queue a fault by name, or a reply as it is; ``times=None`` is for ever, ``operation=None`` any request."""
        if isinstance(fault, str) and fault not in FAULTS:
            raise ValueError(f"no fault {fault}; there are {', '.join(FAULTS)}")
        if times is not None and times < 1:
            raise ValueError("times must be 1 or more, or None for ever")
        played = FAULTS[fault] if isinstance(fault, str) else Fault("a reply as it is", _always(fault))
        self._queue.append(_Queued(played, times, operation))

    def take(self, operation: str | None) -> Fault | None:
        """The fault that the next request, to this operation, runs into."""
        for place, queued in enumerate(self._queue):
            if queued.operation in (None, operation):
                if queued.times is not None:
                    queued.times -= 1
                    if not queued.times:
                        del self._queue[place]
                return queued.fault
        return None

    def clear(self) -> None:
        """Forget them all."""
        self._queue.clear()


def _always(reply: Reply) -> Callable[[Scene], Reply]:
    return lambda scene: reply


def _says(status: int, code: int | None, text: str) -> Callable[[Scene], Reply]:
    def reply(scene: Scene) -> Reply:
        return refusal(status if code is None else scene.switches.statuses.get(code, status), code, text)

    return reply


def _shows(status: int, title: str) -> Callable[[Scene], Reply]:
    return lambda scene: page(status, title)


def _grown(value: Any) -> Any:
    if isinstance(value, list):
        return [_grown(each) for each in value]
    return {**value, "memberOfTomorrow": {"since": "tomorrow"}} if isinstance(value, dict) else value


def _zipped(scene: Scene) -> Reply:
    return ok(gzip.compress(scene.good, mtime=0)).with_header(b"Content-Encoding", b"gzip")


_INTERNAL: Final = "An unknown error occured while processing the request."
_RESTRICTED: Final = (
    "Service unavailable from a restricted location according to 'b. Eligibility' in https://www.binance.com/en/terms. "
    "Please contact customer service if you believe you received this message in error."
)
_THROTTLED: Final = (
    "Request throttled by system-level protection. Reduce-only/close-position orders are exempt. Please try again."
)
_TIMEOUT: Final = "Timeout waiting for response from backend server. Send status unknown; execution status unknown."

FAULTS: Final[Mapping[str, Fault]] = {
    "waf": Fault("403, a page of the firewall", _shows(403, "Request blocked")),
    "not-found": Fault("404 as a page", _shows(404, "Not found")),
    "timeout": Fault("408 -1007, the backend did not answer", _says(408, -1007, _TIMEOUT), weighed=True),
    "banned": Fault(
        "418 -1003, the reply of a ban; Exchange.ban is the ban itself",
        lambda scene: banned(scene.now + 1000 * scene.switches.ban_seconds, scene.now, scene.switches),
        weighed=True,
    ),
    "rate-limited": Fault(
        "429 -1003, one reply; Exchange.spend uses the minute up",
        lambda scene: limited(scene.now, scene.switches),
        weighed=True,
    ),
    "restricted": Fault("451 with code 0, seen on the spot host", _says(451, 0, _RESTRICTED)),
    "wrong-environment": Fault(
        "401 -2008, a key of the other environment", _says(401, -2008, "Invalid Api-Key ID."), weighed=True
    ),
    "unknown": Fault(
        "503 without a code, execution unknown",
        _says(503, None, "Unknown error, please check your request or try again later."),
    ),
    "unavailable": Fault("503 without a code, certainly not executed", _says(503, None, "Service Unavailable.")),
    "throttled": Fault("503 -1008, certainly not executed", _says(503, -1008, _THROTTLED)),
    "internal": Fault(
        "503 -1001, certainly not executed",
        _says(503, -1001, "Internal error; unable to process your request. Please try again."),
    ),
    "html-503": Fault("503 as a page of the content network", _shows(503, "Service unavailable")),
    "gateway": Fault("502 as a page", _shows(502, "Bad gateway")),
    "error-500": Fault("500 -1000", _says(500, -1000, _INTERNAL)),
    "extra-member": Fault(
        "200 with a member nobody described yet", lambda scene: ok(dump(_grown(json.loads(scene.good))))
    ),
    "gzip": Fault("200, compressed though nobody asked", _zipped),
    "empty-200": Fault("200 without a body", lambda scene: ok(b""), off_spec="no JSON"),
    "truncated": Fault(
        "200, the good body cut in the middle", lambda scene: ok(scene.good[: len(scene.good) // 2]), off_spec="no JSON"
    ),
    "html-200": Fault("200 as a page", _shows(200, "Maintenance"), off_spec="no JSON"),
    "error-in-200": Fault(
        "200 with the error payload",
        lambda scene: refusal(200, -1000, _INTERNAL),
        off_spec="an error is no answer",
    ),
    "redirect": Fault(
        "302 to another host, which must never see the key",
        lambda scene: page(302, "Found").with_header(b"Location", b"https://elsewhere.invalid/"),
        off_spec="no redirect is documented",
    ),
}
"""Every scripted fault by name, for ``Exchange.fail``."""
