"""Admin API: routing and request validation.

`openapi.json` describes the API, and requests are validated against it. The handlers are in
`resources`, the rules for who may use them in `access`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from functools import cache
from typing import Any, Final

from binance_usdm.mock.core.query import Query
from binance_usdm.mock.core.response import Reply, json_response
from binance_usdm.mock.core.strict_json import loads
from binance_usdm.mock.engine import Engine
from binance_usdm.mock.scenario.document import schema_text
from binance_usdm.mock.spec.json_values import iter_errors
from binance_usdm.mock.spec.schema import compile_validator

from .access import AccessRule, Headers, has_json_content_type
from .assets import read_asset
from .pages import admin_page_response, http_page_response
from .resources import RESOURCES
from .views import Handler, Params

ADMIN_PREFIX: Final = "/__admin"
ADMIN_BODY_LIMIT: Final = 4 * 1024 * 1024

# For browsers. Programs may send the token as Bearer as well.
_CHALLENGE: Final = b'Basic realm="admin API of the mock exchange: any name, and the admin token"'
_SECURITY_HEADERS: Final = (
    (b"Cache-Control", b"no-store"),
    (b"X-Content-Type-Options", b"nosniff"),
)


class AdminApi:
    """Admin API of an exchange.

    Args:
        engine: Exchange to show and to change.
        scheme: "http" or "https", as the server is reached.
        token: Admin token, with which clients of any address are allowed. `None` for none.

    Raises:
        ValueError: The token is not valid.
    """

    prefix = ADMIN_PREFIX
    body_limit = ADMIN_BODY_LIMIT

    def __init__(self, engine: Engine, scheme: str = "http", token: str | None = None) -> None:
        self._engine = engine
        self._access_rule = AccessRule(scheme, token)

    def handle(
        self, method: str, path: str, query: bytes, headers: Headers, body: bytes, address: str
    ) -> Reply:
        """Respond to a request.

        Args:
            method: HTTP method.
            path: Raw path, without the query.
            query: Raw query.
            headers: Header names and values.
            body: Raw body.
            address: IP address of the client.
        """
        headers = tuple(headers)
        problem = self._access_rule.find_problem(headers, address)
        if problem is None:
            reply = self._dispatch(method, path, query, headers, body)
        else:
            reply = _error_response(*problem)
            if reply.status == 401:
                reply = reply.with_header(b"WWW-Authenticate", _CHALLENGE)
        return replace(reply, headers=(*reply.headers, *_SECURITY_HEADERS))

    def _dispatch(
        self, method: str, path: str, query: bytes, headers: Headers, body: bytes
    ) -> Reply:
        path = path if path != ADMIN_PREFIX else f"{ADMIN_PREFIX}/"
        methods = [known_method for known_method, known_path in _ROUTES if known_path == path]
        if not methods:
            return _error_response(
                404, f"unknown resource; {ADMIN_PREFIX}/openapi.json lists all resources"
            )
        if method not in methods:
            allowed = ", ".join(methods)
            return _error_response(405, f"use {allowed}").with_header(b"Allow", allowed.encode())
        if len(body) > ADMIN_BODY_LIMIT:
            return _error_response(413, f"send at most {ADMIN_BODY_LIMIT} bytes")
        operation = admin_spec()["paths"][path][method.lower()]
        if "requestBody" in operation and not has_json_content_type(headers):
            return _error_response(403, "send Content-Type: application/json with every write")
        try:
            params = _parse_query(operation, query) | _parse_body(operation, body)
            with self._engine.lock:
                result = _ROUTES[method, path](self._engine, params)
        # The message says what is not valid, or which package to install.
        except (ValueError, ImportError) as error:
            return _error_response(400, str(error))
        return result if isinstance(result, Reply) else json_response(200, result)


def _error_response(status: int, text: str) -> Reply:
    return json_response(status, {"error": text})


def _parse_query(operation: Params, query: bytes) -> dict[str, Any]:
    schemas = {
        parameter["name"]: parameter["schema"] for parameter in operation.get("parameters", ())
    }
    sent = Query.parse(query).pairs
    if not schemas.keys() >= {name for name, _ in sent} or len(dict(sent)) < len(sent):
        raise ValueError(f"the query may have {', '.join(schemas) or 'no parameters'}, each once")
    params = {name: schema.get("default") for name, schema in schemas.items()}
    for name, text in sent:
        schema = schemas[name]
        if compile_validator(schema)(text) is not None:
            raise ValueError(
                f"{name} must be an integer from {schema['minimum']} to {schema['maximum']}"
            )
        params[name] = int(text)
    return params


def _parse_body(operation: Params, body: bytes) -> dict[str, Any]:
    if "requestBody" not in operation:
        return {}
    value = loads(body)
    if isinstance(value, dict):
        value = {name: _integer_from_decimal(field) for name, field in value.items()}
    content = _resolve_ref(operation["requestBody"])["content"]["application/json"]
    for path, problem in iter_errors(content["schema"], value, _resolve_ref, "the body"):
        raise ValueError(f"{path} {problem}")
    return dict(value)


def _integer_from_decimal(value: Any) -> Any:
    """Convert a Decimal without a fraction to an int: 1.0 is an integer in JSON Schema."""
    if isinstance(value, Decimal) and value == value.to_integral_value():
        return int(value)
    return value


def _resolve_ref(node: Params) -> Params:
    """Follow the reference of a node into the components of the admin spec, if it has one."""
    section, _, name = node.get("$ref", "").removeprefix("#/components/").partition("/")
    resolved: Params = admin_spec()["components"][section][name] if name else node
    return resolved


@cache
def admin_spec() -> Mapping[str, Any]:
    """Return the OpenAPI document of the admin API, with the definitions of scenarios."""
    spec: dict[str, Any] = json.loads(read_asset("openapi.json"))
    definitions = json.loads(schema_text().replace("#/$defs/", "#/components/schemas/"))["$defs"]
    spec["components"]["schemas"] |= definitions
    return spec


_ROUTES: Final[Mapping[tuple[str, str], Handler]] = {
    ("GET", f"{ADMIN_PREFIX}/"): lambda engine, params: admin_page_response(),
    ("GET", f"{ADMIN_PREFIX}/http"): lambda engine, params: http_page_response(engine, "en"),
    ("GET", f"{ADMIN_PREFIX}/http/zh"): lambda engine, params: http_page_response(engine, "zh"),
    ("GET", f"{ADMIN_PREFIX}/openapi.json"): lambda engine, params: admin_spec(),
    **{
        (method, f"{ADMIN_PREFIX}/{name}"): handler for (method, name), handler in RESOURCES.items()
    },
}
