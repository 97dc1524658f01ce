"""The clients of one run of a command: one account of the environment, or those of profiles."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from binance_usdm import DEMO, Client, ConfigurationError, Event, UsdmError
from binance_usdm._cli.suggestions import suggest
from binance_usdm._config.environment import (
    ENV_NAMES_BY_OPTION,
    ENV_PROXY,
    http_hosts_from_env,
    limiter_from_env,
)
from binance_usdm._secrets import Problem
from binance_usdm_wire import Operation, Response

if TYPE_CHECKING:
    from binance_usdm._config.profiles import Profile

MAX_CONNECTIONS: Final = 20
SOME_FAILED_EXIT_CODE: Final = 3
"""Some accounts were read, and some were not."""


class Accounts(NamedTuple):
    """What a command reads from."""

    clients: list[Client]
    failures: dict[str, UsdmError]
    """Profiles that gave no client, by name."""
    has_labels: bool
    """Whether the clients are those of profiles."""


class Outcome(NamedTuple):
    """What the accounts returned, in order. Without a label the key is ""."""

    responses: dict[str, Response[Any]]
    failures: dict[str, UsdmError]


def add_profile_arguments(command: argparse.ArgumentParser) -> None:
    """Add `--profile`, `--all-profiles` and `--profiles-file`."""
    names = command.add_mutually_exclusive_group()
    names.add_argument(
        "--profile",
        action="append",
        dest="profiles",
        metavar="NAME",
        help="read this account of the profiles file; repeat for several",
    )
    names.add_argument(
        "--all-profiles", action="store_true", help="read every account of the profiles file"
    )
    add_profiles_file_argument(command)


def add_profiles_file_argument(command: argparse.ArgumentParser) -> None:
    """Add `--profiles-file`."""
    command.add_argument(
        "--profiles-file",
        metavar="FILE",
        help="TOML file with accounts and references to their secrets "
        "(default: BINANCE_PROFILES_FILE, else binance-usdm/profiles.toml in ~/.config)",
    )


def has_profiles(options: argparse.Namespace) -> bool:
    """Return whether the arguments name profiles."""
    return bool(getattr(options, "profiles", None) or getattr(options, "all_profiles", False))


@contextmanager
def open_accounts(
    options: argparse.Namespace,
    operation: Operation[Any],
    on_event: Callable[[Event], None] | None = None,
) -> Iterator[Accounts]:
    """Yield the clients that the arguments select, and close them at the end.

    Raises:
        ConfigurationError: The only account, or the profiles file, cannot be used.
    """
    common: dict[str, Any] = {"timeout": options.timeout, "on_event": on_event}
    if options.base_url or options.demo:
        common["base_url"] = options.base_url or DEMO
    if has_profiles(options):
        with ExitStack() as stack:
            yield _open_profiles(options, common, stack)
        return
    if options.proxy:
        common["proxy"] = options.proxy
    if operation.key_header is not None:
        client = Client.from_env(**common)
    else:
        client = _make_unsigned_client(common)
    with client:
        yield Accounts([client], {}, has_labels=False)


def _make_unsigned_client(client_options: dict[str, Any]) -> Client:
    """Return a client without a key. Its other options may come from the environment."""
    problem = ""
    variables = [
        option
        for option in ("base_url", "proxy")
        if option not in client_options and os.environ.get(ENV_NAMES_BY_OPTION[option])
    ]
    environment_options: dict[str, Any] = {
        option: os.environ[ENV_NAMES_BY_OPTION[option]] for option in variables
    }
    variables.append("allow_http_hosts")
    limiter = limiter_from_env(
        str(client_options.get("base_url") or environment_options.get("base_url", ""))
    )
    if isinstance(limiter, Problem):
        raise ConfigurationError(str(limiter))
    if limiter is not None:
        environment_options["limiter"] = limiter
    try:
        return Client(
            allow_http_hosts=http_hosts_from_env(), **environment_options, **client_options
        )
    except ConfigurationError as error:
        option, _, rest = str(error).partition(" ")
        problem = f"{ENV_NAMES_BY_OPTION[option] if option in variables else option} {rest}"
    # Keep secrets out of tracebacks; see _secrets.py.
    del environment_options, client_options
    raise ConfigurationError(problem)


def _open_profiles(
    options: argparse.Namespace, common: dict[str, Any], stack: ExitStack
) -> Accounts:
    """Return clients of the profiles. They share a transport, and a budget by base URL."""
    from binance_usdm import SyncTransport

    profiles = _select_profiles(options, options.profiles)
    proxy = options.proxy or os.environ.get(ENV_PROXY)
    transport = stack.enter_context(SyncTransport(proxy, max_connections=MAX_CONNECTIONS))
    common = {**common, "transport": transport}
    clients: list[Client] = []
    failures: dict[str, UsdmError] = {}
    for name, profile in profiles.items():
        result = _make_client(profile, common)
        if isinstance(result, Client):
            clients.append(stack.enter_context(result))
        else:
            failures[name] = result
    return Accounts(clients, failures, has_labels=True)


def select_profile(options: argparse.Namespace, name: str) -> Profile:
    """Return the profile of a name. An unknown one is wrong usage."""
    return _select_profiles(options, [name])[name]


def _select_profiles(options: argparse.Namespace, names: list[str] | None) -> dict[str, Profile]:
    """Return profiles of the file by name, each once: those of the names, or all."""
    from binance_usdm._config.profiles import describe_names, profiles_path, read_profiles

    path = profiles_path(options.profiles_file)
    profiles = read_profiles(path)
    for name in names or ():
        if name not in profiles:
            profile_list = suggest([name], profiles) or describe_names(profiles)
            options.usage_error(f"{path} has no profile {name!r}{profile_list}")
    return {name: profiles[name] for name in names or profiles}


def _make_client(profile: Profile, common: dict[str, Any]) -> Client | ConfigurationError:
    """Return the client of a profile, or why there is none."""
    from binance_usdm._config.profile_secrets import options_from_profile

    # Keep secrets out of tracebacks; see _secrets.py.
    credentials = options_from_profile(profile, common)
    try:
        if not isinstance(credentials, Problem):
            return Client(**credentials, **common)
        problem = str(credentials)
    except ConfigurationError as error:
        problem = str(error.args[0])
    finally:
        del credentials
    failure = ConfigurationError(problem)
    failure.label = profile.name
    return failure


def call_each(
    accounts: Accounts,
    operation: Operation[Any],
    arguments: dict[str, Any],
    on_progress: Callable[[str, int, int], None] | None = None,
) -> Outcome:
    """Call an operation of each client, in order and within the weight budget.

    Raises:
        UsdmError: The only account, which is not that of a profile, could not be read.
    """
    method = f"{operation.id}_detailed"
    if not accounts.has_labels:
        return Outcome({"": getattr(accounts.clients[0], method)(**arguments)}, {})
    # An account of the environment does not wait for this import.
    from binance_usdm._balances import read_each

    def call(client: Client) -> Response[Any]:
        response: Response[Any] = getattr(client, method)(**arguments)
        return response

    results = read_each(accounts.clients, call, on_progress=on_progress)
    return Outcome(dict(results.responses), {**accounts.failures, **results.failures})


def report_failures(
    failures: dict[str, UsdmError], read_count: int, report: Callable[[str], None]
) -> int:
    """Name the accounts that failed, each with its error.

    Returns:
        The exit code: 0 when all accounts were read, 1 when none was, 3 when some were.
    """
    if not failures:
        return 0
    for error in failures.values():
        report(describe_failure(error))
    total = len(failures) + read_count
    report(f"{len(failures)} of {total} accounts failed: {', '.join(failures)}")
    return SOME_FAILED_EXIT_CODE if read_count else 1


def describe_failure(error: UsdmError) -> str:
    """Return the class and the text of an error, which begins with the label."""
    return f"{type(error).__name__}: {error}"
