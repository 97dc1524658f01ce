"""Accounts of the mock exchange and their keys: how a signature is verified, from where, to do what. Knows no request."""

from __future__ import annotations

import base64
import binascii
import functools
import hmac
import ipaddress
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from .switches import PERMISSIONS

# Made up, and meant to look it: nothing outside this mock accepts them.
DEFAULT_API_KEY: Final = "mock-exchange-api-key-opens-nothing"
DEFAULT_API_SECRET: Final = "mock-exchange-api-secret-opens-nothing"  # noqa: S105 - the line above says why it is none

Verifier = Callable[[bytes, str], bool]
"""(signed bytes, percent-decoded signature) -> whether they belong together."""


@dataclass(frozen=True, slots=True, eq=False)
class Account:
    """What an account answers: 200 bodies by operation. ``opened``: its owner has opened futures trading."""

    response_bodies: dict[str, bytes] = field(default_factory=dict, repr=False)
    futures_enabled: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class ApiKey:
    """One key of an account. ``secret`` is an HMAC secret, or a function for keys of other kinds; no repr shows either.

    ``addresses`` are the only networks it may be used from, none for any; ``permissions`` what it was ticked for.
    """

    api_key: str = field(repr=False)
    secret: str | Verifier = field(repr=False)
    account: Account = field(default_factory=Account, repr=False)
    allowed_networks: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = ()
    permissions: frozenset[str] = frozenset(PERMISSIONS)
    _mac: hmac.HMAC | None = field(init=False, repr=False)

    def __post_init__(self) -> None:
        mac = None if callable(self.secret) else hmac.new(self.secret.encode(), digestmod="sha256")
        object.__setattr__(self, "_mac", mac)

    def verify(self, payload: bytes, signature: str) -> bool:
        """Whether the signature is this key's over exactly these bytes; HMAC hex in either case, in constant time."""
        if callable(self.secret):
            return self.secret(payload, signature)
        assert self._mac is not None
        mac = self._mac.copy()
        mac.update(payload)
        return hmac.compare_digest(mac.hexdigest().encode(), signature.lower().encode())

    def allows_address(self, address: str) -> bool:
        """Whether the key may be used from an IP address, written as ``ip`` writes it."""
        return not self.allowed_networks or any(
            ipaddress.ip_address(address) in network for network in self.allowed_networks
        )


@functools.lru_cache(1024)
def normalize_ip(text: str) -> str:
    """An IP address in its one usual form, an IPv4 address mapped into IPv6 as IPv4; ValueError for anything else."""
    address = ipaddress.ip_address(text)
    return str(getattr(address, "ipv4_mapped", None) or address)


def parse_networks(
    addresses: Iterable[str],
) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    """IP addresses or networks in CIDR notation; ValueError for anything else."""
    return tuple(ipaddress.ip_network(address) for address in addresses)


def load_public_key(pem: bytes) -> Verifier:
    """Verify with an Ed25519 or RSA public key in PEM: signatures are base64. Needs ``cryptography``; ValueError for other keys."""
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
    except ImportError:
        raise ImportError(
            "public keys need cryptography: pip install 'binance-usdm[crypto]'"
        ) from None
    try:
        key = serialization.load_pem_public_key(pem)
    except ValueError:
        raise ValueError(
            "give a public key in PEM, as `openssl pkey -in FILE -pubout` prints it"
        ) from None
    if not isinstance(key, ed25519.Ed25519PublicKey | rsa.RSAPublicKey):
        raise ValueError("public_key must be an Ed25519 or RSA key")

    def verify(payload: bytes, signature: str) -> bool:
        try:
            raw = base64.b64decode(signature, validate=True)
            if isinstance(key, rsa.RSAPublicKey):
                key.verify(raw, payload, padding.PKCS1v15(), hashes.SHA256())
            else:
                key.verify(raw, payload)
        except (InvalidSignature, binascii.Error, ValueError):
            return False
        return True

    return verify
