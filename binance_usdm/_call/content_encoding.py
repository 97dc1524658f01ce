"""Decode the Content-Encoding of a response body."""

from __future__ import annotations

import zlib
from typing import Final

from binance_usdm._http.messages import HttpResponse
from binance_usdm_wire import ResponseMismatch

_ENCODINGS: Final = {
    "gzip": 16 + zlib.MAX_WBITS,
    "x-gzip": 16 + zlib.MAX_WBITS,
    "deflate": zlib.MAX_WBITS,
}


def decode_content(response: HttpResponse, limit: int) -> bytes:
    """Return the body without its Content-Encoding.

    Args:
        response: The response. The client never asks for a compressed one.
        limit: Maximum size of a body that was compressed, in bytes.

    Raises:
        ResponseMismatch: The body is not in the encoding that the header names, or is too large.
    """
    if response.headers.get_bytes(b"content-encoding") is None:
        return response.body
    encoding = response.headers["content-encoding"].strip().lower()
    if encoding in {"identity", ""}:
        return response.body
    if encoding not in _ENCODINGS:
        raise ResponseMismatch((), "a body as requested", "an unknown content encoding")
    inflater = zlib.decompressobj(_ENCODINGS[encoding])
    try:
        body = inflater.decompress(response.body, limit)
    except zlib.error:
        raise ResponseMismatch((), f"a body in {encoding}", "invalid data") from None
    if inflater.unconsumed_tail:
        raise ResponseMismatch((), f"at most {limit} bytes", "more")
    if not inflater.eof or inflater.unused_data:
        raise ResponseMismatch(
            (), f"a body in {encoding}", "incomplete data or bytes after its end"
        )
    return body
