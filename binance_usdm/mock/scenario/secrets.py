"""Secrets of scenarios: references to variables and files, and the secrets that are held."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from hmac import compare_digest
from pathlib import Path
from typing import Any, Final

from binance_usdm.mock.core.shapes import describe_shape
from binance_usdm.mock.engine import Engine
from binance_usdm.mock.state.accounts import DEFAULT_API_SECRET, ApiKey, Secret

from .bodies import require_one_of

MAX_SECRET_BYTES: Final = 64 * 1024
_VARIABLE: Final = re.compile(r"[A-Z]+(_[A-Z0-9]+)+")
_ENV_PREFIX: Final = "BINANCE_MOCK_SECRET_"


def resolve_secret(
    entry: Mapping[str, Any], folder: Path | None, held: Mapping[str, Secret], *, is_file: bool
) -> tuple[Secret, Mapping[str, Any] | None]:
    """Return the secret of a key, and what a saved scenario has instead of it.

    Args:
        entry: Entry of `keys`.
        folder: Folder from which a path counts. With `None` no reference is followed.
        held: Secrets by key that the exchange holds.
        is_file: Whether a held secret is used only if the reference leads nowhere.

    Raises:
        ValueError: A reference leads nowhere, or the entry has two secrets.
    """
    if "api_secret" not in entry and "public_key" not in entry:
        return DEFAULT_API_SECRET, None
    name = require_one_of(entry, "api_secret", "public_key")
    value = entry[name]
    if isinstance(value, str):
        return (value.encode(), {name: value}) if name == "public_key" else (value, None)
    require_one_of(value, "env", "file")
    known = held.get(entry["api_key"])
    if known is not None and (not is_file or not _leads_somewhere(value, folder)):
        return known, {name: value}
    if folder is None:
        raise ValueError(
            f"{name} refers to a variable or file, which only a start with --seed reads; "
            "send a fake one, or load what this exchange saved"
        )
    found = _follow(value, folder)
    return (found if name == "public_key" else _text(found)), {name: value}


def _leads_somewhere(reference: Mapping[str, str], folder: Path | None) -> bool:
    if "env" in reference:
        return bool(os.environ.get(reference["env"]))
    return folder is not None and (folder / reference["file"]).exists()


def _follow(reference: Mapping[str, str], folder: Path) -> bytes:
    """Return what a reference leads to."""
    if "env" in reference:
        value = os.environ.get(reference["env"])
        if not value:
            raise ValueError(f"the variable {_describe_variable(reference['env'])} is not set")
        return os.fsencode(value)
    try:
        with (folder / reference["file"]).open("rb") as file:
            content = file.read(MAX_SECRET_BYTES + 1)
    except OSError as error:
        raise ValueError(f"the file of a secret cannot be read ({error.strerror})") from None
    if len(content) > MAX_SECRET_BYTES:
        raise ValueError("the file of a secret is larger than 64 KiB")
    return content.removesuffix(b"\n").removesuffix(b"\r")


def _describe_variable(name: str) -> str:
    # A secret may have been written instead of the name.
    return name if _VARIABLE.fullmatch(name) else describe_shape(name)


def _text(secret: bytes) -> str:
    try:
        text = secret.decode()
    except UnicodeDecodeError:
        text = ""
    if not text:
        raise ValueError("the secret is empty or not UTF-8")
    return text


def show_secret(engine: Engine, key: ApiKey) -> Mapping[str, Any]:
    """Return what a saved scenario has for the secret of a key.

    No secret is shown. The default one is left out. Another one becomes a reference to a variable,
    and the exchange holds it, so that it can load what it saved.

    Args:
        engine: Exchange, locked.
        key: Key of the exchange.

    Raises:
        ValueError: The key has a function as its verifier.
    """
    if key.source:
        if isinstance(key.secret, str):
            engine.held_secrets[key.api_key] = key.secret
        return key.source
    if not isinstance(key.secret, str):
        raise ValueError("the verifier of a key is a function, which a scenario cannot have")
    if compare_digest(key.secret.encode(), DEFAULT_API_SECRET.encode()):
        return {}
    engine.held_secrets[key.api_key] = key.secret
    # The same for a key in every scenario, so that two versions of a file differ in what changed.
    digest = hashlib.sha256(key.api_key.encode()).hexdigest()[:8]
    return {"api_secret": {"env": f"{_ENV_PREFIX}{digest.upper()}"}}
