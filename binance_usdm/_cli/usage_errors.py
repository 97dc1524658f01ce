"""Keep values that may be secrets out of messages about wrong usage."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from typing import Final

from binance_usdm._redaction import MIN_SECRET_LENGTH
from binance_usdm._secrets import describe_value

_NAME: Final = re.compile(r"-{0,2}[a-z]+(?:[-_][a-z]+)*")
"""An option, or the name of a command, a fault, a switch or a field."""
_SEPARATORS: Final = re.compile(r"[=:,]")


def hide_values(message: str, arguments: Sequence[str]) -> str:
    """Return a message with the shape of each value that it repeats, instead of the value.

    A key or secret that is passed in the wrong place must not be printed, since logs keep what is
    printed. Names, also those of files that exist, and values that are shorter than any secret,
    stay.

    Args:
        message: Message of the parser.
        arguments: Arguments of the command line.
    """
    for value in sorted(set(_values(arguments)), key=len, reverse=True):
        shape = describe_value(value)
        message = message.replace(repr(value), shape).replace(value, shape)
    return message


def _values(arguments: Sequence[str]) -> Iterator[str]:
    for argument in arguments:
        for text in _SEPARATORS.split(argument):
            is_name = _NAME.fullmatch(text) or os.path.exists(text)
            if len(text) >= MIN_SECRET_LENGTH and not is_name:
                yield text
