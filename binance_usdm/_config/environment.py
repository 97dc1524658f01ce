"""Read client options from environment variables."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from binance_usdm._auth.key_files import read_key_file
from binance_usdm._auth.private_keys import PrivateKeySigner, signer_from_pem
from binance_usdm._errors import ConfigurationError
from binance_usdm._policy.shared import get_shared_budget
from binance_usdm._secrets import Problem

ENV_API_KEY: Final = "BINANCE_API_KEY"
ENV_API_KEY_FILE: Final = "BINANCE_API_KEY_FILE"
# Not secrets: the variables' names.
ENV_API_SECRET: Final = "BINANCE_API_SECRET"  # noqa: S105
ENV_API_SECRET_FILE: Final = "BINANCE_API_SECRET_FILE"  # noqa: S105
ENV_PRIVATE_KEY: Final = "BINANCE_API_PRIVATE_KEY"
ENV_PRIVATE_KEY_FILE: Final = "BINANCE_API_PRIVATE_KEY_FILE"
ENV_PRIVATE_KEY_PASSWORD: Final = "BINANCE_API_PRIVATE_KEY_PASSWORD"  # noqa: S105
ENV_BASE_URL: Final = "BINANCE_BASE_URL"
ENV_PROXY: Final = "BINANCE_PROXY"
ENV_BUDGET: Final = "BINANCE_BUDGET"
ENV_ALLOW_HTTP_HOSTS: Final = "BINANCE_ALLOW_HTTP_HOSTS"
ENV_NAMES_BY_OPTION: Final = {
    "api_key": ENV_API_KEY,
    "api_secret": ENV_API_SECRET,
    "base_url": ENV_BASE_URL,
    "proxy": ENV_PROXY,
    "allow_http_hosts": ENV_ALLOW_HTTP_HOSTS,
}
FILE_VARIABLES: Final = {"api_key": ENV_API_KEY_FILE, "api_secret": ENV_API_SECRET_FILE}
"""Variables with the path of a file that contains the value, by option."""
SIGNING_VARIABLES: Final = (
    ENV_API_SECRET,
    ENV_API_SECRET_FILE,
    ENV_PRIVATE_KEY,
    ENV_PRIVATE_KEY_FILE,
)
"""Exactly one of them must be set."""
PROXY_VARIABLES: Final = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
"""Variables that name a proxy for other programs. Clients ignore them."""
_NEVER_FOR_MOCK: Final = frozenset({ENV_API_KEY_FILE, ENV_API_SECRET_FILE, ENV_BUDGET, ENV_PROXY})
_NO_PROXY_VARIABLES: Final = ("no_proxy", "NO_PROXY")


def shell_only_variables(*, has_secret: bool) -> frozenset[str]:
    """Return the variables that a program which calls a mock exchange does not get from the shell.

    Args:
        has_secret: Whether the mock has an API secret. Otherwise a private key stays.
    """
    if has_secret:
        private_key = {ENV_PRIVATE_KEY, ENV_PRIVATE_KEY_FILE, ENV_PRIVATE_KEY_PASSWORD}
        return _NEVER_FOR_MOCK | private_key
    return _NEVER_FOR_MOCK | {ENV_API_SECRET}


def http_hosts_from_env() -> tuple[str, ...]:
    """Return the option `allow_http_hosts` that is set in the environment."""
    hosts = os.environ.get(ENV_ALLOW_HTTP_HOSTS, "")
    return tuple(host.strip() for host in hosts.split(",")) if hosts else ()


_LOOKS_LIKE_PATH = re.compile(
    r"\s*['\"]?(?:(?:~|\.{0,2}/|file:|[A-Z]:[/\\]).*|[\w./\\ -]*\.\w{2,5})['\"]?\s*", re.IGNORECASE
)


def options_from_env(options: Mapping[str, Any]) -> dict[str, Any] | Problem:
    """Return the constructor's arguments that are set in the environment.

    An empty variable counts as not set.

    Args:
        options: Arguments that the caller passed. They replace the variables.

    Returns:
        Arguments that are not in `options`, or a `Problem` that repeats no value.
    """
    environment_options: dict[str, Any] = {
        option: os.environ[name]
        for option, name in ENV_NAMES_BY_OPTION.items()
        if os.environ.get(name) and option not in options
    }
    # A transport has its own proxy or none.
    if options.get("transport") is not None:
        environment_options.pop("proxy", None)
    if "allow_http_hosts" in environment_options:
        environment_options["allow_http_hosts"] = http_hosts_from_env()
    problem = None
    if "limiter" not in options:
        problem = _add_limiter(environment_options, options)
    if problem is None and "api_key" not in options:
        problem = _add_api_key(environment_options)
    if problem is None and not {"signer", "api_secret"} & options.keys():
        problem = _add_signing_option(environment_options)
    elif problem is None:
        environment_options.pop("api_secret", None)
    return environment_options if problem is None else problem


def limiter_from_env(base_url: str) -> Any:
    """Return the limiter of the budget that is named in the environment.

    Args:
        base_url: Base URL of the client, "" for the default.

    Returns:
        The `RedisLimiter` that clients share, None if the variable is not set, or a `Problem` that
        does not repeat it.
    """
    if not os.environ.get(ENV_BUDGET):
        return None
    try:
        return get_shared_budget(os.environ[ENV_BUDGET], base_url)
    except ConfigurationError as error:
        option, _, problem = str(error).partition(" ")
        return Problem(f"{ENV_BUDGET} {problem}" if option == "url" else f"{ENV_BUDGET}: {error}")


def _add_limiter(environment_options: dict[str, Any], options: Mapping[str, Any]) -> Problem | None:
    limiter = limiter_from_env(
        str(options.get("base_url") or environment_options.get("base_url", ""))
    )
    if isinstance(limiter, Problem):
        return limiter
    if limiter is not None:
        environment_options["limiter"] = limiter
    return None


def variable_of(option: str) -> str:
    """Return the name of the variable that an option was read from."""
    if option == "limiter":
        return ENV_BUDGET
    file_variable = FILE_VARIABLES.get(option, "")
    return file_variable if os.environ.get(file_variable) else ENV_NAMES_BY_OPTION[option]


def _add_api_key(environment_options: dict[str, Any]) -> Problem | None:
    variables = [name for name in (ENV_API_KEY, ENV_API_KEY_FILE) if os.environ.get(name)]
    if not variables:
        return Problem(f"the environment variable {ENV_API_KEY} is not set")
    return _add_option(environment_options, "api_key", variables)


def _add_signing_option(environment_options: dict[str, Any]) -> Problem | None:
    variables = [name for name in SIGNING_VARIABLES if os.environ.get(name)]
    if not variables:
        return Problem(
            f"the environment variable {ENV_API_SECRET} is not set, "
            f"nor are {' and '.join(SIGNING_VARIABLES[1:])}"
        )
    is_private_key = variables[0] in {ENV_PRIVATE_KEY, ENV_PRIVATE_KEY_FILE}
    return _add_option(environment_options, "signer" if is_private_key else "api_secret", variables)


def _add_option(
    environment_options: dict[str, Any], option: str, variables: list[str]
) -> Problem | None:
    """Add the option that one of the variables contains or is the path of."""
    if len(variables) > 1:
        return Problem(f"{' and '.join(variables)} are set; set only one of them")
    if option == "signer":
        value: Any = _signer_from_env(variables[0])
    elif variables[0] == FILE_VARIABLES[option]:
        value = _read_credential(variables[0])
    else:
        return None
    if isinstance(value, Problem):
        return value
    environment_options[option] = value
    return None


def _read_credential(variable: str) -> str | Problem:
    """Return the content of the file whose path a variable contains, without a last newline."""
    content = _path_problem(variable) or read_key_file(os.environ[variable])
    if isinstance(content, Problem):
        return Problem(f"{variable} {content}")
    return os.fsdecode(content).removesuffix("\n").removesuffix("\r")


def _signer_from_env(variable: str) -> PrivateKeySigner | Problem:
    """Return the signer of the private key that a variable contains or is the path of."""
    text = os.environ[variable]
    source: bytes | Path = Path(text)
    if variable == ENV_PRIVATE_KEY:
        if _LOOKS_LIKE_PATH.fullmatch(text):
            return Problem(f"{variable} is a path; use {ENV_PRIVATE_KEY_FILE} for a file")
        source = os.fsencode(text)
    elif "-----BEGIN" in text:
        return Problem(f"{variable} is PEM; use {ENV_PRIVATE_KEY} for PEM instead of a path")
    else:
        path_problem = _path_problem(variable)
        if path_problem is not None:
            return Problem(f"{variable} {path_problem}")
    try:
        return signer_from_pem(source, os.environ.get(ENV_PRIVATE_KEY_PASSWORD) or None)
    except ConfigurationError as error:
        option, _, problem = str(error).partition(" ")
    name = ENV_PRIVATE_KEY_PASSWORD if option == "password" else variable
    return Problem(f"{name} {problem}")


def _path_problem(variable: str) -> Problem | None:
    """Return what of a shell or a file is part of a path. None if there is such a file."""
    path = os.environ[variable]
    if os.path.lexists(path):
        return None
    if path.strip() != path or path[0] in "'\"":
        return Problem("begins or ends with a space, a newline or a quotation mark; remove it")
    if path[0] == "~":
        return Problem("begins with ~, which only shells replace; use the whole path")
    return None


def without_proxy_for(base_url: str, environment: Mapping[str, str]) -> dict[str, str]:
    """Return `no_proxy` and `NO_PROXY`, with which programs connect to a host without a proxy.

    The hosts that were in the variables stay. A program reads one of the two.

    Args:
        base_url: URL of the host.
        environment: Environment with the present values.
    """
    host = str(urlsplit(base_url).hostname)
    values = [environment.get(name, "").strip(" ,") for name in _NO_PROXY_VARIABLES]
    extended = {}
    for name, value, other_value in zip(_NO_PROXY_VARIABLES, values, reversed(values), strict=True):
        hosts = value or other_value
        # Programs take a "*" for all hosts only if it stands alone.
        if hosts != "*" and host not in re.split("[ ,]+", hosts):
            hosts = f"{hosts},{host}" if hosts else host
        extended[name] = hosts
    return extended
