"""Private keys that sign: which are taken, and from where. Knows PEM and files; a refusal shows nothing of either."""

from __future__ import annotations

import base64
import os
import re
import stat
from collections.abc import Callable
from typing import Any, Self

from binance_usdm._errors import ConfigurationError
from binance_usdm._secrets import SecretHolder

MAX_PEM = 64 * 1024
_PRIVATE_KEY = rb"-----BEGIN (?:ENCRYPTED |RSA |EC |DSA )?PRIVATE KEY-----"
_PEM_PROBLEMS = {
    b"PUBLIC KEY-----": "is a public key: the exchange has that one, the private key of the pair signs",
    b"CERTIFICATE-----": "is a certificate: give the private key",
    b"OPENSSH PRIVATE KEY-----": "is in OpenSSH's own format: give PKCS#8, as `openssl genpkey -algorithm ed25519` makes it",
    b"": "is not PEM text: a line -----BEGIN PRIVATE KEY----- is missing",
}
# no symbolic link as the file, no waiting for a pipe's writer, no terminal taken over; Windows has none of these. `open` adds O_CLOEXEC
_OPEN_FLAGS = sum(getattr(os, flag, 0) for flag in ("O_NOFOLLOW", "O_NONBLOCK", "O_NOCTTY"))


class PrivateKeySigner(SecretHolder):
    """Signs with a private key, as percent-encoded base64. `sign` makes the raw signature; `from_pem` makes it of a key in PEM."""

    __slots__ = ("_sign",)

    def __init__(self, sign: Callable[[bytes], bytes]) -> None:
        self._sign = sign
        del sign  # an error's traceback may be printed with its local variables
        if not callable(self._sign):
            raise ConfigurationError(
                f"sign must be a function; a key goes into {type(self).__name__}.from_pem"
            )

    @classmethod
    def from_pem(
        cls, source: bytes | str | os.PathLike[str], password: str | bytes | None = None
    ) -> Self:
        """The signer of a private key in PEM, PKCS#8 or traditional, encrypted or not. Needs the extra `crypto`.

        Bytes are the PEM itself, a str or a Path is the path of a file: the type decides, never the content. On POSIX the file must be
        a regular one and no symbolic link, the user's own, and closed to group and others, as ssh has it. Where it cannot be so, as in
        a container, read it yourself and give the bytes. Raises ConfigurationError; neither key nor password nor path shows in it.
        """
        made = _load_signer(source, password)
        del source, password
        if isinstance(made, cls):
            return made
        raise ConfigurationError(
            made if isinstance(made, str) else f"private_key is one for {type(made).__name__}"
        )

    def sign(self, payload: bytes) -> bytes:
        return (
            base64.b64encode(self._sign(payload))
            .replace(b"+", b"%2B")
            .replace(b"/", b"%2F")
            .replace(b"=", b"%3D")
        )


class Ed25519Signer(PrivateKeySigner):
    """Ed25519 over the query itself: the type of key that the exchange recommends (faqs/api_key_types.md, 2026-07-21)."""

    __slots__ = ()


class RsaSigner(PrivateKeySigner):
    """RSASSA-PKCS1-v1_5 with SHA-256, 2048 bits or more: much slower, and four times as long as Ed25519, which is to be preferred."""

    __slots__ = ()


signer_from_pem = PrivateKeySigner.from_pem


def _load_signer(source: object, password: object) -> PrivateKeySigner | str:
    """A signer, or a complaint that repeats nothing of what was given; never an error, whose traceback would show it."""
    try:
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
    except ImportError:
        return "private_key needs the package cryptography: pip install 'binance-usdm[crypto]'"
    pem = source if isinstance(source, bytes) else _read_key_file(source)
    if isinstance(pem, str):
        return f"private_key {pem}"
    if complaint := _pem_problem(pem, password):
        return complaint
    try:
        secret: Any = (
            password.encode("utf-8", "surrogateescape") if isinstance(password, str) else password
        )
        key = serialization.load_pem_private_key(pem, secret)
    except BaseException as error:
        # a parser's own words may quote the key: cryptography 50 repeats the text after a blank line, and its Rust code may panic
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        return f"{'password is wrong, or ' if password else ''}private_key is damaged or cut short: copy it again"
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return Ed25519Signer(key.sign)
    if not isinstance(key, rsa.RSAPrivateKey):
        return f"private_key is an {type(key).__name__}: the exchange takes Ed25519 and RSA keys"
    if key.key_size < 2048:  # faqs/api_key_types.md, 2026-07-21
        return f"private_key has {key.key_size} bits: the exchange takes RSA keys of 2048 and 4096, or Ed25519"
    return RsaSigner(lambda payload: key.sign(payload, padding.PKCS1v15(), hashes.SHA256()))


def _pem_problem(pem: bytes, password: object) -> str | None:
    """Why no key can be read from a PEM with this password, as far as one sees without trying."""
    key_count, has_password = len(re.findall(_PRIVATE_KEY, pem)), password is not None
    encrypted = (
        b"BEGIN ENCRYPTED" in pem or b"4,ENCRYPTED" in pem
    )  # PKCS#8, or RFC 1421 in a traditional key
    complaints = {
        f"private_key is larger than {MAX_PEM // 1024} KiB: this is no key": len(pem) > MAX_PEM,
        f"private_key {next(words for mark, words in _PEM_PROBLEMS.items() if mark in pem)}": not key_count,
        f"private_key holds {key_count} keys: give one alone": key_count > 1,
        "password must be text or bytes, and not empty": has_password
        and not (isinstance(password, str | bytes) and password),
        "password is missing: private_key is encrypted": encrypted and not has_password,
        "password is given, but private_key is not encrypted: leave it away": has_password
        and not encrypted,
    }
    return next((words for words, applies in complaints.items() if applies), None)


def _read_key_file(source: object) -> bytes | str:
    """The content of a key file, or a complaint about it. A file of root's is as foreign as any: with these modes only root reads it."""
    if not isinstance(source, str | os.PathLike):
        return f"must be bytes, the PEM itself, or the path of a file, not {type(source).__name__}"
    if "-----BEGIN" in str(source):
        return "is text: give PEM text as bytes, a str is the path of a file"
    try:
        with open(
            source, "rb", buffering=0, opener=lambda path, flags: os.open(path, flags | _OPEN_FLAGS)
        ) as file:
            file_stat, posix = (
                os.fstat(file.fileno()),
                hasattr(os, "geteuid"),
            )  # Windows keeps rights elsewhere
            complaints = {
                "is not a regular file": not stat.S_ISREG(file_stat.st_mode),
                "file belongs to another user: `chown` it": posix
                and file_stat.st_uid != os.geteuid(),
                "file is open to other users: run `chmod 600` on it": posix
                and file_stat.st_mode & 0o077,
            }
            return next(
                (words for words, applies in complaints.items() if applies), None
            ) or file.read(MAX_PEM + 1)
    except (OSError, ValueError) as error:
        why = (
            "it is a symbolic link, give its target"
            if os.path.islink(source)
            else getattr(error, "strerror", None)
        )
        return f"file cannot be opened: {why or 'this is no path'}"
