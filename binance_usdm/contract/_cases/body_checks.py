"""What schemathesis does not see of a body, since its decoder keeps the last of two values."""

from __future__ import annotations

import json
from typing import Any

from binance_usdm.contract._cases.schemathesis_setup import Case
from binance_usdm.contract._spec.exact_json import reject_duplicates


def repeated_field(context: Any, response: Any, case: Case) -> None:
    """No object of a body has a field twice: readers would disagree about its value."""
    try:
        json.loads(response.content)
    except (ValueError, RecursionError):
        # Other checks say so.
        return
    try:
        json.loads(response.content, object_pairs_hook=reject_duplicates)
    except ValueError:
        raise AssertionError("an object of the body has a field twice") from None
