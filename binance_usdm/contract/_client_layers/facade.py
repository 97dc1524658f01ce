"""A client as an ASGI application, so that schemathesis can call it."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import quote

from binance_usdm import APIError, ConfigurationError
from binance_usdm.contract._client_layers.calls import RecordedCall, arguments_of, call_method
from binance_usdm.contract._client_layers.sdk import RecordingTransport
from binance_usdm.contract._spec.document import Json
from binance_usdm.contract._spec.operations import Operation, operations


class Facade:
    """The ASGI application around a client; `calls` has every call by the id of its case."""

    def __init__(self, document: Json, client: Any, transport: RecordingTransport) -> None:
        self.calls: dict[str, RecordedCall] = {}
        self._operations = operations(document)
        self._client, self._transport = client, transport

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            # The end of a lifespan.
            return
        operation, in_path = self._find(scope["method"], scope["path"])
        status, body = 404, {"code": -5000, "msg": "no such method"}
        headers = [(b"content-type", b"application/json")]
        if operation is not None:
            query = "&".join([*in_path, scope["query_string"].decode()])
            call = RecordedCall(arguments_of(operation, query))
            self.calls[dict(scope["headers"])[b"x-schemathesis-testcaseid"].decode()] = call
            self._transport.sent = call.sent
            response = await call_method(self._client, operation, call)
            if response is None:
                status, body = _error_response(call.error)
            else:
                status, body = response.status_code, call.parsed
                headers.append((b"x-mbx-used-weight-1m", str(response.used_weight).encode()))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        text = json.dumps(body, default=float)
        await send({"type": "http.response.body", "body": text.encode()})

    def _find(self, method: str, path: str) -> tuple[Operation | None, list[str]]:
        """Return the operation of a path, and the parameters in the path as pairs of a query."""
        for operation in self._operations:
            pattern = re.sub(r"\\\{([^}]+)\\\}", "([^/]*)", re.escape(operation.path))
            match = re.fullmatch(pattern, path)
            if match is not None and method == operation.method:
                names = re.findall(r"\{([^}]+)\}", operation.path)
                pairs = zip(names, match.groups(), strict=True)
                return operation, [f"{name}={quote(text, safe='')}" for name, text in pairs]
        return None, []


def _error_response(error: Exception | None) -> tuple[int, dict[str, Any]]:
    if isinstance(error, ConfigurationError):
        return 400, {"code": -1100, "msg": str(error)}
    if isinstance(error, APIError):
        return error.status, {"code": error.code, "msg": error.message}
    return 500, {"msg": str(error)}
