"""What the content delivery network in front of the exchange does to responses."""

from __future__ import annotations

import gzip
import re
from dataclasses import replace
from typing import Final

from binance_usdm.mock.core.response import Reply
from binance_usdm.mock.core.switches import Switches

from .request_log import Headers

# The coding `gzip` with a quality above 0: RFC 9110, 12.5.3.
_GZIP_ACCEPTED: Final = re.compile(rb"(?i)\bgzip\b(?!\s*;\s*q=0(?:\.0*)?(?![.0-9]))")


def pass_on(reply: Reply, request_headers: Headers, switches: Switches) -> Reply:
    """Return a response as the network passes it on.

    It may compress the body and write header names in lower case.

    Args:
        reply: Response of the exchange.
        request_headers: Header names and values of the request.
        switches: Settings of the exchange.
    """
    if switches.gzip and _accepts_gzip(request_headers) and not _has_content_encoding(reply):
        reply = replace(reply, body=gzip.compress(reply.body, mtime=0))
        reply = reply.with_header(b"Content-Encoding", b"gzip")
    if switches.lower_case_headers:
        headers = tuple((name.lower(), value) for name, value in reply.headers)
        reply = replace(reply, headers=headers)
    return reply


def _has_content_encoding(reply: Reply) -> bool:
    return any(name.lower() == b"content-encoding" for name, _ in reply.headers)


def _accepts_gzip(headers: Headers) -> bool:
    accepted = [value for name, value in headers if name.lower() == b"accept-encoding"]
    return _GZIP_ACCEPTED.search(b",".join(accepted)) is not None
