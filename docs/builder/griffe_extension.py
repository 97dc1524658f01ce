"""Extension of griffe that changes what mkdocstrings shows of the source."""

from __future__ import annotations

import inspect
import re
from importlib import import_module
from typing import Any, Final

import griffe

# Annotations of parameters that only catch wrong arguments. Nobody may pass them.
_REFUSING: Final = {"*tuple[()]", "Unpack[NoOptions]"}
# They need extras that the environment of the site does not have.
_NOT_IMPORTABLE: Final = ("binance_usdm.arrow", "binance_usdm.contract")
_EXAMPLE: Final = re.compile(r"^Example:\n((?:    .*\n|\n)+)", re.MULTILINE)


class ReferenceExtension(griffe.Extension):
    """Shows values of defaults instead of their source, and examples as code."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Put the examples of a docstring into fences."""
        if obj.docstring is not None:
            text = obj.docstring.value.rstrip() + "\n"
            fenced = "Example:\n    ```python\n\\1    ```\n"
            obj.docstring.value = _EXAMPLE.sub(fenced, text)

    def on_function(self, *, func: griffe.Function, **_: Any) -> None:
        """Replace `config.DEFAULT_TIMEOUT` by `10.0`, and leave out what nobody may pass."""
        if all(parameter.default is None for parameter in func.parameters):
            return
        if f"{func.module.path}.".startswith(tuple(f"{name}." for name in _NOT_IMPORTABLE)):
            return
        # A module that is not importable fails the build, instead of showing sources.
        target: Any = import_module(func.module.path)
        for name in func.path.removeprefix(f"{func.module.path}.").split("."):
            target = getattr(target, name, None)
        try:
            real = inspect.signature(target).parameters
        except (TypeError, ValueError):
            # A name that does not exist at run time, as that of an overload.
            return
        for parameter in list(func.parameters):
            if str(parameter.annotation) in _REFUSING:
                del func.parameters[parameter.name]
            elif parameter.default is not None and parameter.name in real:
                value = repr(real[parameter.name].default)
                # Not the address of an object, nor "<class ...>".
                if " at 0x" not in value and not value.startswith("<"):
                    parameter.default = value
