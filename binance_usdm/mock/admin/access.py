"""Admin API: allow local clients only."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

from binance_usdm.mock.core.accounts import normalize_ip

_HOST = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?", re.IGNORECASE)
_PROXY_HEADERS = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip")

Headers = Iterable[tuple[bytes, bytes]]


def access_problem(headers: Headers, address: str, scheme: str) -> str | None:
    """Return why a request is rejected, `None` if it is allowed.

    The address of the socket must be local. Host must be a local name, since an attacker can let a
    foreign one point here (DNS rebinding). Origin and Sec-Fetch-Site must be those of the admin
    page, if a browser sent them.

    Args:
        headers: Header names and values.
        address: IP address of the client.
        scheme: "http" or "https", as the admin page is served.
    """
    sent = _headers_by_name(headers)
    host = sent.get("host", [])
    if not _is_loopback(address) or any(name in sent for name in _PROXY_HEADERS):
        return "the admin API allows programs on this machine only, without a proxy in between"
    if len(host) != 1 or not _HOST.fullmatch(host[0]):
        return "Host must be localhost, 127.0.0.1 or [::1]"
    own_origin = f"{scheme}://{host[0].lower()}"
    if any(origin.lower() != own_origin for origin in sent.get("origin", [])):
        return "the admin API rejects requests of other sites; use its own page"
    if any(site not in ("same-origin", "none") for site in sent.get("sec-fetch-site", [])):
        return "the admin API rejects requests of other sites; type its address into the browser"
    return None


def has_json_content_type(headers: Headers) -> bool:
    """Return whether a body is declared as JSON.

    The page of another site cannot declare it without a CORS preflight, which is rejected.
    """
    declared = _headers_by_name(headers).get("content-type", [])
    media_types = [value.partition(";")[0].strip().lower() for value in declared]
    return media_types == ["application/json"]


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
