"""The table of small changes of a valid request: to a server, and to a mock in this process."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from binance_usdm.contract._cases.signing import compute_signature
from binance_usdm.contract._spec.document import Json

from .expected_responses import (
    accepted,
    known_form,
    missing_and_unknown,
    missing_signature,
    moved_signature,
    rejected,
    replayed,
    unknown_method,
    unknown_parameter,
    unknown_path,
    without_credentials,
)
from .value_variants import iter_repeated, iter_times, iter_values
from .variant_builder import Builder
from .variants import Expectation, Variant

VALID: Final = "a valid request"
METHODS: Final = ("PUT", "PATCH")


def iter_variants(build: Builder) -> Iterator[Variant]:
    """Yield all variants, the valid request first.

    Each is made when it is taken, so that its timestamp is that of the moment.
    """
    yield build.build(VALID, build.query(), accepted)
    for variants in TABLE:
        yield from variants(build)


def iter_routes(build: Builder) -> Iterator[Variant]:
    """Yield other methods and paths."""
    operation = build.operation
    for method in METHODS:
        if method.lower() not in operation.document["paths"][operation.path]:
            variant = build.build(f"method {method}", build.query(), unknown_method)
            yield replace(variant, method=method)
    path = f"{operation.sample_path}/x"
    yield replace(build.build("an unknown path", build.query(), unknown_path), path=path)
    nothing = build.build("an unknown path without anything else", "", unknown_path)
    yield replace(nothing, path=path, key=None)


def iter_unknown(build: Builder) -> Iterator[Variant]:
    """Yield what the operation does not need: other parameters, those of signing, and a key."""
    operation = build.operation
    yield build.build("an unknown parameter", build.query("noSuchParameter=1"), unknown_parameter)
    known = {each["name"] for each in operation.declared} | {operation.signature}
    for name in sorted(_signing_names(operation.document, "query") - known):
        query = "&".join([*build.pairs(), f"{name}={build.now(0)}"])
        yield build.build(f"{name}, which is not needed", build.sign([query]), unknown_parameter)
    for header in _signing_names(operation.document, "header") - {operation.key_header}:
        variant = build.build("a key that is not needed", build.query(), accepted)
        yield replace(variant, key_header=header)


def iter_names(build: Builder) -> Iterator[Variant]:
    """Yield names in another writing, and a header's in another case, which it may have."""
    if build.operation.key_header:
        variant = build.build("the key header in small letters", build.query(), accepted)
        yield replace(variant, key_header=build.operation.key_header.lower())
    required = {each["name"] for each in build.operation.declared if each.get("required")}
    pairs = _all_pairs(build)
    for index, pair in enumerate(pairs):
        name, _, text = pair.partition("=")
        expect = missing_and_unknown if name in required else unknown_parameter
        others = {"in capitals": name.upper(), "in small letters": name.lower()}
        for what, other in {**others, "behind a space": f"%20{name}"}.items():
            if other != name:
                changed = [*pairs[:index], f"{other}={text}", *pairs[index + 1 :]]
                yield build.build(f"{name} {what}", build.sign(changed), expect)


def iter_orders(build: Builder) -> Iterator[Variant]:
    """Yield the parameters in another order."""
    pairs = _all_pairs(build)
    yield build.build("parameters in another order", build.sign(pairs[::-1]), accepted)


def iter_keys(build: Builder) -> Iterator[Variant]:
    """Yield other keys, and none."""
    key = build.api_key
    if build.operation.key_header is None:
        return
    for what, missing in {"no key": None, "an empty key": ""}.items():
        yield replace(build.build(what, build.query(), rejected(key=-2014)), key=missing)
    others = {"an unknown key": _other_end(key), "a key in the other case": key.swapcase()}
    for what, other in {**others, "a cut key": key[:-1]}.items():
        if other not in ("", key):
            yield replace(build.build(what, build.query(), known_form(other)), key=other)


def iter_missing(build: Builder) -> Iterator[Variant]:
    """Yield a request without key, timestamp and signature: the key is missed first."""
    if build.operation.key_header:
        expect = without_credentials(build.operation.signature is not None)
        query = build.operation.required_query
        yield replace(build.build("nothing that signing adds", query, expect), key=None)


def iter_signatures(build: Builder) -> Iterator[Variant]:
    """Yield other signatures, and signatures at other places."""
    name, secret = build.operation.signature, build.api_secret
    if name is None:
        return
    wrong = rejected(signature=-1022)
    changes: dict[str, tuple[Callable[[str, str], str], Expectation]] = {
        "in uppercase": (lambda payload, digits: digits.upper(), accepted),
        "with another last digit": (lambda payload, digits: _other_end(digits), wrong),
        "with another first digit": (lambda payload, digits: _other_end(digits[::-1])[::-1], wrong),
        "that was cut": (lambda payload, digits: digits[:-2], wrong),
        "that is too long": (lambda payload, digits: f"{digits}00", wrong),
        "before a space": (lambda payload, digits: f"{digits}%20", wrong),
        "over other bytes": (lambda payload, _: compute_signature(f"{payload}&", secret), wrong),
        "over nothing": (lambda payload, digits: compute_signature("", secret), wrong),
        "of another secret": (lambda payload, _: compute_signature(payload, f"{secret}x"), wrong),
        "that is empty": (lambda payload, digits: "", missing_signature),
    }
    for what, (change, expect) in changes.items():
        # A time of its own for each, so that no two requests are equal.
        payload = "&".join(build.pairs())
        text = change(payload, compute_signature(payload, secret))
        yield build.build(f"a signature {what}", f"{payload}&{name}={text}", expect)
    payload = "&".join(build.pairs())
    first = f"{name}={compute_signature(payload, secret)}&{payload}"
    yield build.build("a signature that is not the last", first, moved_signature)
    yield build.build("no signature", "&".join(build.pairs()), missing_signature)
    encoded = re.sub(r"=([0-9])", r"=%3\1", "&".join(build.pairs()))
    yield build.build("percent-encoded digits", build.sign([encoded]), accepted)
    yield replace(build.build("a request sent again", build.query(), replayed), times=2)


TABLE: Final = (
    iter_routes,
    iter_unknown,
    iter_names,
    iter_orders,
    iter_repeated,
    iter_values,
    iter_keys,
    iter_missing,
    iter_signatures,
    iter_times,
)


def _all_pairs(build: Builder) -> list[str]:
    """Return the pairs of a valid query, with the window."""
    name = build.operation.window
    return build.pairs(*([build.pair(name)] if name else []))


def _signing_names(document: Json, place: str) -> set[str]:
    """Return the names of what signing adds to some operation, in the query or as a header."""
    components = document.get("components", {})
    nodes = [components.get(kind, {}) for kind in ("parameters", "securitySchemes")]
    each_node = [each for node in nodes for each in node.values()]
    return {
        each["name"] for each in each_node if each.get("x-signing-role") and each.get("in") == place
    }


def _other_end(text: str) -> str:
    """Return text of the same length that ends in another character."""
    return text[:-1] + "10"[text[-1:] == "1"]
