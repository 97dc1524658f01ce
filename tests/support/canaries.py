"""Canaries: fake secrets that must not show anywhere.

Tests keep them in globals, so that no frame of a test holds one. The secret leak detector knows
them in all tests.
"""

from __future__ import annotations

import asyncio
import base64
import pickle
import pprint
import traceback
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs

import httpx

from tests.support.paths import TESTS
from tests.support.secret_leaks import WATCH, secret_encodings

KEY, SECRET, PASSWORD = "KeyCanary618033", "SecretCanary141421", "PasswordCanary271828"
# The own signer's, and all that handlers have seen.
SIGNATURE, SIGNATURES = ("SignatureCanary314159", list[str]())
# The form in which a proxy gets it.
PROXY_LOGIN = base64.b64encode(f"user:{PASSWORD}".encode()).decode()
WATCH.add_secrets(KEY, SECRET, PASSWORD, PROXY_LOGIN, SIGNATURE)
CANARIES = {
    form
    for secret in (KEY, SECRET, PASSWORD, PROXY_LOGIN, SIGNATURE)
    for form in (secret, *secret_encodings(secret))
}


class CustomSigner:
    """A signer of the user's own, whose signature can be looked for."""

    def sign(self, payload: bytes) -> bytes:
        return SIGNATURE.encode()


def holds_no_canary(text: str) -> bool:
    """Whether a text holds none of the secrets, in no form and no case."""
    text = text.lower()
    made = {form for signature in SIGNATURES[-50:] for form in secret_encodings(signature)}
    return not any(form in text for form in CANARIES | made)


def remember_signature(request: httpx.Request) -> httpx.Request:
    SIGNATURES.extend(parse_qs(request.url.query.decode()).get("signature", []))
    return request


def mock_transport(
    make: Callable[[httpx.Request], httpx.Response | BaseException],
) -> httpx.MockTransport:
    def handle(request: httpx.Request) -> httpx.Response:
        made = make(remember_signature(request))
        if isinstance(made, BaseException):
            raise made
        return made

    return httpx.MockTransport(handle)


def _is_foreign(file: Path) -> bool:
    return file.is_relative_to(TESTS) or file.parent == Path(asyncio.__file__).parent


def crash_report(error: BaseException) -> str:
    """Return all that a program could print about an error, with the locals of every frame."""
    frames = error.__traceback__
    while frames is not None and _is_foreign(Path(frames.tb_frame.f_code.co_filename)):
        frames = frames.tb_next
    assert frames is not None, "the error comes from the test itself"
    printed = traceback.TracebackException(type(error), error, frames, capture_locals=True)
    return "\n".join(
        [
            *printed.format(),
            str(error),
            repr(error),
            pprint.pformat(vars(error)),
            repr(pickle.dumps(error)),
        ]
    )
