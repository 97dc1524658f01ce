"""Client options of a profile, with the secrets that it refers to."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from binance_usdm._auth.key_files import read_key_file
from binance_usdm._auth.private_keys import signer_from_pem
from binance_usdm._errors import ConfigurationError
from binance_usdm._secrets import Problem

from .environment import ENV_BASE_URL, ENV_PROXY, http_hosts_from_env, limiter_from_env
from .profiles import Profile

COMMAND_TIMEOUT_SECONDS: Final = 120.0
"""Time for a command, in which a person may type a passphrase."""


def options_from_profile(profile: Profile, options: Mapping[str, Any]) -> dict[str, Any] | Problem:
    """Return the constructor's arguments of a profile, and those that the environment adds.

    Args:
        profile: The profile.
        options: Arguments that the caller passed. They replace what is found.

    Returns:
        Arguments that are not in `options`, or a `Problem` that repeats no secret.
    """
    taken = {"api_key", "api_secret", "signer"} & options.keys()
    if taken:
        return Problem(f"{min(taken)} comes from the profile; do not pass it")
    found: dict[str, Any] = {"label": profile.name}
    base_url = profile.base_url or os.environ.get(ENV_BASE_URL)
    if base_url:
        found["base_url"] = base_url
    if http_hosts := http_hosts_from_env():
        found["allow_http_hosts"] = http_hosts
    # A transport has its own proxy or none.
    if os.environ.get(ENV_PROXY) and options.get("transport") is None:
        found["proxy"] = os.environ[ENV_PROXY]
    limiter = limiter_from_env(str(options.get("base_url") or base_url or ""))
    if isinstance(limiter, Problem):
        return limiter
    if limiter is not None:
        found["limiter"] = limiter
    # Keep secrets out of tracebacks; see _secrets.py.
    secrets = resolve_profile(profile)
    if isinstance(secrets, Problem):
        return secrets
    return {**{name: found[name] for name in found if name not in options}, **secrets}


def resolve_profile(profile: Profile) -> dict[str, Any] | Problem:
    """Return the client's options with the secrets that a profile refers to.

    Returns:
        The options `api_key`, and `api_secret` or `signer`, or a `Problem` that repeats no secret.
    """
    # Keep secrets out of tracebacks; see _secrets.py.
    found: dict[str, bytes] = {}
    for key, reference in profile.references.items():
        value = _resolve(reference, profile.folder, is_text=key != "private_key")
        if isinstance(value, Problem):
            return Problem(f"{key} {value}")
        found[key] = value
    options: dict[str, Any] = {"api_key": os.fsdecode(found["api_key"])}
    if "api_secret" in found:
        options["api_secret"] = os.fsdecode(found["api_secret"])
        return options
    password = found.get("private_key_password")
    passphrase = None if password is None else os.fsdecode(password)
    try:
        signer = signer_from_pem(found["private_key"], passphrase)
    except ConfigurationError as error:
        return Problem(str(error))
    options["signer"] = signer
    return options


def _resolve(reference: Mapping[str, Any], folder: Path, *, is_text: bool) -> bytes | Problem:
    """Return what a reference refers to.

    Args:
        reference: One of the three forms.
        folder: Folder from which a relative path counts.
        is_text: Whether it is one line: of a file without its newline, of a command the first one.
    """
    kind, target = next(iter(reference.items()))
    if kind == "env":
        value = os.environ.get(target)
        return os.fsencode(value) if value else Problem(f"variable {target} is not set")
    if kind == "command":
        content = _run_command(target)
        if isinstance(content, Problem) or not is_text:
            return content
        return content.partition(b"\n")[0].removesuffix(b"\r")
    content = read_key_file(folder / Path(target).expanduser())
    if isinstance(content, Problem) or not is_text:
        return content
    return content.removesuffix(b"\n").removesuffix(b"\r")


def _run_command(words: Sequence[str]) -> bytes | Problem:
    """Return what a command prints. Its messages go to stderr, and it may ask on the terminal."""
    problem = ""
    try:
        # No shell. The file is the user's own.
        done = subprocess.run(  # noqa: S603
            words, stdout=subprocess.PIPE, timeout=COMMAND_TIMEOUT_SECONDS, check=False
        )
        if done.returncode == 0 and done.stdout:
            return done.stdout
        problem = f"exited with {done.returncode}" if done.returncode else "printed nothing"
    except subprocess.TimeoutExpired:
        problem = f"took longer than {COMMAND_TIMEOUT_SECONDS:g} s"
    except (OSError, ValueError) as error:
        problem = f"cannot be run: {getattr(error, 'strerror', None) or 'invalid argument'}"
    # Other words of the command may be secrets.
    return Problem(f"command {words[0]!r} {problem}")
