# Written by `python -m generator` from spec/openapi.yaml. Do not edit.
"""What the operations are for, in a line each, without the modules of the operations."""

from typing import Final

SUMMARY_BY_ID: Final = {
    "balance": "Balances of the account, one row an asset.",
    "server_time": "The exchange's clock.",
}
