"""The admin interface of a running exchange: who may, what came, whose turn it is. Knows no socket, and nothing of what is shown.

``openapi.json`` is its contract, and what a request may hold is read from there; ``resources`` shows and changes, ``guard`` refuses.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from binance_usdm.mock.core.query import Query
from binance_usdm.mock.core.response import HTML, Reply, told
from binance_usdm.mock.core.schema import judge, misfits
from binance_usdm.mock.core.strict_json import parsed
from binance_usdm.mock.engine import Engine

from .access import Headers, declares_json, objection
from .resources import RESOURCES, Given, Resource

PREFIX: Final = "/__admin"
BODY_LIMIT: Final = 4 * 1024 * 1024

_DOCUMENT: Final[Mapping[str, Any]] = json.loads(Path(__file__).with_name("openapi.json").read_bytes())
_PAGE: Final = Path(__file__).with_name("page.html").read_bytes()
_PLAIN: Final = ((b"Cache-Control", b"no-store"), (b"X-Content-Type-Options", b"nosniff"))


class Admin:
    """The admin interface of an exchange, as a plain function of bytes. Knows who may ask from ``guard``."""

    prefix = PREFIX
    body_limit = BODY_LIMIT

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def handle(self, method: str, path: str, query: bytes, headers: Headers, body: bytes, address: str) -> Reply:
        """Answer one request: method, raw path, raw query, header pairs, body, the IP address it comes from."""
        headers = tuple(headers)
        no = objection(headers, address)
        reply = _wrong(403, no) if no else self._answered(method, path, query, headers, body)
        return replace(reply, headers=(*reply.headers, *_PLAIN))

    def _answered(self, method: str, path: str, query: bytes, headers: Headers, body: bytes) -> Reply:
        path = path if path != PREFIX else f"{PREFIX}/"
        methods = [known for known, where in _ROUTES if where == path]
        if not methods:
            return _wrong(404, f"no such resource; {PREFIX}/openapi.json describes those there are")
        if method not in methods:
            allowed = ", ".join(methods)
            return _wrong(405, f"use {allowed}").with_header(b"Allow", allowed.encode())
        if len(body) > BODY_LIMIT:
            return _wrong(413, f"send at most {BODY_LIMIT} bytes")
        described = _DOCUMENT["paths"][path][method.lower()]
        if "requestBody" in described and not declares_json(headers):
            return _wrong(403, "send Content-Type: application/json with every write")
        try:
            given = _parameters(described, query) | _content(described, body)
            with self._engine.lock:
                answer = _ROUTES[method, path](self._engine, given)
        except (ValueError, ImportError) as error:  # what is wrong with it, or what to install
            return _wrong(400, str(error))
        return answer if isinstance(answer, Reply) else told(200, answer)


def _wrong(status: int, text: str) -> Reply:
    return told(status, {"error": text})


def _parameters(described: Given, query: bytes) -> dict[str, Any]:
    known = {each["name"]: each["schema"] for each in described.get("parameters", ())}
    sent = Query.parse(query).pairs
    if not {name for name, _ in sent} <= {*known} or len(dict(sent)) < len(sent):
        raise ValueError(f"the query may hold {', '.join(known) or 'nothing'}, each once")
    for name, text in sent:
        if judge(known[name])(text) is not None:
            raise ValueError(f"{name} must be from {known[name]['minimum']} to {known[name]['maximum']}")
    return {name: schema["default"] for name, schema in known.items()} | {name: int(text) for name, text in sent}


def _content(described: Given, body: bytes) -> dict[str, Any]:
    if "requestBody" not in described:
        return {}
    value = parsed(body)
    if isinstance(value, dict):
        value = {name: _whole(member) for name, member in value.items()}
    content = _resolve(described["requestBody"])["content"]["application/json"]
    for place, misfit in misfits(content["schema"], value, _resolve, "the body"):
        raise ValueError(f"{place} {misfit}")
    return dict(value)


def _whole(member: Any) -> Any:
    """1.0 is an integer in JSON Schema."""
    return int(member) if isinstance(member, Decimal) and member == member.to_integral_value() else member


def _resolve(node: Given) -> Given:
    """A node with its reference into the components followed."""
    kind, _, name = node.get("$ref", "").removeprefix("#/components/").partition("/")
    found: Given = _DOCUMENT["components"][kind][name] if name else node
    return found


def _policy(page: bytes) -> bytes:
    """The page's own style and script, by their hashes, and calls to its own host; nothing else."""
    rules = ["default-src 'none'", "connect-src 'self'", "img-src data:", "base-uri 'none'", "form-action 'none'"]
    for kind in ("style", "script"):
        _, found, _ = re.split(rf"</?{kind}>".encode(), page)
        rules.append(f"{kind}-src 'sha256-{base64.b64encode(hashlib.sha256(found).digest()).decode()}'")
    return "; ".join([*rules, "frame-ancestors 'none'"]).encode()


_SHOWN: Final = Reply(
    200,
    (
        (b"Content-Type", HTML + b"; charset=utf-8"),
        (b"Content-Security-Policy", _policy(_PAGE)),
        (b"Referrer-Policy", b"no-referrer"),
    ),
    _PAGE,
)

_ROUTES: Final[Mapping[tuple[str, str], Resource]] = {
    ("GET", f"{PREFIX}/"): lambda engine, given: _SHOWN,
    ("GET", f"{PREFIX}/openapi.json"): lambda engine, given: _DOCUMENT,
    **{(method, f"{PREFIX}/{name}"): resource for (method, name), resource in RESOURCES.items()},
}
