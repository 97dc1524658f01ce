"""Run a coroutine that never suspends, without an event loop."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


def run_to_end(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine whose awaits all block instead of suspending, and return its value.

    Raises:
        RuntimeError: It suspended, which is a bug of the function that did.
    """
    try:
        coroutine.send(None)
    except StopIteration as end:
        value: T = end.value
        return value
    finally:
        coroutine.close()
    raise RuntimeError("a blocking call suspended its coroutine")
