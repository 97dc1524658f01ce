"""Seeded faults of the client in headers, signatures, connections, proxy and environment."""

from __future__ import annotations

import itertools
import os
from base64 import b64encode
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

import pytest

from binance_usdm.contract._cases.raw_requests import SECRET
from tests.contract import patch_points as points
from tests.contract.patch_points import Patch

from .requests import add_header, change_user_agent
from .seeded_fault import seed

fault = partial(seed, "requests")


def change_default_headers(**changes: str | None) -> Patch:
    """Change or remove headers that all requests have; `_` stands for a hyphen."""
    new = {name.replace("_", "-"): value for name, value in changes.items()}
    headers = points.DEFAULT_HEADERS.value | new
    return points.DEFAULT_HEADERS.replace(
        {name: headers[name] for name in headers if headers[name]}
    )


def _count_in_user_agent(patch: pytest.MonkeyPatch) -> None:
    numbers = itertools.count()
    change_user_agent(lambda value: b"%b %d" % (value, next(numbers)))(patch)


def _sign_with_first_secret(patch: pytest.MonkeyPatch) -> None:
    secrets: list[str] = []

    def init(init_signer: Any, signer: Any, secret: str) -> None:
        secrets.append(secret)
        init_signer(signer, secrets[0])

    points.INIT_SIGNER.wrap(init)(patch)


def change_base64(change: Callable[[str], str]) -> Patch:
    """Change the base64 of a private key's signature, and send it as it then is."""
    return points.SIGN_WITH_PRIVATE_KEY.change_result(
        lambda signature: change(unquote(signature.decode())).encode()
    )


def share_pools(share: Callable[[Any], Any]) -> Patch:
    """Keep the connections of several origins together."""
    return points.ORIGIN_POOL.wrap(
        lambda origin_pool, pool, origin: origin_pool(pool, share(origin))
    )


def change_environment(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Patch:
    """Change the options that were read from the environment."""
    return points.OPTIONS_FROM_ENV.change_result(
        lambda found: change(found) if isinstance(found, dict) else found
    )


def drop_option(option: str) -> Patch:
    return change_environment(lambda found: {name: found[name] for name in found if name != option})


def _read_without_newline(variable: str) -> str:
    return Path(os.environ[variable]).read_bytes().decode().removesuffix("\n")


def _send_to_production(parse_base_url: Any, base_url: str, *args: Any) -> Any:
    return parse_base_url(base_url.replace("//demo-", "//"), *args)


SENT: Final = "wire_conformance"
BASE_PATH: Final = "base_path_is_kept"
HOST: Final = "host_has_its_port"
HEADERS: Final = "headers_are_complete"
ENCODINGS: Final = "accepted_encodings_are_decoded"
PRIVATE_KEYS: Final = "private_keys_sign"
APART: Final = "connections_are_kept_apart"
PROXY: Final = "proxy_is_used"
REFUSED: Final = "refused_tunnel_is_an_error"
OWN_PROXY: Final = "only_own_proxy_is_used"
ENVIRONMENT: Final = "environment_is_used"
FILES: Final = "files_of_environment_are_read"

FAULTS: Final = (
    # Headers and hosts.
    fault("encodings accepted that are not decoded", ENCODINGS)(
        change_default_headers(Accept_Encoding="gzip, deflate, br")
    ),
    fault("no word about encodings", ENCODINGS)(change_default_headers(Accept_Encoding=None)),
    fault("HTML accepted only", HEADERS)(change_default_headers(Accept="text/html")),
    fault("no user agent", HEADERS)(change_default_headers(User_Agent=None)),
    fault(
        "a user agent for each request",
        HEADERS,
        ENVIRONMENT,
        FILES,
        "attempts_send_the_same",
        "ended_connection_is_replaced",
        "get_sends_what_methods_do",
        "sockets_carry_the_same",
    )(_count_in_user_agent),
    fault("default port in Host", SENT, HOST)(
        points.HOST_HEADER.wrap_getter(
            lambda getter, url: getter(url) if ":" in getter(url) else f"{url.origin[1]}:443"
        )
    ),
    fault("demo calls sent to production", "each_environment_has_its_host")(
        points.PARSE_BASE_URL.wrap(_send_to_production)
    ),
    # Signatures.
    fault(
        "secret of the first client in all",
        "each_client_sends_its_key",
        "secrets_of_any_length_sign",
    )(_sign_with_first_secret),
    fault("base64 sent as it is", PRIVATE_KEYS)(change_base64(lambda text: text)),
    fault("base64 in the alphabet for URLs", PRIVATE_KEYS)(
        change_base64(lambda text: text.translate(str.maketrans("+/", "-_", "=")))
    ),
    fault("plus in base64 sent as a space", PRIVATE_KEYS)(
        change_base64(lambda text: text.replace("+", "%20").replace("/", "%2F").replace("=", "%3D"))
    ),
    # Connections and proxy.
    fault("connections shared by hosts", APART)(
        share_pools(lambda origin: (origin[0], "any", origin[2]))
    ),
    fault("connections shared by ports", APART)(share_pools(lambda origin: (*origin[:2], 0))),
    fault("connections shared by keys", APART, "transport_options_are_kept")(
        points.POP_IDLE.wrap(lambda pop, idle, _: pop(idle, points.newest_partition(idle)))
    ),
    fault(
        "proxy not used",
        PROXY,
        REFUSED,
        OWN_PROXY,
        "certificates_are_checked",
        "unsafe_options_are_rejected",
    )(points.CHOOSE_PROXY.replace(lambda proxy, base_url: None)),
    fault("login of the proxy not decoded", PROXY)(
        points.ENCODE_LOGIN.replace(
            lambda login: (
                b"Proxy-Authorization: Basic %b\r\n" % b64encode(login.encode()) if login else b""
            )
        )
    ),
    fault("login of the proxy sent to the exchange", SENT, PROXY)(
        add_header(b"Proxy-Authorization", b"Basic eA==")
    ),
    fault("key sent to the proxy", PROXY, REFUSED)(
        points.CONNECT_REQUEST.change_result(
            lambda head: head.replace(
                b"\r\n\r\n", b"\r\nX-MBX-APIKEY: %b\r\n\r\n" % SECRET.encode()
            )
        )
    ),
    fault("port missing in CONNECT", PROXY, REFUSED, APART)(
        points.CONNECT_REQUEST.wrap(
            lambda connect, proxy, origin: connect(proxy, origin).replace(b":%d" % origin[2], b"")
        )
    ),
    fault("proxy of other programs used", OWN_PROXY)(
        points.CHOOSE_PROXY.replace(lambda proxy, base_url: proxy or os.environ.get("HTTPS_PROXY"))
    ),
    fault("proxy of other programs in small letters used", OWN_PROXY)(
        points.CHOOSE_PROXY.replace(lambda proxy, base_url: proxy or os.environ.get("https_proxy"))
    ),
    # Environment.
    fault("base URL of the environment dropped", ENVIRONMENT)(drop_option("base_url")),
    fault("proxy of the environment dropped", OWN_PROXY)(drop_option("proxy")),
    fault("first allowed host of the environment only", OWN_PROXY)(
        change_environment(
            lambda found: found | {"allow_http_hosts": found.get("allow_http_hosts", ())[:1]}
        )
    ),
    fault("key of the environment reversed", ENVIRONMENT, FILES)(
        change_environment(lambda found: found | {"api_key": found.get("api_key", "x")[::-1]})
    ),
    fault("path of a key file taken as the key", FILES)(
        points.READ_CREDENTIAL.replace(lambda variable: os.environ[variable])
    ),
    fault("end of a line of Windows in key files kept", FILES)(
        points.READ_CREDENTIAL.replace(_read_without_newline)
    ),
    fault("file of a private key ignored", FILES)(
        points.SIGNING_VARIABLES.replace(points.SIGNING_VARIABLES.value[:-1])
    ),
    fault("empty base URL of the environment used", ENVIRONMENT)(
        change_environment(
            lambda found: (
                found | {"base_url": ""} if os.environ.get("BINANCE_BASE_URL") == "" else found
            )
        )
    ),
    fault("last of two secrets of the environment used", "environment_says_one_thing")(
        points.ADD_OPTION_FROM_ENV.wrap(
            lambda add, found, option, variables: add(found, option, variables[-1:])
        )
    ),
)
