"""What is said about an argument that cannot be used: the rule in words, and the value's shape."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from binance_usdm import (
    AsyncClient,
    AsyncTransport,
    Client,
    ConfigurationError,
    Ed25519Signer,
    HmacSigner,
    RedisLimiter,
    RetryPolicy,
    SyncTransport,
    WeightLimiter,
    reset_shared_state,
)
from binance_usdm._cli import arguments
from binance_usdm._config.options import ClientOptions
from binance_usdm._secrets import describe_value
from binance_usdm.mock import Exchange, Switches
from tests.support.clients import KEY, SECRET

CANARY = "ValueCanary577215"
# Signs of a regular expression or of a repr, neither of which is words.
NOT_WORDS = re.compile(r"\^|\$|\[0-9|\\d|\(\?|<[a-z_]+ object|0x[0-9a-f]+|Canary|4711")
SHAPE = re.compile(
    r"not (None|True|False|an empty (string|bytes)|a (string|bytes object) of "
    r"(1 (character|byte)|(?!1 )\d+ (characters|bytes))"
    r"|(a|an|the) (negative |positive |infinite )?(integer|float|Decimal)( 0| that is (0|NaN))?"
    r"|the class \w+|an object of type \w+|a (smaller|larger) one)"
)
WRONG: tuple[Any, ...] = (
    object(), CANARY, CANARY.encode(), "", b"", -4711, 0, float("nan"), float("inf"), -0.5,
    Decimal(-4711), Decimal("sNaN"), [CANARY], {CANARY: CANARY}, int, True,
)  # fmt: skip


def client(option: str) -> Callable[[Any], object]:
    return lambda value: Client(**{"api_key": KEY, "api_secret": SECRET, option: value})


def async_client(option: str) -> Callable[[Any], object]:
    return lambda value: AsyncClient(**{"api_key": KEY, "api_secret": SECRET, option: value})


def transport(kind: Any, option: str) -> Callable[[Any], object]:
    return lambda value: kind(**{option: value})


def signer(value: Any) -> object:
    return Client(KEY, signer=value)


def call(value: Any) -> object:
    return Client(KEY, SECRET).balance(recv_window=value)


ARGUMENTS: dict[str, Callable[[Any], object]] = {
    **{f"Client.{option}": client(option) for option in ClientOptions.__annotations__},
    **{f"AsyncClient.{option}": async_client(option) for option in ClientOptions.__annotations__},
    "Client.signer": signer,
    "balance.recv_window": call,
    "HmacSigner.api_secret": HmacSigner,
    "from_pem.private_key": Ed25519Signer.from_pem,
    "Ed25519Signer.sign": Ed25519Signer,
    **{
        f"{kind.__name__}.{name}": transport(kind, name)
        for kind in (SyncTransport, AsyncTransport)
        for name in ("max_connections", "keepalive_expiry", "share_connections", "ssl_context")
    },
    "SyncTransport.proxy": SyncTransport,
    "WeightLimiter.limit": lambda value: WeightLimiter(value),
    "WeightLimiter.share": lambda value: WeightLimiter(share=value),
    "RedisLimiter.url": RedisLimiter,
    "RedisLimiter.timeout": lambda value: RedisLimiter("redis://127.0.0.1", timeout=value),
    "RetryPolicy.attempts": lambda value: RetryPolicy(attempts=value),
    "reset_shared_state.base_url": reset_shared_state,
}
# What says how to write a URL, key or option instead of the value's shape: a secret may be in it.
SHAPELESS = {"api_key", "api_secret", "base_url", "proxy", "url", "timeout", "transport",
             "allow_http_hosts", "private_key", "sign", "signer", "password", "retry", "clock"}  # fmt: skip


@pytest.mark.parametrize("name", ARGUMENTS)
def test_every_argument_has_its_rule_in_words(name: str) -> None:
    """Each value that is rejected gets the option's name, the rule, and its own shape at most."""
    option = name.rpartition(".")[2]
    rejected = 0
    for value in WRONG:
        try:
            ARGUMENTS[name](value)
        except ConfigurationError as error:
            text = str(error)
            rejected += 1
        else:
            continue
        assert text.startswith(option) or option in text.split("; ")[0], f"{value!r}: {text}"
        assert not NOT_WORDS.search(text), f"{value!r}: {text}"
        shape = SHAPE.search(text)
        assert shape or option in SHAPELESS, f"{value!r}: {text}"
        assert 15 < len(text) < 300, text
    assert rejected >= 4


@pytest.mark.parametrize(
    ("value", "shape"),
    [
        (None, "None"), (True, "True"), ("", "an empty string"), (b"", "an empty bytes"),
        (CANARY, "a string of 17 characters"), (b"ab", "a bytes object of 2 bytes"),
        ("a", "a string of 1 character"), (b"a", "a bytes object of 1 byte"),
        (0, "the integer 0"), (4711, "a positive integer"), (-4711, "a negative integer"),
        (0.0, "a float that is 0"), (-1.5, "a negative float"), (Decimal("NaN"), "a Decimal that is NaN"),
        (Decimal("sNaN"), "a Decimal that is NaN"), (float("inf"), "an infinite float"),
        (int, "the class int"), ([CANARY], "an object of type list"),
    ],
)  # fmt: skip
def test_a_shape_is_not_the_value(value: object, shape: str) -> None:
    assert describe_value(value) == shape


def parsers() -> dict[str, Callable[[str], object]]:
    return {
        "recv_window": arguments.parse_recv_window,
        "seconds": arguments._parse_seconds,
        "decimal": arguments._parse_decimal,
        "bool": arguments._parse_bool,
        "base_url": arguments._parse_base_url,
        "proxy": arguments._parse_proxy,
    }


@pytest.mark.parametrize("name", parsers())
def test_the_command_says_rules_in_words(name: str) -> None:
    """A parser of the command repeats neither a pattern nor the value."""
    for text in (CANARY, "", "-4711x"):
        with pytest.raises(argparse.ArgumentTypeError) as caught:
            parsers()[name](text)
        assert not NOT_WORDS.search(str(caught.value)), str(caught.value)


SWITCHES = [name for name in Switches.__dataclass_fields__ if name != "key_format"]


@pytest.mark.parametrize("switch", SWITCHES)
def test_the_mock_says_rules_in_words(switch: str) -> None:
    """A switch that cannot be set names itself and what it may be."""
    for value in (object(), [CANARY], CANARY, -4711):
        problem = switch
        try:
            Switches().with_changes({switch: value})
        except ValueError as error:
            problem = str(error)
        assert problem.startswith(switch)
        assert not NOT_WORDS.search(problem), problem


MOCK: dict[str, Callable[[Exchange], object]] = {
    "seconds": lambda exchange: exchange.ban(seconds=0),
    "times": lambda exchange: exchange.fail("waf", times=0),
    "nth": lambda exchange: exchange.fail("waf", nth=0),
    "probability": lambda exchange: exchange.fail("waf", probability=2),
    "unknown fault": lambda exchange: exchange.fail("nothing"),
    "unknown operation": lambda exchange: exchange.fail("waf", operation="nothing"),
}


@pytest.mark.parametrize("option", MOCK)
def test_the_mock_names_its_option(option: str) -> None:
    with pytest.raises(ValueError, match=option) as caught:
        MOCK[option](Exchange())
    assert not NOT_WORDS.search(str(caught.value))
