"""Profiles: a TOML file that names accounts and refers to their secrets.

A secret never stands in the file. It is a reference: an environment variable, a file, or a command
that prints it.
"""

from __future__ import annotations

import os
import stat
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, NamedTuple

from binance_usdm._errors import ConfigurationError

from .options import validate_label

ENV_PROFILES_FILE: Final = "BINANCE_PROFILES_FILE"
DEFAULT_FILE: Final = Path("binance-usdm", "profiles.toml")
"""Below the user's folder for configuration."""
MAX_FILE_BYTES: Final = 1024 * 1024
MAX_NAMES_SHOWN: Final = 20
_REFERENCE_FORMS: Final = '{ env = "NAME" }, { file = "PATH" } or { command = ["pass", "show", …] }'
_SECRET_KEYS: Final = ("api_key", "api_secret", "private_key", "private_key_password")
_KEYS: Final = (*_SECRET_KEYS, "base_url")


class Profile(NamedTuple):
    """An account as the file has it, checked. It holds no secret."""

    name: str
    references: dict[str, dict[str, Any]]
    """Reference by option: `api_key`, `api_secret`, `private_key`, `private_key_password`."""
    base_url: str | None
    folder: Path
    """Folder of the file, from which relative paths count."""


def profiles_path(option: str | os.PathLike[str] | None) -> Path:
    """Return the path of the file: an option, else a variable, else the user's configuration."""
    path = option or os.environ.get(ENV_PROFILES_FILE)
    if path:
        return Path(path)
    folder = os.environ.get("XDG_CONFIG_HOME") or Path("~/.config").expanduser()
    return Path(folder) / DEFAULT_FILE


def list_profiles(profiles_file: str | os.PathLike[str] | None = None) -> list[str]:
    """Return the names of the accounts in a profiles file, in its order. No secret is read.

    Args:
        profiles_file: Path of the TOML file. `None` uses `BINANCE_PROFILES_FILE`, else
            `binance-usdm/profiles.toml` in `~/.config`.

    Raises:
        ConfigurationError: The file cannot be read or used, or others can write to it.

    Example:
        clients = [Client.from_profile(name) for name in list_profiles()]
    """
    return list(read_profiles(profiles_path(profiles_file)))


def find_profile(name: str, profiles_file: str | os.PathLike[str] | None) -> Profile:
    """Return the profile of a name.

    Raises:
        ConfigurationError: The file cannot be used, or has no such profile.
    """
    path = profiles_path(profiles_file)
    profiles = read_profiles(path)
    if name not in profiles:
        raise ConfigurationError(f"{path} has no profile {name!r}{describe_names(profiles)}")
    return profiles[name]


def describe_names(profiles: Iterable[str]) -> str:
    """Return the end of an error's text with the names that a file has."""
    names = list(profiles)
    more = ", …" if len(names) > MAX_NAMES_SHOWN else ""
    return f"; it has {', '.join(names[:MAX_NAMES_SHOWN])}{more}"


def read_profiles(path: Path) -> dict[str, Profile]:
    """Return the profiles of a file by their names, in its order.

    Raises:
        ConfigurationError: The file cannot be read or used, or others can write to it.
    """
    content = _read_file(path)
    try:
        document = tomllib.loads(content)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path} is not valid TOML: {error}") from None
    tables = document.get("profiles")
    if set(document) != {"profiles"} or not isinstance(tables, dict) or not tables:
        raise ConfigurationError(f"{path} must have tables [profiles.NAME], and nothing else")
    return {name: _parse_profile(path, name, table) for name, table in tables.items()}


def _read_file(path: Path) -> str:
    """Return the content of a file that nobody else can change: its commands are run."""
    problem = ""
    try:
        with path.open("rb") as file:
            file_stat = os.fstat(file.fileno())
            is_foreign = hasattr(os, "geteuid") and file_stat.st_uid not in (0, os.geteuid())
            is_open = os.name == "posix" and file_stat.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
            if is_foreign or is_open:
                problem = "can be changed by other users, and commands in it are run"
            elif file_stat.st_size > MAX_FILE_BYTES:
                problem = "is larger than 1 MiB"
            else:
                return file.read().decode("utf-8")
    except FileNotFoundError:
        problem = (
            "does not exist; a table [profiles.NAME] in it names api_key and api_secret or "
            f"private_key, each as {_REFERENCE_FORMS}"
        )
    except OSError as error:
        problem = f"cannot be read: {error.strerror}"
    except UnicodeDecodeError:
        problem = "is not UTF-8"
    advice = "; run `chmod go-w FILE`" if "changed" in problem else ""
    raise ConfigurationError(f"the profiles file {path} {problem}{advice}")


def _parse_profile(path: Path, name: str, table: Any) -> Profile:
    where = f"{path}, profile {name!r}"
    try:
        validate_label(name)
    except ConfigurationError as error:
        raise ConfigurationError(f"{where}: {error}") from None
    problem = _profile_problem(table)
    if problem:
        raise ConfigurationError(f"{where}: {problem}")
    references = {key: table[key] for key in _SECRET_KEYS if key in table}
    return Profile(name, references, table.get("base_url"), path.parent)


def _profile_problem(table: Any) -> str:
    """Return what is wrong with a profile without repeating a value, "" if nothing is."""
    if not isinstance(table, dict):
        return "must be a table"
    unknown = [key for key in table if key not in _KEYS]
    if unknown:
        # A key may be a value in the wrong place.
        shown = f" {unknown[0]!r}" if unknown[0].isidentifier() and len(unknown[0]) <= 30 else ""
        return f"unknown key{shown}; the keys are {', '.join(_KEYS)}"
    if "api_key" not in table:
        return "api_key is missing"
    if ("api_secret" in table) == ("private_key" in table):
        return "needs either api_secret or private_key"
    if not isinstance(table.get("base_url", ""), str):
        return "base_url must be a string"
    for key in _SECRET_KEYS:
        if key in table and not _is_reference(table[key]):
            return (
                f"{key} must be a reference, so that the file holds no secret: {_REFERENCE_FORMS}"
            )
    return ""


def _is_reference(value: Any) -> bool:
    if not isinstance(value, dict) or len(value) != 1:
        return False
    kind, target = next(iter(value.items()))
    if kind == "command":
        is_list = isinstance(target, list) and bool(target)
        return is_list and all(isinstance(word, str) and word for word in target)
    return kind in ("env", "file") and isinstance(target, str) and bool(target)
