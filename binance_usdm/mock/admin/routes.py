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
from binance_usdm.mock.core.response import HTML, Reply, json_response
from binance_usdm.mock.core.schema import compile_validator, iter_errors
from binance_usdm.mock.core.strict_json import loads
from binance_usdm.mock.engine import Engine

from .access import Headers, access_problem, has_json_content_type
from .resources import RESOURCES, Handler, Params

ADMIN_PREFIX: Final = "/__admin"
ADMIN_BODY_LIMIT: Final = 4 * 1024 * 1024

_ADMIN_SPEC: Final[Mapping[str, Any]] = json.loads(
    Path(__file__).with_name("openapi.json").read_bytes()
)
_PAGE: Final = Path(__file__).with_name("page.html").read_bytes()
_SECURITY_HEADERS: Final = (
    (b"Cache-Control", b"no-store"),
    (b"X-Content-Type-Options", b"nosniff"),
)


class AdminApi:
    """The admin interface of an exchange, as a plain function of bytes. Knows who may ask from ``guard``."""

    prefix = ADMIN_PREFIX
    body_limit = ADMIN_BODY_LIMIT

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def handle(
        self, method: str, path: str, query: bytes, headers: Headers, body: bytes, address: str
    ) -> Reply:
        """Answer one request: method, raw path, raw query, header pairs, body, the IP address it comes from."""
        headers = tuple(headers)
        no = access_problem(headers, address)
        reply = (
            _error_response(403, no) if no else self._dispatch(method, path, query, headers, body)
        )
        return replace(reply, headers=(*reply.headers, *_SECURITY_HEADERS))

    def _dispatch(
        self, method: str, path: str, query: bytes, headers: Headers, body: bytes
    ) -> Reply:
        path = path if path != ADMIN_PREFIX else f"{ADMIN_PREFIX}/"
        methods = [known for known, where in _ROUTES if where == path]
        if not methods:
            return _error_response(
                404, f"no such resource; {ADMIN_PREFIX}/openapi.json describes those there are"
            )
        if method not in methods:
            allowed = ", ".join(methods)
            return _error_response(405, f"use {allowed}").with_header(b"Allow", allowed.encode())
        if len(body) > ADMIN_BODY_LIMIT:
            return _error_response(413, f"send at most {ADMIN_BODY_LIMIT} bytes")
        operation = _ADMIN_SPEC["paths"][path][method.lower()]
        if "requestBody" in operation and not has_json_content_type(headers):
            return _error_response(403, "send Content-Type: application/json with every write")
        try:
            params = _parse_query(operation, query) | _parse_body(operation, body)
            with self._engine.lock:
                answer = _ROUTES[method, path](self._engine, params)
        except (ValueError, ImportError) as error:  # what is wrong with it, or what to install
            return _error_response(400, str(error))
        return answer if isinstance(answer, Reply) else json_response(200, answer)


def _error_response(status: int, text: str) -> Reply:
    return json_response(status, {"error": text})


def _parse_query(operation: Params, query: bytes) -> dict[str, Any]:
    known = {each["name"]: each["schema"] for each in operation.get("parameters", ())}
    sent = Query.parse(query).pairs
    if not {name for name, _ in sent} <= {*known} or len(dict(sent)) < len(sent):
        raise ValueError(f"the query may hold {', '.join(known) or 'nothing'}, each once")
    for name, text in sent:
        if compile_validator(known[name])(text) is not None:
            raise ValueError(
                f"{name} must be from {known[name]['minimum']} to {known[name]['maximum']}"
            )
    return {name: schema["default"] for name, schema in known.items()} | {
        name: int(text) for name, text in sent
    }


def _parse_body(operation: Params, body: bytes) -> dict[str, Any]:
    if "requestBody" not in operation:
        return {}
    value = loads(body)
    if isinstance(value, dict):
        value = {name: _integer_from_decimal(member) for name, member in value.items()}
    content = _resolve_ref(operation["requestBody"])["content"]["application/json"]
    for place, misfit in iter_errors(content["schema"], value, _resolve_ref, "the body"):
        raise ValueError(f"{place} {misfit}")
    return dict(value)


def _integer_from_decimal(member: Any) -> Any:
    """1.0 is an integer in JSON Schema."""
    return (
        int(member)
        if isinstance(member, Decimal) and member == member.to_integral_value()
        else member
    )


def _resolve_ref(node: Params) -> Params:
    """A node with its reference into the components followed."""
    kind, _, name = node.get("$ref", "").removeprefix("#/components/").partition("/")
    found: Params = _ADMIN_SPEC["components"][kind][name] if name else node
    return found


def _content_security_policy(page: bytes) -> bytes:
    """The page's own style and script, by their hashes, and calls to its own host; nothing else."""
    rules = [
        "default-src 'none'",
        "connect-src 'self'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    for kind in ("style", "script"):
        _, found, _ = re.split(rf"</?{kind}>".encode(), page)
        rules.append(
            f"{kind}-src 'sha256-{base64.b64encode(hashlib.sha256(found).digest()).decode()}'"
        )
    return "; ".join([*rules, "frame-ancestors 'none'"]).encode()


_PAGE_RESPONSE: Final = Reply(
    200,
    (
        (b"Content-Type", HTML + b"; charset=utf-8"),
        (b"Content-Security-Policy", _content_security_policy(_PAGE)),
        (b"Referrer-Policy", b"no-referrer"),
    ),
    _PAGE,
)

_ROUTES: Final[Mapping[tuple[str, str], Handler]] = {
    ("GET", f"{ADMIN_PREFIX}/"): lambda engine, given: _PAGE_RESPONSE,
    ("GET", f"{ADMIN_PREFIX}/openapi.json"): lambda engine, given: _ADMIN_SPEC,
    **{
        (method, f"{ADMIN_PREFIX}/{name}"): resource
        for (method, name), resource in RESOURCES.items()
    },
}
