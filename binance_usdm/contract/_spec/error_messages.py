"""The messages of error codes that a document has."""

from __future__ import annotations

import re

from binance_usdm.contract._spec.document import Json


def match_message(document: Json, code: int, text: str) -> tuple[str, ...] | None:
    """Return what stands in a message for each `%s` of the documented one.

    Returns:
        The parts, empty for a message without any, or `None` if the document has no such message.
    """
    messages = document["x-error-codes"].get(str(code), {}).get("messages", ())
    for message in messages:
        pattern = re.escape(message).replace("%s", "(.+?)")
        found = re.fullmatch(pattern, text)
        if found is not None:
            return found.groups()
    return None
