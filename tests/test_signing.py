"""Signatures against the exchange's own printed examples. What a client sends is signed in test_client.py and test_seams.py."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from binance_usdm import ConfigurationError, HmacSigner, Signer
from binance_usdm._signing import signature

DATA = json.loads(Path(__file__).parent.joinpath("data/signature_vectors.json").read_text(encoding="utf-8"))


def signed(vector: dict[str, Any], payload: str) -> str:
    signer: Signer = HmacSigner(DATA["secrets"][vector["secret"]])
    return signature(signer, payload.encode("ascii")).decode("ascii")


@pytest.mark.parametrize("vector", DATA["vectors"], ids=lambda vector: vector["name"])
def test_a_signature_is_the_printed_one(vector: dict[str, Any]) -> None:
    assert signed(vector, vector["payload"]) == vector["signature"]


@pytest.mark.parametrize("vector", DATA["unusable"], ids=lambda vector: vector["name"])
def test_an_example_that_is_printed_wrong_stays_unused_because_of_a_stray_blank(vector: dict[str, Any]) -> None:
    assert signed(vector, vector["payload"]) == vector["signature"] != vector["printed"]
    assert signed(vector, vector["printed_is_over"]) == vector["printed"]
    assert vector["printed_is_over"].replace(" ", "") == vector["payload"]


def test_every_vector_names_its_source() -> None:
    every = DATA["vectors"] + DATA["unusable"]
    assert {vector["source"] for vector in every} == set(DATA["sources"])
    assert len({vector["signature"] for vector in every}) == len(every)


def test_the_order_of_a_query_and_the_case_of_a_secret_matter() -> None:
    first, second = b"recvWindow=1&timestamp=2", b"timestamp=2&recvWindow=1"
    assert len({HmacSigner(secret).sign(payload) for secret in ("aB", "ab") for payload in (first, second)}) == 4
    assert HmacSigner("aB").sign(first) == HmacSigner("aB").sign(first)


@pytest.mark.parametrize("made", [b"0a", b"A%2Fb%3D", b"a-._~"])
def test_hex_and_percent_encoded_base64_can_go_on_the_wire(made: bytes) -> None:
    class Fixed:
        def sign(self, payload: bytes) -> bytes:
            return made

    assert signature(Fixed(), b"x") == made


def test_base64_that_is_not_percent_encoded_is_refused_without_showing_it() -> None:
    class Raw:
        def sign(self, payload: bytes) -> bytes:
            return b"ab+/cd=="

    with pytest.raises(ConfigurationError, match="percent-encoded") as caught:
        signature(Raw(), b"x")
    assert "cd" not in str(caught.value).replace("encoded", "")
