"""Classes of objects that hold secrets."""

from __future__ import annotations

from typing import NoReturn


class SecretHolder:
    """Keeps a secret in one place: no repr, no copy, no pickle shows or moves it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __reduce_ex__(self, *protocol: object) -> NoReturn:
        raise TypeError(f"a {type(self).__name__} holds a secret and cannot be copied or pickled")

    __getstate__ = __reduce_ex__  # the one of `object` gives the slots away


class SecretTexts(tuple[str, ...]):
    """Texts that no message may show. A traceback that shows local variables does not show them either."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<SecretTexts>"
