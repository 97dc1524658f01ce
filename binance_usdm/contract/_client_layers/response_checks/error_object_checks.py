"""Checks of what errors say and keep: hints, secrets, values of the account, labels."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator
from typing import Any, Final

import httpx

from binance_usdm import Response, UsdmError
from binance_usdm.contract._cases import response_tables as tables
from binance_usdm.contract._cases.sample_values import encode
from binance_usdm.contract._client_layers.response_cases import (
    JSON,
    ResponseCase,
    http_response,
    make_client,
    outcome_of,
)

UNKNOWN_CODES: Final = (-9999, -4061, -1)
# It stands for what only the account's owner may see.
PRIVATE: Final = "zq7-private"
LABEL: Final = "desk-07"
OWN_PARTS: Final = ("binance_usdm.contract", "tests")


def hints_belong_to_their_codes(case: ResponseCase) -> None:
    """Each code of the document has its hint, its entry in the documentation, and no other's."""
    if case.number:
        return
    known = {int(code): row for code, row in case.operation.document["x-error-codes"].items()}
    hints = {code: str(row.get("hint", "")) for code, row in known.items()}
    for code in (*known, *UNKNOWN_CODES):
        error = case.receive(encode({"code": code, "msg": "no"}), JSON, status=400)
        own = hints.get(code, "")
        others = {hint for hint in hints.values() if hint and hint not in own}
        foreign = [hint for hint in others if hint in error.hint]
        assert own in error.hint, f"{error!r}: {error.hint!r}, not {own!r}"
        assert not foreign, f"{error!r}: also {foreign}"
        assert f"code {code}" in str(error), f"{error}"
        assert own in str(error), f"{error}: no {own!r}"
        entry = error.address.partition("#")[2]
        assert (entry == str(code)) == (code in known), f"{error!r}: entry {entry}"


def errors_hide_secrets(case: ResponseCase) -> None:
    """No error shows key, secret or signature, though the response repeats the request."""
    sent: list[httpx.Request] = []
    for status, body in (*tables.RETRIED, *tables.NOT_RETRIED):

        def respond(
            request: httpx.Request, status: int = status, body: bytes = body
        ) -> httpx.Response:
            said = _say_secrets(case, request).encode()
            content = body.replace(b'"no"', b'"%b"' % said).replace(b"<html>", b"<html>" + said)
            return http_response(status, content, (b"Location", said), tables.NO_WAIT)

        sent.clear()
        received = case.call(make_client(case.sdk, case.make_transport(respond, sent)))
        if isinstance(received, Response):
            continue
        for place, text in iter_shown(received):
            assert not case.shows_secret(text, sent), f"{status}: a secret in {place}"


def errors_hide_values(case: ResponseCase) -> None:
    """An error for a body that is not described shows no value of it."""
    value = _hide_strings(case.operation.richest_example)
    bodies = [encode(value)[:-1], encode(value) + b"x", encode({"a": value}), encode([[value]])]
    bodies += [encode(_replace_last(value)), encode(PRIVATE)]
    for body in bodies:
        if case.response.describes(body):
            continue
        error = case.receive(body, JSON)
        for place, text in iter_shown(error):
            assert PRIVATE not in text, f"{type(error).__name__} for {body[:200]!r}: in {place}"


def errors_are_kept(case: ResponseCase) -> None:
    """A copy of an error, and one from another process, says the same."""
    for status, body in (*tables.RETRIED, *tables.NOT_RETRIED):
        error = case.receive(body, JSON, tables.NO_WAIT, status=status)
        if isinstance(error, Response):
            continue
        for other in (copy.copy(error), pickle.loads(pickle.dumps(error))):  # noqa: S301 - its own
            assert outcome_of(other) == outcome_of(error), f"{error!r}: {other!r}"
            for name in ("retryable", "retry_after", "hint", "label", "args"):
                found, wanted = getattr(other, name), getattr(error, name)
                assert found == wanted, f"{error!r}: {name} {found!r}, not {wanted!r}"
            assert str(other) == str(error), f"{other}, not {error}"


def errors_begin_with_the_label(case: ResponseCase) -> None:
    """An error says whose client met it; without a label it says nothing of one."""
    for status, body in ((400, b'{"code": -1022, "msg": "no"}'), (503, b"<html>"), (200, b"[0")):
        for label, start in ((None, ""), (LABEL, f"{LABEL}: ")):
            with case.one_client(label=label):
                error = case.receive(body, JSON, status=status)
            assert error.label == label, f"{error!r}: {error.label}"
            assert str(error).startswith(start), f"{error}"
            assert (LABEL in str(error)) == bool(label), f"{error}"


OK_CHECKS: Final = (
    errors_hide_secrets,
    errors_hide_values,
    errors_are_kept,
    errors_begin_with_the_label,
)
ERROR_CHECKS: Final = (hints_belong_to_their_codes,)


def iter_shown(error: UsdmError) -> Iterator[tuple[str, str]]:
    """Yield what programs print of an error: texts, attributes, causes, locals of its traceback."""
    assert isinstance(error, UsdmError), f"{error!r}"
    yield "its text", f"{error} {error!r} {error.args!r}"
    yield "its attributes", repr({**vars(error), "hint": error.hint})
    for cause in (error.__cause__, error.__context__):
        if cause is not None:
            yield "its cause", f"{cause} {cause!r}"
    trace = error.__traceback__
    while trace is not None:
        module = str(trace.tb_frame.f_globals.get("__name__"))
        if not module.startswith(OWN_PARTS):
            for name, value in trace.tb_frame.f_locals.items():
                yield f"{name} of {trace.tb_frame.f_code.co_name}", f"{value!r}"
        trace = trace.tb_next


def _say_secrets(case: ResponseCase, request: httpx.Request) -> str:
    """Return what a server can repeat of a request; of a page the first words are shown."""
    key = request.headers.get(case.operation.key_header or "", "")
    signature = request.url.params.get(case.operation.signature or "", "")
    return f"{key} {signature} {request.url}"


def _hide_strings(value: Any) -> Any:
    """Return a value with what may stand for the account's data in all of its strings."""
    if isinstance(value, list):
        return [_hide_strings(each) for each in value]
    if isinstance(value, dict):
        return {name: _hide_strings(each) for name, each in value.items()}
    return PRIVATE if isinstance(value, str) else value


def _replace_last(value: Any) -> Any:
    """Return a value with a list of a string instead of its last one."""
    if isinstance(value, list) and value:
        return [*value[:-1], _replace_last(value[-1])]
    if isinstance(value, dict) and value:
        name = [*value][-1]
        return {**value, name: _replace_last(value[name])}
    return [PRIVATE]
