"""Types of the client options, and what to say about an unknown one."""

from __future__ import annotations

import ssl
from collections.abc import Collection
from typing import Generic, Literal, TypedDict, TypeVar

from ._auth.signers import Signer
from ._events import Observer
from ._policy.clock import Clock
from ._policy.limiter import Limiter
from ._policy.retry import Retry
from ._secrets import Problem

TransportT = TypeVar("TransportT")


class NoOptions(TypedDict):
    """Type of unknown options. Type checkers report every one."""


class ClientOptions(TypedDict, Generic[TransportT], total=False):
    """Arguments of a client's constructor. Each may be omitted."""

    api_key: str | None
    api_secret: str | None
    signer: Signer | None
    base_url: str
    allow_http_hosts: Collection[str]
    recv_window: int | None
    timeout: float
    retry: Retry
    clock: Clock | Literal["auto", "exchange"]
    limiter: Limiter | Literal["shared"] | None
    max_reply_bytes: int
    proxy: str | None
    ssl_context: ssl.SSLContext | None
    transport: TransportT | None
    on_event: Observer | None


def unknown_option_problem(
    client_name: str, positional: Collection[object], unknown: Collection[str]
) -> Problem | None:
    """Return what is wrong with further arguments of a constructor, None if there are none.

    Args:
        client_name: Name of the client's class.
        positional: Arguments after the last one that may be positional.
        unknown: Names of options that the constructor does not have.
    """
    if positional:
        return Problem(
            f"{client_name} takes api_key and api_secret by position, other options by name"
        )
    if not unknown:
        return None
    from difflib import get_close_matches

    name = min(unknown)
    option_by_plain_name = {_normalize(option): option for option in ClientOptions.__annotations__}
    matches = get_close_matches(_normalize(name), option_by_plain_name, n=1)
    # A longer name or another string could be a value in the wrong place.
    shown = f" '{name}'" if name.isidentifier() and len(name) <= 30 else " of this name"
    if matches:
        return Problem(
            f"{client_name} has no option{shown}; did you mean '{option_by_plain_name[matches[0]]}'?"
        )
    return Problem(
        f"{client_name} has no option{shown}; it has {', '.join(option_by_plain_name.values())}"
    )


def _normalize(name: str) -> str:
    """Return a name in one spelling: `timeOut` and `time_out` are the same."""
    return name.replace("_", "").lower()
