"""Seeded faults of the client that give something to others, or keep what it must not."""

from __future__ import annotations

import ssl
from functools import partial
from typing import Any, Final

import pytest

from binance_usdm.contract._cases.raw_requests import SECRET
from tests.contract import patch_points as points

from .requests import RequestParts, change_request
from .response_patches import change_outcome
from .seeded_fault import seed

fault = partial(seed, "requests")


async def _follow_redirects(send_once: Any, *args: Any, **options: Any) -> Any:
    result = await send_once(*args, **options)
    if result.response is not None and "location" in result.response.headers:
        return await send_once(*args, **options)
    return result


def _send_cookies_back(patch: pytest.MonkeyPatch) -> None:
    cookies: list[bytes] = []

    def keep(outcome: Any, response: Any) -> Any:
        if "set-cookie" in response.headers:
            cookies.append(b"a=b")
        return outcome

    def send_back(parts: RequestParts) -> dict[str, Any]:
        return {"headers": [*parts.headers, (b"Cookie", cookies.pop())]} if cookies else {}

    change_outcome(keep)(patch)
    change_request(send_back)(patch)


def _keep_fresh_responses(patch: pytest.MonkeyPatch) -> None:
    kept: list[tuple[Any, Any]] = []

    async def send(send_once: Any, runner: Any, *args: Any, **options: Any) -> Any:
        for owner, result in kept:
            if owner is runner:
                return result
        result = await send_once(runner, *args, **options)
        if result.response is not None and "cache-control" in result.response.headers:
            kept.append((runner, result))
        return result

    points.SEND_ONCE.wrap(send)(patch)


def _unchecked_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _without_name(context: ssl.SSLContext) -> ssl.SSLContext:
    context.check_hostname = False
    return context


def _keep_query_on_client(patch: pytest.MonkeyPatch) -> None:
    queries: dict[int, tuple[Any, str]] = {}

    def build(build_query: Any, builder: Any, *args: Any) -> str:
        # The builder is kept, so that no other one gets its identity.
        queries[id(builder)] = (builder, build_query(builder, *args))
        return queries[id(builder)][1]

    def sign(build_signed: Any, builder: Any, operation: Any, query: str, clock: Any) -> Any:
        latest = queries[id(builder)][1] if operation.signing else query
        return build_signed(builder, operation, latest, clock)

    points.BUILD_QUERY.wrap(build)(patch)
    points.BUILD_SIGNED.wrap(sign)(patch)


SHOWN: Final = "secrets_are_not_shown"
CERTIFICATES: Final = "certificates_are_checked"
KEPT: Final = "nothing_is_kept_between_calls"

FAULTS: Final = (
    fault("redirects followed", "redirects_are_not_followed")(
        points.SEND_ONCE.wrap(_follow_redirects)
    ),
    fault("cookies sent back", KEPT)(_send_cookies_back),
    fault("fresh responses not asked for again", KEPT)(_keep_fresh_responses),
    fault("arguments kept on the client", "concurrent_calls_are_apart")(_keep_query_on_client),
    fault("closed client goes on", "closed_client_sends_nothing")(
        points.CHECK_CLOSED.replace(lambda context: None)
    ),
    fault("secret in the client's repr", SHOWN)(
        points.CLIENT_REPR.change_result(lambda text: text + SECRET)
    ),
    fault("text of a failure shown as it is", SHOWN)(
        points.SANITIZE_TEXT.replace(lambda text, *args, **options: text)
    ),
    fault("certificates not checked", CERTIFICATES)(points.DEFAULT_TLS.replace(_unchecked_context)),
    fault("name in the certificate not checked", CERTIFICATES)(
        points.CHECK_TLS.change_result(_without_name)
    ),
    fault("own authorities ignored", CERTIFICATES)(
        points.CHECK_TLS.replace(lambda context: ssl.create_default_context())
    ),
)
