"""Seeded faults of the client's own transport, of options that it must reject, and of `get`."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
from attrs import evolve

from tests.contract import patch_points as points
from tests.contract.patch_points import Patch

from .seeded_fault import seed

fault = partial(seed, "requests")


def change_headers_on_sockets(change: Callable[[list[Any]], list[Any]]) -> Patch:
    """Change the headers that the client's own transports send, and those of no other one."""

    async def send(send: Any, transport: Any, lease: Any, request: Any) -> Any:
        headers = change([*request.template.headers])
        template = points.RequestTemplate.build(request.template.origin, headers)
        changed = points.HttpRequest(request.target, template, request.secrets)
        return await send(transport, lease, changed)

    def change_both(patch: pytest.MonkeyPatch) -> None:
        for point in (points.SEND_OVER_SYNC_SOCKET, points.SEND_OVER_ASYNC_SOCKET):
            point.wrap(send)(patch)

    return change_both


def ignore_transport_option(option: str) -> Patch:
    def init(init_pool: Any, pool: Any, *args: Any, **options: Any) -> None:
        options.pop(option, None)
        init_pool(pool, *args, **options)

    return points.INIT_POOL.wrap(init)


def own_transport(is_own: bool) -> Patch:
    """Let clients close every transport, or none."""

    def init(init_client: Any, client: Any, *args: Any, **options: Any) -> None:
        init_client(client, *args, **options)
        points.own_transport(client, is_own)

    return points.INIT_CLIENT.wrap(init)


def _allow_any_http_host(parse: Any, base_url: str, hosts: Any) -> Any:
    is_http = base_url.startswith("http://")
    return parse(base_url, hosts or ((urlsplit(base_url).hostname,) if is_http else ()))


def _allow_private_hosts(parse: Any, base_url: str, hosts: Any) -> Any:
    is_private = base_url.startswith(("http://10.", "http://192.168."))
    return parse(base_url, (urlsplit(base_url).hostname,) if is_private else hosts)


def _allow_names_with_localhost(parse: Any, base_url: str, hosts: Any) -> Any:
    is_alike = base_url.startswith("http://localhost")
    return parse(base_url, (urlsplit(base_url).hostname,) if is_alike else hosts)


def _write_none(write: Any, parameters: Any) -> Any:
    texts = {name: "None" for name, value in (parameters or {}).items() if value is None}
    return write({**(parameters or {}), **texts})


def _write_with(value_type: type, write: Any) -> Patch:
    """Replace how `get` writes the values of a type."""
    return points.GET_WRITERS.replace({**points.GET_WRITERS.value, value_type: write})


def _take_any_context(patch: pytest.MonkeyPatch) -> None:
    for point in (points.CONTEXT_PROBLEM_OF_CLIENT, points.CONTEXT_PROBLEM_OF_POOL):
        point.replace(lambda context: None)(patch)


UNSAFE: Final = "unsafe_options_are_rejected"
UNSENT: Final = "what_cannot_be_sent_is_an_error"
WRITTEN: Final = "get_writes_every_value"
SOCKETS: Final = "sockets_carry_the_same"
THEIRS: Final = "clients_close_what_is_theirs"
OPTIONS: Final = "transport_options_are_kept"

FAULTS: Final = (
    # Bytes and connections.
    fault("key missing on sockets", SOCKETS)(change_headers_on_sockets(lambda pairs: pairs[:4])),
    fault("length of no body on sockets", SOCKETS)(
        change_headers_on_sockets(lambda pairs: [*pairs, (b"Content-Length", b"0")])
    ),
    fault("transport of the caller closed", THEIRS)(own_transport(True)),
    fault("own transport not closed", THEIRS)(own_transport(False)),
    fault("connections never shared", OPTIONS)(ignore_transport_option("share_connections")),
    fault("old connections used", OPTIONS)(ignore_transport_option("keepalive_expiry")),
    fault("more connections than allowed", OPTIONS)(ignore_transport_option("max_connections")),
    # What must be rejected.
    fault("http to any host", UNSAFE)(points.PARSE_BASE_URL.wrap(_allow_any_http_host)),
    fault("http to private addresses", UNSAFE)(points.PARSE_BASE_URL.wrap(_allow_private_hosts)),
    fault("http to names with localhost", UNSAFE)(
        points.PARSE_BASE_URL.wrap(_allow_names_with_localhost)
    ),
    fault("hosts of other APIs taken", UNSAFE)(
        points.OTHER_API_PROBLEM.replace(lambda base_url: None)
    ),
    fault("context without verification taken", UNSAFE)(_take_any_context),
    fault("line in the key taken", UNSAFE)(
        points.CREDENTIAL_PROBLEM.replace(lambda credential: None)
    ),
    fault("signature of any characters sent", UNSENT)(
        points.COMPUTE_SIGNATURE.replace(lambda signer, payload: signer.sign(payload))
    ),
    # Other paths.
    fault("key sent with unsigned paths", "get_sends_what_methods_do")(
        points.MAKE_GET.change_result(
            lambda operation: evolve(
                operation, key_header=points.BALANCE_OPERATION.value.key_header
            )
        )
    ),
    fault("parameters of get in another order", WRITTEN)(
        points.GET_PARAMETERS.change_result(lambda written: dict(sorted(written.items())))
    ),
    fault("None sent by get", WRITTEN)(points.GET_PARAMETERS.wrap(_write_none)),
    fault("names of signing taken by get", WRITTEN)(
        points.GET_NAME_PROBLEM.replace(lambda name: "")
    ),
    fault("text of get not encoded", WRITTEN)(_write_with(str, lambda name, value: value)),
    fault("exponents sent by get", WRITTEN)(_write_with(Decimal, lambda name, value: str(value))),
    fault("booleans of get as in Python", WRITTEN)(
        _write_with(bool, lambda name, value: str(value))
    ),
    fault("floats taken by get", WRITTEN)(_write_with(float, lambda name, value: str(value))),
)
