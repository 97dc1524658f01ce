# Written by `python -m generator` from spec/openapi.yaml. Do not edit.
"""The values that replies become."""

from .account_balance import AccountBalance
from .server_time import ServerTime

__all__ = [
    "AccountBalance",
    "ServerTime",
]
