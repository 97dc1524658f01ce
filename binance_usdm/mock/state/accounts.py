"""Accounts, API keys and signature verification."""

from __future__ import annotations

import base64
import binascii
import functools
import hashlib
import hmac
import ipaddress
import re
import string
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from binance_usdm.mock.core.shapes import describe_shape
from binance_usdm.mock.core.switches import PERMISSIONS

# Fake credentials, which only this mock accepts: S105 looks for real ones.
DEFAULT_API_KEY: Final = "mock-exchange-api-key-opens-nothing"
DEFAULT_API_SECRET: Final = "mock-exchange-api-secret-opens-nothing"  # noqa: S105

Verifier = Callable[[bytes, str], bool]
"""Function (signed bytes, percent-decoded signature) -> whether the signature is valid."""

Secret = str | Verifier | bytes
"""HMAC secret, verifier, or the PEM of an Ed25519 or RSA public key as bytes."""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True, eq=False)
class Account:
    """Account of the mock exchange.

    `response_bodies` has the 200 bodies that were set, by operation. `futures_enabled` is false
    for an account whose owner never opened futures trading. `alias` identifies the account in the
    rows of its default response; the first account has `None`, for that of the spec's example.
    """

    response_bodies: dict[str, bytes] = field(default_factory=dict, repr=False)
    futures_enabled: bool = True
    alias: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class ApiKey:
    """API key of an account, with what verifies its signatures and where it may be used.

    `secret` is an HMAC secret, or a verifier for keys of other types; the repr shows neither it
    nor the key. `allowed_networks` are the only networks it may be used from; empty allows every
    address. `permissions` are those that the key's owner granted. `source` is what a saved scenario
    has instead of the secret, empty if that is in the scenario itself or cannot be.
    """

    api_key: str = field(repr=False)
    secret: str | Verifier = field(repr=False)
    account: Account = field(default_factory=Account, repr=False)
    allowed_networks: tuple[Network, ...] = ()
    permissions: frozenset[str] = frozenset(PERMISSIONS)
    source: Mapping[str, Any] = field(default_factory=dict, repr=False)
    _mac: hmac.HMAC | None = field(init=False, repr=False)

    def __post_init__(self) -> None:
        mac = None if callable(self.secret) else hmac.new(self.secret.encode(), digestmod="sha256")
        object.__setattr__(self, "_mac", mac)

    def verify(self, payload: bytes, signature: str) -> bool:
        """Return whether a signature of this key is valid, compared in constant time.

        Args:
            payload: Exactly the bytes that had to be signed.
            signature: Percent-decoded signature. For HMAC, hex digits in either case.
        """
        if callable(self.secret):
            return self.secret(payload, signature)
        assert self._mac is not None
        mac = self._mac.copy()
        mac.update(payload)
        return hmac.compare_digest(mac.hexdigest().encode(), signature.lower().encode())

    def allows_address(self, address: str) -> bool:
        """Return whether the key may be used from an IP address.

        Args:
            address: IP address in the form of `normalize_ip`.
        """
        return not self.allowed_networks or any(
            ipaddress.ip_address(address) in network for network in self.allowed_networks
        )


def account_alias(number: int) -> str:
    """Return the alias of the account with a number: eight letters, the same in every run."""
    digest = hashlib.sha256(f"mock account {number}".encode()).digest()
    return "".join(string.ascii_letters[byte % 52] for byte in digest[:8])


@functools.lru_cache(1024)
def normalize_ip(text: str) -> str:
    """Return an IP address in its usual form, an IPv4-mapped IPv6 address as IPv4.

    Raises:
        ValueError: The string is not an IP address.
    """
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        raise ValueError(f"address must be an IP address, not {describe_shape(text)}") from None
    return str(getattr(address, "ipv4_mapped", None) or address)


def parse_networks(addresses: Iterable[str]) -> tuple[Network, ...]:
    """Parse IP addresses and networks in CIDR notation.

    Raises:
        ValueError: A string is neither an IP address nor a network.
    """
    return tuple(map(_parse_network, addresses))


def _parse_network(address: str) -> Network:
    try:
        return ipaddress.ip_network(address)
    except ValueError:
        raise ValueError(
            "addresses must be IP addresses or networks such as 203.0.113.0/24, without bits "
            f"after the prefix, not {describe_shape(address)}"
        ) from None


def make_api_key(
    account: Account,
    api_key: str,
    api_secret: Secret,
    addresses: Iterable[str],
    permissions: Iterable[str],
    *,
    key_format: str,
    source: Mapping[str, Any] | None = None,
) -> ApiKey:
    """Return a key of an account.

    Args:
        account: The account.
        api_key: The key's string.
        api_secret: HMAC secret, public key or verifier.
        addresses: IP addresses and networks that may use the key. Empty allows all.
        permissions: Some of `PERMISSIONS`.
        key_format: Regular expression for a whole key.
        source: What a saved scenario has instead of the secret. `None` for the secret itself.

    Raises:
        ImportError: A public key needs the package `cryptography`.
        ValueError: The key, the secret or an option is not valid.
    """
    if not api_key or not re.fullmatch(key_format, api_key):
        raise ValueError(
            "api_key is empty or does not match the switch key_format; "
            "every request with it would be rejected"
        )
    if not {*permissions} <= {*PERMISSIONS}:
        raise ValueError(f"permissions must be some of {', '.join(PERMISSIONS)}")
    if source is None and isinstance(api_secret, bytes):
        source = {"public_key": api_secret.decode("latin-1")}
    return ApiKey(
        api_key,
        parse_secret(api_secret),
        account,
        parse_networks(addresses),
        frozenset(permissions),
        source or {},
    )


def parse_secret(api_secret: Secret) -> str | Verifier:
    """Return an HMAC secret or a verifier. A public key becomes a verifier.

    Raises:
        ImportError: A public key needs the package `cryptography`.
        ValueError: `api_secret` is not a `Secret`.
    """
    if isinstance(api_secret, bytes):
        return load_public_key(api_secret)
    is_secret = isinstance(api_secret, str) and not api_secret.lstrip().startswith("-----BEGIN")
    if not is_secret and not callable(api_secret):
        raise ValueError(
            "api_secret must be an HMAC secret, the PEM of a public key as bytes, or a function"
        )
    return api_secret


def load_public_key(pem: bytes) -> Verifier:
    """Load an Ed25519 or RSA public key and return a verifier of base64 signatures.

    Args:
        pem: Public key in PEM, as `openssl pkey -in FILE -pubout` prints it.

    Returns:
        Function (signed bytes, signature in base64) -> whether the signature is valid.

    Raises:
        ImportError: The package `cryptography` is not installed.
        ValueError: The PEM has no public key, or a key of another type.
    """
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
    except ImportError:
        raise ImportError(
            "public keys need cryptography (extra crypto): pip install cryptography"
        ) from None
    try:
        key = serialization.load_pem_public_key(pem)
    except ValueError:
        raise ValueError(
            "public_key is not a public key in PEM; use what `openssl pkey -in FILE -pubout` prints"
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
