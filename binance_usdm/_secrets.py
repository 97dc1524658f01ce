"""Base classes for objects that hold secrets, and words for values that are not shown.

Some tools print a traceback with the local variables of each frame. Three habits keep secrets out
of it:

- A function that was given a secret deletes its own name for it before anything can raise.
- A function that finds a secret invalid returns a `Problem`. The caller raises the error from a
  frame that no longer holds the secret.
- What a signal handler raises, such as KeyboardInterrupt, can come at any moment. So the outermost
  function that was given a secret deletes its names in a `finally` block and clears the frames of
  the functions that it called. Two places stay out of reach: the caller's frame, and the very
  beginning of that outermost function, before its `try`.

These places carry the comment "Keep secrets out of tracebacks; see _secrets.py."
"""

from __future__ import annotations

import contextlib
from types import FrameType
from typing import NoReturn

from binance_usdm_wire.errors import describe_value as describe_value


def describe_number(value: object, highest: float) -> str:
    """Return "a larger one" for a finite number above the highest valid one, else the shape."""
    is_too_large = isinstance(value, int | float) and highest < value < float("inf")
    return "a larger one" if is_too_large else describe_value(value)


class Problem(str):
    """Message about invalid input, returned instead of raised. It never contains the input."""

    __slots__ = ()


def clear_frames(error: BaseException) -> None:
    """Clear the local variables of the functions that an exception has left.

    So are those of exceptions that these functions were handling. An exception that the caller
    handles stays as it is.
    """
    cleared: set[FrameType] = set()
    pending: BaseException | None = error
    while pending is not None:
        traceback = pending.__traceback__
        if pending is not error and (traceback is None or traceback.tb_frame not in cleared):
            return
        while traceback is not None:
            # The function that calls this one still runs. It deletes its own names.
            with contextlib.suppress(RuntimeError):
                traceback.tb_frame.clear()
                cleared.add(traceback.tb_frame)
            traceback = traceback.tb_next
        pending = pending.__context__


class SecretHolder:
    """Base class of objects with a secret. They cannot be shown, copied or pickled."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __reduce_ex__(self, *protocol: object) -> NoReturn:
        raise TypeError(f"a {type(self).__name__} holds a secret and cannot be copied or pickled")

    def __getstate__(self) -> NoReturn:
        # That of `object` returns the values of all slots.
        self.__reduce_ex__()


class SecretTexts(tuple[str, ...]):
    """Strings that are redacted in messages. Their `repr` does not show them."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<SecretTexts>"
