"""Whether somebody may use the admin interface: this machine's programs and its own page. Knows no resource of it."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

from binance_usdm.mock.core.accounts import normalize_ip

_HOST = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?", re.IGNORECASE)
_PROXY_HEADERS = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip")


Headers = Iterable[tuple[bytes, bytes]]


def access_problem(headers: Headers, address: str) -> str | None:
    """Why a request is refused, None if it is welcome.

    The socket tells the machine; Host betrays a foreign name that was pointed here (DNS rebinding); Origin and Sec-Fetch-Site tell
    the page that sent it.
    """
    sent = _headers_by_name(headers)
    host = sent.get("host", [])
    if not _is_loopback(address) or any(name in sent for name in _PROXY_HEADERS):
        return (
            "the admin interface is for programs on this machine only, without a proxy in between"
        )
    if len(host) != 1 or not _HOST.fullmatch(host[0]):
        return "the Host must be localhost, 127.0.0.1 or [::1]"
    if any(origin.lower() != f"http://{host[0].lower()}" for origin in sent.get("origin", [])):
        return "the admin interface answers no other site; it has a page of its own"
    if any(site not in ("same-origin", "none") for site in sent.get("sec-fetch-site", [])):
        return "the admin interface answers no other site; type its address into the browser"
    return None


def has_json_content_type(headers: Headers) -> bool:
    """Whether a body is declared as JSON: what no form of a foreign page can do without the browser asking first."""
    kinds = [
        kind.partition(";")[0].strip().lower()
        for kind in _headers_by_name(headers).get("content-type", [])
    ]
    return kinds == ["application/json"]


def _headers_by_name(headers: Headers) -> dict[str, list[str]]:
    sent: dict[str, list[str]] = {}
    for name, value in headers:
        sent.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1").strip())
    return sent


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(normalize_ip(address)).is_loopback
    except ValueError:
        return False
