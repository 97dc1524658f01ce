"""Base classes for objects that hold secrets.

Some tools print a traceback with the local variables of each frame. Two habits keep secrets out of
it:

- A function that was given a secret deletes its own name for it before anything can raise.
- A function that finds a secret invalid returns a `Problem`. The caller raises the error from a
  frame that no longer holds the secret.

Both places carry the comment "Keep secrets out of tracebacks; see _secrets.py."
"""

from __future__ import annotations

from typing import NoReturn


class Problem(str):
    """Message about invalid input, returned instead of raised. It never contains the input."""

    __slots__ = ()


class SecretHolder:
    """Base class of objects with a secret. They cannot be shown, copied or pickled."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __reduce_ex__(self, *protocol: object) -> NoReturn:
        raise TypeError(f"a {type(self).__name__} holds a secret and cannot be copied or pickled")

    # The __getstate__ of `object` returns the values of all slots.
    __getstate__ = __reduce_ex__


class SecretTexts(tuple[str, ...]):
    """Strings that are redacted in messages. Their `repr` does not show them."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<SecretTexts>"
