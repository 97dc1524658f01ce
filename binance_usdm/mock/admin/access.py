"""Admin API: allow local clients, and those that have the admin token."""

from __future__ import annotations

import base64
import binascii
import hashlib
import ipaddress
import re
from collections.abc import Iterable
from hmac import compare_digest
from typing import Final

from binance_usdm.mock.state.accounts import normalize_ip

MIN_TOKEN_LENGTH: Final = 16
_HOST = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?", re.IGNORECASE)
_PROXY_HEADERS = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip")
_TOKEN: Final = re.compile(rf"[!-~]{{{MIN_TOKEN_LENGTH},}}")

Headers = Iterable[tuple[bytes, bytes]]


class AccessRule:
    """Who may use the admin API.

    Without the admin token the address of the socket must be local, and so must Host, since an
    attacker can let a foreign name point here (DNS rebinding). Origin and Sec-Fetch-Site must be
    those of the admin page in any case, if a browser sent them: it sends the token by itself once
    it was typed in.

    Args:
        scheme: "http" or "https", as the admin page is served.
        token: Admin token. `None` if there is none. Only its hash is kept.

    Raises:
        ValueError: The token is too short, or has other characters than printable ASCII.
    """

    def __init__(self, scheme: str, token: str | None = None) -> None:
        self._scheme = scheme
        self._token_hash: bytes | None = None
        if token is not None:
            if not _TOKEN.fullmatch(token):
                raise ValueError(
                    f"the admin token must have at least {MIN_TOKEN_LENGTH} characters, all of them "
                    "printable ASCII without spaces"
                )
            self._token_hash = hashlib.sha256(token.encode()).digest()

    def find_problem(self, headers: Headers, address: str) -> tuple[int, str] | None:
        """Return HTTP status and text for a request that is rejected, `None` if it is allowed.

        Args:
            headers: Header names and values.
            address: IP address of the client.
        """
        sent = _headers_by_name(headers)
        host = sent.get("host", [])
        authorization = sent.get("authorization", [])
        if self._token_hash is None or not authorization:
            problem = _foreign_problem(sent, host, address)
            if problem is not None and self._token_hash is None:
                return 403, problem
            if problem is not None:
                return 401, f"{problem}; or send Authorization: Bearer with the admin token"
        elif len(authorization) != 1 or not self._is_token(authorization[0]):
            return 401, "the admin token in Authorization is wrong"
        if len(host) != 1:
            return 403, "send one Host"
        own_origin = f"{self._scheme}://{host[0].lower()}"
        if any(origin.lower() != own_origin for origin in sent.get("origin", [])):
            return 403, "the admin API rejects requests of other sites; use its own page"
        if any(site not in ("same-origin", "none") for site in sent.get("sec-fetch-site", [])):
            return (
                403,
                "the admin API rejects requests of other sites; type its address into the browser",
            )
        return None

    def _is_token(self, authorization: str) -> bool:
        """Return whether the value of Authorization has the token, compared in constant time.

        It is a Bearer token, or the password of Basic, for which a browser asks.
        """
        assert self._token_hash is not None
        scheme, _, credentials = authorization.partition(" ")
        presented = credentials.strip().encode("latin-1")
        if scheme.lower() == "basic":
            try:
                presented = base64.b64decode(presented, validate=True).partition(b":")[2]
            except binascii.Error:
                return False
        elif scheme.lower() != "bearer":
            return False
        return compare_digest(hashlib.sha256(presented).digest(), self._token_hash)


def _foreign_problem(sent: dict[str, list[str]], host: list[str], address: str) -> str | None:
    """Return why a request without the token is not a local one, `None` if it is."""
    if not _is_loopback(address) or any(name in sent for name in _PROXY_HEADERS):
        return "the admin API allows programs on this machine only, without a proxy in between"
    if len(host) != 1 or not _HOST.fullmatch(host[0]):
        return "Host must be localhost, 127.0.0.1 or [::1]"
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
