"""Load Ed25519 and RSA private keys and sign with them."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Callable
from typing import Any, Final, Self

from binance_usdm._errors import ConfigurationError
from binance_usdm._secrets import Problem, SecretHolder, clear_frames

from .key_files import MAX_KEY_FILE_BYTES, read_key_file

MIN_RSA_BITS: Final = 2048
"""The exchange accepts RSA keys of 2048 and 4096 bits (faqs/api_key_types.md, 2026-07-21)."""
_PRIVATE_KEY = rb"-----BEGIN (?:ENCRYPTED |RSA |EC |DSA )?PRIVATE KEY-----"
_PEM_PROBLEMS = {
    b"PUBLIC KEY-----": "is a public key; use the private key of the pair",
    b"CERTIFICATE-----": "is a certificate; use the private key",
    b"OPENSSH PRIVATE KEY-----": (
        "is in the OpenSSH format; use PKCS#8, "
        "such as the output of `openssl genpkey -algorithm ed25519`"
    ),
    b"LS0tLS1CRUdJTi": "is PEM encoded as base64; decode it",
    b"": "is not PEM; a line -----BEGIN PRIVATE KEY----- is missing",
}
# A literal \n or \r, as in env files and JSON. PEM itself has no backslash.
_ESCAPED_NEWLINE = re.compile(rb"\\{1,4}[nr]")
_PEM_BLOCK = re.compile(
    rb"(%b)(?:\s*Proc-Type:\s*4,ENCRYPTED\s+(DEK-Info:\s*\S+)\s)?(.*?)(-----END [A-Z ]+-----)"
    % _PRIVATE_KEY,
    re.DOTALL,
)


class PrivateKeySigner(SecretHolder):
    """Signer that uses a private key.

    Use `from_pem` to create one.

    Args:
        sign: Function that returns the raw signature of a payload.

    Raises:
        ConfigurationError: `sign` is not a function.
    """

    __slots__ = ("_sign",)

    def __init__(self, sign: Callable[[bytes], bytes]) -> None:
        self._sign = sign
        # Keep secrets out of tracebacks; see _secrets.py.
        del sign
        if not callable(self._sign):
            raise ConfigurationError(
                f"sign must be a function; pass a key to {type(self).__name__}.from_pem"
            )

    @classmethod
    def from_pem(
        cls, source: bytes | str | os.PathLike[str], password: str | bytes | None = None
    ) -> Self:
        """Load a private key in PEM format (PKCS#8 or traditional). Needs the extra `crypto`.

        On POSIX a key file must be a regular file that belongs to the user and that no other user
        can access. A file of root may be readable by its group. A file on a read-only mount or
        under `/run/secrets` or `/var/run/secrets`, as in a container, may have any owner, be
        readable by all users and be a symbolic link. To use another file, read it yourself and
        pass its bytes.

        Newlines of the PEM may be escaped (`\\n`), CRLF, indented or replaced by spaces, and it
        may be in quotes, as env files and YAML leave it.

        Args:
            source: The PEM as bytes, or the path of a file as a str or a Path.
            password: Password of an encrypted key. Use None for a key that is not encrypted.

        Raises:
            ConfigurationError: The key cannot be used. The message contains neither the key nor
                the password nor the path.
        """
        # Keep secrets out of tracebacks; see _secrets.py.
        try:
            signer = _load_signer(source, password)
        except BaseException as error:
            clear_frames(error)
            raise
        finally:
            del source, password
        if isinstance(signer, Problem):
            raise ConfigurationError(str(signer))
        if not isinstance(signer, cls):
            raise ConfigurationError(f"private_key needs {type(signer).__name__}.from_pem")
        return signer

    def sign(self, payload: bytes) -> bytes:
        """Return the signature as percent-encoded base64."""
        signature = base64.b64encode(self._sign(payload))
        return signature.replace(b"+", b"%2B").replace(b"/", b"%2F").replace(b"=", b"%3D")


class Ed25519Signer(PrivateKeySigner):
    """Signer that uses an Ed25519 key, the key type that the exchange recommends.

    Example:
        signer = Ed25519Signer.from_pem("key.pem")
        client = Client(api_key, signer=signer)
    """

    __slots__ = ()


class RsaSigner(PrivateKeySigner):
    """Signer that uses an RSA key of at least 2048 bits (RSASSA-PKCS1-v1_5 with SHA-256).

    RSA signatures take longer and are four times as long as those of an Ed25519 key.

    Example:
        signer = RsaSigner.from_pem("key.pem", password)
        client = Client(api_key, signer=signer)
    """

    __slots__ = ()


signer_from_pem = PrivateKeySigner.from_pem


def _load_signer(source: object, password: object) -> PrivateKeySigner | Problem:
    """Return the signer for a key, or a problem that repeats nothing of key, password and path."""
    try:
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
    except ImportError:
        return Problem(
            "private_key needs the package cryptography (extra crypto): pip install cryptography"
        )
    pem = source if isinstance(source, bytes) else _read_key_file(source)
    if isinstance(pem, Problem):
        return pem
    problem = _pem_problem(pem, password)
    if problem is not None:
        return problem
    key = _parse_pem(_restore_newlines(pem), password)
    if isinstance(key, Problem):
        return key
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return Ed25519Signer(key.sign)
    if not isinstance(key, rsa.RSAPrivateKey):
        return Problem(
            f"private_key is an {type(key).__name__}; the exchange accepts Ed25519 and RSA keys"
        )
    if key.key_size < MIN_RSA_BITS:
        return Problem(
            f"private_key has {key.key_size} bits; "
            "the exchange accepts RSA keys of 2048 and 4096 bits, and Ed25519 keys"
        )
    return RsaSigner(lambda payload: key.sign(payload, padding.PKCS1v15(), hashes.SHA256()))


def _restore_newlines(pem: bytes) -> bytes:
    """Return the PEM block with one newline where env files, YAML and shells leave another form."""
    match = _PEM_BLOCK.search(_ESCAPED_NEWLINE.sub(b"\n", pem))
    if match is None:
        return pem
    begin, encryption, body, end = match.groups()
    lines = [begin, *body.split(), end, b""]
    if encryption:
        # The header of a traditional encrypted key ends with an empty line.
        lines[1:1] = [b"Proc-Type: 4,ENCRYPTED", encryption, b""]
    return b"\n".join(lines)


def _parse_pem(pem: bytes, password: object) -> Any:
    """Return the key object of `cryptography`, or a problem."""
    from cryptography.hazmat.primitives import serialization

    secret: Any = password
    try:
        if isinstance(password, str):
            secret = password.encode("utf-8", "surrogateescape")
        return serialization.load_pem_private_key(pem, secret)
    # Keep secrets out of tracebacks; see _secrets.py. The parser's own message may quote the key:
    # cryptography 50 repeats the text after an empty line. Its Rust code may panic, and that
    # exception is not an Exception.
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
    if password:
        return Problem("password is wrong, or private_key is incomplete; check both")
    return Problem("private_key cannot be parsed; check that the PEM block is complete")


def _pem_problem(pem: bytes, password: object) -> Problem | None:
    """Return why PEM and password cannot be used, as far as it shows before parsing."""
    if len(pem) > MAX_KEY_FILE_BYTES:
        return Problem(
            f"private_key is larger than {MAX_KEY_FILE_BYTES // 1024} KiB, which no key is"
        )
    key_count = len(re.findall(_PRIVATE_KEY, pem))
    if key_count == 0:
        mark = next(mark for mark in _PEM_PROBLEMS if mark in pem)
        return Problem(f"private_key {_PEM_PROBLEMS[mark]}")
    if key_count > 1:
        return Problem(f"private_key contains {key_count} keys; use a file with one key")
    # PKCS#8, or RFC 1421 in a traditional key.
    is_encrypted = b"BEGIN ENCRYPTED" in pem or b"4,ENCRYPTED" in pem
    return _password_problem(password, is_encrypted)


def _password_problem(password: object, is_encrypted: bool) -> Problem | None:
    if password is None:
        return Problem("password is missing; private_key is encrypted") if is_encrypted else None
    if not isinstance(password, str | bytes) or not password:
        return Problem("password must be a non-empty string or bytes")
    if not is_encrypted:
        return Problem("password is set, but private_key is not encrypted; omit the password")
    return None


def _read_key_file(source: object) -> bytes | Problem:
    if not isinstance(source, str | os.PathLike):
        return Problem(
            f"private_key must be the PEM as bytes or a path, not {type(source).__name__}"
        )
    if "-----BEGIN" in str(source):
        return Problem("private_key is PEM as a string; pass PEM as bytes (a str is a path)")
    content = read_key_file(source)
    return Problem(f"private_key {content}") if isinstance(content, Problem) else content
