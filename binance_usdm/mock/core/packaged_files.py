"""Read the files that are installed with the package, also from a zip file."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from importlib.util import find_spec
from typing import Any


def load_packaged_spec() -> Mapping[str, Any]:
    """Read the OpenAPI document that is installed beside the generated code.

    The generated code itself is not imported.

    Raises:
        FileNotFoundError: The document is not installed.
    """
    # importlib.resources would import the package.
    spec = find_spec("binance_usdm_wire")
    read: Any = getattr(spec.loader, "get_data", None) if spec else None
    for folder in (spec and read and spec.submodule_search_locations) or ():
        with suppress(OSError):
            document: Mapping[str, Any] = json.loads(read(os.path.join(folder, "openapi.json")))
            return document
    raise FileNotFoundError(
        "openapi.json of binance_usdm_wire is not installed; pass spec= to Exchange"
    )
