"""Types of the client options, the check of `label`, and what to say about an unknown option."""

from __future__ import annotations

import inspect
import ssl
from collections.abc import Collection, Mapping
from typing import Any, Final, Generic, Literal, TypedDict, TypeVar

from binance_usdm._auth.signers import Signer
from binance_usdm._errors import ConfigurationError
from binance_usdm._events import Observer
from binance_usdm._policy.clock import Clock
from binance_usdm._policy.limiter import Limiter
from binance_usdm._policy.retry import Retry
from binance_usdm._secrets import Problem, describe_value

TransportT = TypeVar("TransportT")
MAX_LABEL_LENGTH: Final = 64
OPTION_BY_FOREIGN_NAME: Final[Mapping[str, str]] = {
    "testnet": "pass base_url=binance_usdm.DEMO",
    "sandbox": "pass base_url=binance_usdm.DEMO",
    "demo": "pass base_url=binance_usdm.DEMO",
    "privatekey": "pass signer=Ed25519Signer.from_pem(...)",
    "enableratelimit": "the weight budget is on; see limiter=",
    "requestsparams": "pass timeout=, proxy= or ssl_context=",
    "httpsproxy": "pass proxy=",
    "verify": "pass ssl_context=",
}
"""What options of other SDKs are called here, by their names in lower case without underscores."""
METHOD_BY_FOREIGN_NAME: Final[Mapping[str, str]] = {
    "account_balance": "balance",
    "close_connection": "aclose",
    "fetch_balance": "balance",
    "fetch_time": "server_time",
    "futures_account_balance": "balance",
    "futures_account_balance_v3": "balance",
    "futures_time": "server_time",
    "get_balance": "balance",
    "time": "server_time",
    "aclose": "close",
    "close": "aclose",
}
"""What methods of other SDKs, and of the other client, are called here."""


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
    label: str | None


def validate_label(label: Any) -> str | None:
    """Return `label`, or None.

    Raises:
        ConfigurationError: It is not a short string of printable characters.
    """
    if label is None:
        return None
    is_usable = isinstance(label, str) and 0 < len(label) <= MAX_LABEL_LENGTH
    if not is_usable or not label.isprintable() or label.strip() != label:
        raise ConfigurationError(
            f"label must be 1 to {MAX_LABEL_LENGTH} printable characters without a space at the "
            f"beginning or end, not {describe_value(label)}"
        )
    return str(label)


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
    if _normalize(name) in OPTION_BY_FOREIGN_NAME:
        advice = OPTION_BY_FOREIGN_NAME[_normalize(name)]
        return Problem(f"{client_name} has no option '{name}'; {advice}")
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


class _ForeignName:
    """Attribute that a class does not have, with the name that it has here.

    A method `__getattr__` would make each access to an attribute of a client twice as slow.
    """

    __slots__ = ("_advice", "_name")

    def __init__(self, name: str, advice: str) -> None:
        self._name = name
        self._advice = advice

    def __get__(self, instance: object, owner: type) -> Any:
        raise AttributeError(f"{owner.__name__} has no attribute '{self._name}'; {self._advice}")


def add_foreign_names(client_class: type) -> None:
    """Let attributes that other SDKs have name the method of this one."""
    for name, method in METHOD_BY_FOREIGN_NAME.items():
        if hasattr(client_class, method) and not hasattr(client_class, name):
            setattr(client_class, name, _ForeignName(name, f"use {method}()"))


def is_foreign_name(client_class: type, name: str) -> bool:
    """Return whether a class lists an attribute only to say what it is called here."""
    return isinstance(inspect.getattr_static(client_class, name, None), _ForeignName)


def _normalize(name: str) -> str:
    """Return a name in one spelling: `timeOut` and `time_out` are the same."""
    return name.replace("_", "").lower()
