"""Writers of arguments that only some specs have: lengths, bounds, lists, JSON."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final
from urllib.parse import quote, unquote

from .errors import InvalidArgumentError, ResponseMismatch, describe_value
from .reading import Reader, format_json
from .writing import Writer, write_decimal, write_string

# Parameters must not have spaces: the exchange's change log, 2023-06-16.
_REFUSED: Final = re.compile("[\x00-\x20\x7f\ufffd]")


def write_text(name: str, value: Any) -> str:
    """Encode a string that has no space and no control character."""
    encoded = write_string(name, value)
    if _REFUSED.search(value):
        expected = "a string without spaces and control characters"
        raise InvalidArgumentError(name, expected, "one with such a character")
    return encoded


def decimal_writer(minimum: Decimal | None, maximum: Decimal | None) -> Writer:
    """Return a writer of numbers within bounds, both inclusive. `None` is no bound."""

    def write(name: str, value: Any) -> str:
        encoded = write_decimal(name, value)
        if minimum is not None and value < minimum:
            raise InvalidArgumentError(name, f"a Decimal of at least {minimum}", "a smaller one")
        if maximum is not None and value > maximum:
            raise InvalidArgumentError(name, f"a Decimal of at most {maximum}", "a larger one")
        return encoded

    return write


def integer_choice_writer(*values: int) -> Writer:
    """Return a writer of the integers in `values`."""

    def write(name: str, value: Any) -> str:
        if type(value) is not int or value not in values:
            expected = f"one of {', '.join(map(str, values))}"
            raise InvalidArgumentError(name, expected, describe_value(value))
        return str(value)

    return write


def length_writer(minimum: int, maximum: int | None, write_text: Writer) -> Writer:
    """Return a writer of strings with a number of characters, both bounds inclusive."""
    upper = " or more" if maximum is None else f" to {maximum}"

    def write(name: str, value: Any) -> str:
        # The type is checked first.
        encoded = write_string(name, value)
        if len(value) < minimum or (maximum is not None and len(value) > maximum):
            expected = f"a string of {minimum}{upper} characters"
            raise InvalidArgumentError(name, expected, describe_value(value))
        return encoded and write_text(name, value)

    return write


def list_writer(write_item: Writer, minimum: int, maximum: int | None) -> Writer:
    """Return a writer of lists: their items, separated by commas."""
    upper = " or more" if maximum is None else f" to {maximum}"

    def write(name: str, value: Any) -> str:
        # An empty list would be sent as an empty value, which the exchange refuses.
        if type(value) is not list or not max(minimum, 1) <= len(value):
            expected = f"a list of {max(minimum, 1)}{upper} items"
            raise InvalidArgumentError(name, expected, describe_value(value))
        if maximum is not None and len(value) > maximum:
            raise InvalidArgumentError(name, f"a list of at most {maximum} items", "a longer one")
        items = [unquote(write_item(name, item)) for item in value]
        if any("," in item for item in items):
            raise InvalidArgumentError(name, "a list of items without commas", "one with a comma")
        return quote(",".join(items), safe="")

    return write


def json_writer(dump: Callable[[Any], Any], read: Reader[Any]) -> Writer:
    """Return a writer of values that are sent as compact JSON.

    Args:
        dump: Returns the JSON value of a typed value.
        read: Reader of that JSON value, which checks it.
    """

    def write(name: str, value: Any) -> str:
        problem = "JSON of the documented form"
        found = describe_value(value)
        try:
            dumped = dump(value)
            # A string is not a list of its characters, though it can be taken for one.
            if read(dumped, None) == value:
                return quote(format_json(dumped), safe="")
        except ResponseMismatch as mismatch:
            problem, found = mismatch.expected, mismatch.found
        except (AttributeError, TypeError, ValueError, RecursionError):
            pass
        raise InvalidArgumentError(name, problem, found)

    return write
