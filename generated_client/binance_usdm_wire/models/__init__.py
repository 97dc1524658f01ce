# Written by `python -m generator` from spec/openapi.yaml. Do not edit.
"""Types of the values in responses."""

from .account_balance import AccountBalance
from .server_time import ServerTime

__all__ = [
    "AccountBalance",
    "ServerTime",
]
