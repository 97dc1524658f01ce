# Written by `python -m generator` from spec/openapi.yaml. Do not edit.
"""Types of the values in responses, each imported when it is first used."""

from typing import TYPE_CHECKING, Any, Final

from ..lazy import import_class

if TYPE_CHECKING:
    from .account_balance import AccountBalance
    from .server_time import ServerTime

    pass

MODULE_BY_NAME: Final = {
    "AccountBalance": "account_balance",
    "ServerTime": "server_time",
}
__all__ = [
    "AccountBalance",
    "ServerTime",
]


def __getattr__(name: str) -> Any:
    return import_class(MODULE_BY_NAME, globals(), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
