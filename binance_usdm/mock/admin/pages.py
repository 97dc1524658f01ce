"""Responses with the pages for people: the admin page and the HTTP page."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache

from binance_usdm.mock.core.response import HTML, Reply
from binance_usdm.mock.engine import Engine
from binance_usdm.mock.state.accounts import DEFAULT_API_SECRET

from .assets import read_asset
from .http_page import render_http_page
from .markup import Markup, fill_template


@cache
def admin_page_response() -> Reply:
    """Return the admin page."""
    values = {
        "DEFAULT_API_SECRET": DEFAULT_API_SECRET,
        "PALETTE": Markup(read_asset("palette.css")),
        "PRETTY_JSON": Markup(read_asset("pretty_json.js")),
    }
    return _page_response(fill_template(read_asset("page.html"), values).encode())


def http_page_response(engine: Engine, language: str) -> Reply:
    """Return the HTTP page of an exchange, locked, in a language."""
    return _page_response(render_http_page(engine, language))


def _page_response(page: bytes) -> Reply:
    headers = (
        (b"Content-Type", HTML + b"; charset=utf-8"),
        (b"Content-Security-Policy", _content_security_policy(page)),
        (b"Referrer-Policy", b"no-referrer"),
    )
    return Reply(200, headers, page)


def _content_security_policy(page: bytes) -> bytes:
    """Return a policy that allows the page's own style and script, and requests to its host."""
    rules = [
        "default-src 'none'",
        "connect-src 'self'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    for tag in ("style", "script"):
        _, content, _ = re.split(rf"</?{tag}>".encode(), page)
        digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
        rules.append(f"{tag}-src 'sha256-{digest}'")
    return "; ".join([*rules, "frame-ancestors 'none'"]).encode()
