"""Checks of clients that are made of environment variables."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from binance_usdm import ConfigurationError
from binance_usdm.contract._cases.raw_requests import KEY, SECRET, T0, MakeExchange
from binance_usdm.contract._client_layers.calls import call_each
from binance_usdm.contract._client_layers.request_checks.request_parts import respond_in_turn
from binance_usdm.contract._client_layers.request_checks.request_signing import private_keys
from binance_usdm.contract._client_layers.sdk import Sdk, SentRequest
from binance_usdm.contract._client_layers.servers.recording_server import HOST, LoopbackServer
from binance_usdm.contract._spec.operations import Operation

PREFIX: Final = "BINANCE_"
# Other programs take a proxy from these. A client with a key does not.
PROXY_VARIABLES: Final = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
PROXY_NAMES: Final = (*PROXY_VARIABLES, *map(str.lower, PROXY_VARIABLES))
GATEWAY: Final = "gateway.invalid:8001"
CREDENTIALS: Final = {"BINANCE_API_KEY": KEY, "BINANCE_API_SECRET": SECRET}
PRIVATE_KEY: Final = "BINANCE_API_PRIVATE_KEY"
MORE_VARIABLES: Final = (
    *("BINANCE_BASE_URL", "BINANCE_PROXY", "BINANCE_ALLOW_HTTP_HOSTS", "BINANCE_BUDGET"),
    *("BINANCE_API_KEY_FILE", "BINANCE_API_SECRET_FILE", PRIVATE_KEY, f"{PRIVATE_KEY}_FILE"),
)


def environment_is_used(operation: Operation, sdk: Sdk, make: MakeExchange) -> None:
    """A client of the environment sends what one with the same options does.

    An option that is given as well replaces the variable. An empty variable is none.
    """
    if (from_env := _factory(sdk)) is None:
        return
    for base_url in (*operation.base_urls.values(), f"https://{GATEWAY}"):
        expected = _send(operation, sdk, sdk.client, KEY, SECRET, base_url=base_url)
        with _environment(CREDENTIALS | {"BINANCE_BASE_URL": base_url}):
            sent = _send(operation, sdk, from_env)
        assert sent == expected, f"{base_url}: {sent}, not {expected}"
    expected = _send(operation, sdk, sdk.client, KEY, SECRET)
    with _environment(dict.fromkeys(MORE_VARIABLES, "") | CREDENTIALS):
        sent = _send(operation, sdk, from_env)
    assert sent == expected, f"with empty variables: {sent}, not {expected}"
    options = {"base_url": f"https://{GATEWAY}", "api_key": "other-key", "api_secret": "other"}
    expected = _send(operation, sdk, sdk.client, **options)
    with _environment(CREDENTIALS | {"BINANCE_BASE_URL": "https://other.invalid"}):
        sent = _send(operation, sdk, from_env, **options)
    assert sent == expected, f"with options: {sent}, not {expected}"


def files_of_environment_are_read(operation: Operation, sdk: Sdk, make: MakeExchange) -> None:
    """Key and secret may stand in files, which may end with a newline, or the secret in PEM."""
    if (from_env := _factory(sdk)) is None:
        return
    expected = _send(operation, sdk, sdk.client, KEY, SECRET)
    for end in ("", "\n", "\r\n"):
        contents = {name: f"{value}{end}".encode() for name, value in CREDENTIALS.items()}
        with _files(contents) as variables, _environment(variables):
            sent = _send(operation, sdk, from_env)
        assert sent == expected, f"files that end with {end!r}: {sent}, not {expected}"
    for key in private_keys():
        expected = _send(operation, sdk, sdk.client, KEY, signer=key.signer)
        with _files({PRIVATE_KEY: key.pem}) as variables:
            for name, value in ((PRIVATE_KEY, key.pem.decode()), *variables.items()):
                with _environment({"BINANCE_API_KEY": KEY, name: value}):
                    sent = _send(operation, sdk, from_env)
                assert sent == expected, f"{key.algorithm} in {name}: {sent}, not {expected}"


def environment_says_one_thing(operation: Operation, sdk: Sdk, make: MakeExchange) -> None:
    """Two keys or two ways to sign in the environment are an error, and so is none."""
    if (from_env := _factory(sdk)) is None:
        return
    contents = {name: value.encode() for name, value in CREDENTIALS.items()}
    with _files(contents) as variables:
        cases = [CREDENTIALS | {name: path} for name, path in variables.items()]
        cases += [{name: CREDENTIALS[name]} for name in CREDENTIALS]
        for case in cases:
            with _environment(case), suppress(ConfigurationError):
                sent = _send(operation, sdk, from_env)
                raise AssertionError(f"with {[*case]}: {len(sent)} requests")


def only_own_proxy_is_used(operation: Operation, sdk: Sdk, make: MakeExchange) -> None:
    """The client's own variable names its proxy; those of other programs are ignored."""
    if (from_env := _factory(sdk)) is None:
        return
    respond = respond_in_turn(operation)
    options: dict[str, Any] = {"clock": lambda: T0, "limiter": None}
    for is_own in (True, False):
        with LoopbackServer(respond) as server, LoopbackServer(respond) as proxy:
            proxy_url = f"http://{HOST}:{proxy.port}"
            # An option, so that no mistake sends anything to the exchange.
            options["base_url"] = f"http://{GATEWAY}" if is_own else server.url
            variables = dict.fromkeys(PROXY_NAMES, proxy_url) | CREDENTIALS
            variables |= {"BINANCE_ALLOW_HTTP_HOSTS": "mock,gateway.invalid"}
            variables |= {"BINANCE_PROXY": proxy_url} if is_own else {}
            with _environment(variables):
                (call,) = call_each(from_env(**options), operation, {})
        counts = (len(server.requests), len(proxy.tunnels), len(proxy.served))
        place = f"{'its' if is_own else 'another'} variable: {counts}, {call.error!r}"
        assert call.error is None, place
        assert counts == ((0, 1, 1) if is_own else (1, 0, 0)), place


CHECKS: Final = (
    environment_is_used,
    files_of_environment_are_read,
    environment_says_one_thing,
    only_own_proxy_is_used,
)


def _factory(sdk: Sdk) -> Any:
    """Return the client's function that reads the environment, or `None` if it has none."""
    return getattr(sdk.client, "from_env", None)


def _send(
    operation: Operation, sdk: Sdk, make_client: Any, *credentials: str, **options: Any
) -> list[SentRequest]:
    """Call a client that is made with these options, and return its requests."""
    transport = sdk.transport(respond_in_turn(operation))
    client = make_client(*credentials, transport=transport, clock=lambda: T0, **options)
    call_each(client, operation, {})
    return transport.sent


@contextmanager
def _files(contents: dict[str, bytes]) -> Iterator[dict[str, str]]:
    """Write files, and yield their paths by the names of the variables for them."""
    with TemporaryDirectory() as folder:
        paths = {f"{name}_FILE": Path(folder, name) for name in contents}
        for file, content in zip(paths.values(), contents.values(), strict=True):
            file.touch(0o600)
            file.write_bytes(content)
        yield {name: str(file) for name, file in paths.items()}


@contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    """Set variables, and no other of this package and of proxies meanwhile."""
    before = dict(os.environ)
    for name in before:
        if name.startswith(PREFIX) or name.upper() in (*PROXY_VARIABLES, "NO_PROXY"):
            del os.environ[name]
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
