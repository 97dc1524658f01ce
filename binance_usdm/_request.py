"""A request of one attempt: stamped, signed over exactly the bytes that are sent, and complete. Sends nothing, decides nothing."""

from __future__ import annotations

import time
from functools import cache
from typing import Any

import httpx

from binance_usdm_wire import BadArgument, Operation

from . import _config as config
from ._clock import Clock
from ._errors import ConfigurationError
from ._signing import Sealed, signature

_EMPTY = httpx.ByteStream(b"")


class Request(httpx.Request):
    """A request whose repr tells nothing of its query; `hidden` is what no text of the exchange may show."""

    hidden: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.url.path}>"


class Requests(Sealed):
    """Makes the requests of one client: the only place that holds its credentials."""

    __slots__ = ("_credentials", "_direct", "_headers", "_prefix", "_recv_window", "url")

    def __init__(
        self, credentials: config.Credentials, url: httpx.URL, recv_window: int | None, *, direct: bool
    ) -> None:
        self.url = url
        self._credentials = credentials
        self._prefix = url.raw_path.rstrip(b"/")
        self._headers = cache(lambda key_header: config.headers(url, key_header, credentials.api_key))
        self._recv_window = recv_window
        self._direct = direct  # the transport reads our extensions

    def query(self, operation: Operation[Any], arguments: dict[str, Any]) -> dict[str, str]:
        """The parameters a caller decides on; raises ConfigurationError for what the spec does not allow."""
        if operation.key_header is not None and self._credentials.api_key is None:
            raise ConfigurationError(f"{operation.id} needs an API key")
        if operation.signing is not None and self._credentials.signer is None:
            raise ConfigurationError(f"{operation.id} is signed: it needs an API secret or a signer")
        try:
            query = operation.query(**arguments)
        except BadArgument as error:
            complaint = str(error)
        else:
            if operation.signing is not None and operation.signing.window is not None and self._recv_window is not None:
                query.setdefault(operation.signing.window, str(self._recv_window))
            return query
        raise ConfigurationError(complaint)

    def made(self, operation: Operation[Any], query: dict[str, str], clock: Clock, **extensions: Any) -> Request:
        """A request for one attempt; `extensions` go to the transport, `deadline` (time.monotonic()) among them."""
        signing, signer = operation.signing, self._credentials.signer
        proof = b""
        if signing is None or signer is None:
            sent = _encoded(query)
        else:
            now = clock()
            if type(now) is not int:
                raise ConfigurationError("clock must return whole milliseconds, as an int")
            payload = _encoded({**query, signing.timestamp: str(now)})
            proof = signature(signer, payload)
            sent = b"%b&%b=%b" % (payload, signing.signature.encode("ascii"), proof)
        target = self._prefix + operation.path.encode("ascii") + (b"?" + sent if sent else b"")
        if self._direct:  # parsing a URL costs more than all the rest of a request
            url, extensions["target"] = self.url, target
        else:
            left = max(extensions["deadline"] - time.monotonic(), 0.001)
            extensions["timeout"] = dict.fromkeys(("connect", "read", "write", "pool"), left)
            url = self.url.copy_with(raw_path=target)
        headers = self._headers(operation.key_header)
        request = Request(operation.method, url, headers=headers, stream=_EMPTY, extensions=extensions)
        request.hidden = (self._credentials.api_key or "", proof.decode("ascii"))
        return request


def _encoded(query: dict[str, str]) -> bytes:
    return "&".join([f"{name}={text}" for name, text in query.items()]).encode("ascii")
