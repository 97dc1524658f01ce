"""Sign payloads with HMAC-SHA256.

The payload of a signed request is its query string as it is sent, without `?` and without the
signature; the signature follows as the last parameter (General Info of the futures documentation,
2026-05-28).
"""

from __future__ import annotations

import hmac
import string
from typing import Protocol

from binance_usdm._errors import ConfigurationError
from binance_usdm._secrets import SecretHolder, clear_frames

MAX_CREDENTIAL_LENGTH = 4096
_SIGNATURE_CHARACTERS = f"{string.ascii_letters}{string.digits}%._~-".encode("ascii")


class Signer(Protocol):
    """Object that signs queries.

    `HmacSigner`, `Ed25519Signer` and `RsaSigner` are signers. For another one, such as a hardware
    token, write a class with this method and pass an instance as `Client(api_key, signer=...)`.
    Several threads may call it at the same time.

    Example:
        class TokenSigner:
            def sign(self, payload: bytes) -> bytes:
                return quote(base64.b64encode(token.sign(payload)), safe="").encode()
    """

    def sign(self, payload: bytes) -> bytes:
        """Return the signature of a query.

        It is called once per request, right before the request is sent.

        Args:
            payload: The query string, in ASCII, without the signature.

        Returns:
            The signature as it is sent: ASCII, percent-encoded where needed.
        """
        ...


class HmacSigner(SecretHolder):
    """Signer that uses HMAC-SHA256 with an API secret.

    The exchange recommends Ed25519 keys and calls HMAC keys deprecated (faqs/api_key_types.md of
    binance-spot-api-docs, 2026-07-21).

    Args:
        api_secret: API secret, at most 4096 printable ASCII characters.

    Raises:
        ConfigurationError: The string cannot be an API secret. The message does not contain it.
    """

    __slots__ = ("_mac",)

    def __init__(self, api_secret: str) -> None:
        # Keep secrets out of tracebacks; see _secrets.py.
        try:
            problem = credential_problem(api_secret)
            if problem is None:
                self._mac = hmac.new(api_secret.encode("ascii"), digestmod="sha256")
        except BaseException as error:
            clear_frames(error)
            raise
        finally:
            del api_secret
        if problem is not None:
            raise ConfigurationError(f"api_secret {problem}")

    def sign(self, payload: bytes) -> bytes:
        """Return the signature as lowercase hexadecimal digits."""
        mac = self._mac.copy()
        mac.update(payload)
        return mac.hexdigest().encode("ascii")


def compute_signature(signer: Signer, payload: bytes) -> bytes:
    """Return the signature of a query as it is sent.

    Raises:
        ConfigurationError: The signer returned a value that cannot be part of a URL.
    """
    signature = signer.sign(payload)
    if isinstance(signature, bytes) and signature:
        foreign_characters = signature.translate(None, _SIGNATURE_CHARACTERS)
        if not foreign_characters:
            return signature
        del foreign_characters
    # Keep secrets out of tracebacks; see _secrets.py.
    del signature
    raise ConfigurationError("the signer must return ASCII bytes, percent-encoded where needed")


def credential_problem(credential: object) -> str | None:
    """Return why a value cannot be an API key or secret, without repeating it. None if it can."""
    if not isinstance(credential, str):
        return f"must be a string, not {type(credential).__name__}"
    if not credential:
        return "is empty"
    if len(credential) > MAX_CREDENTIAL_LENGTH:
        return f"is longer than {MAX_CREDENTIAL_LENGTH} characters"
    return copying_problem(credential)


def copying_problem(text: str) -> str | None:
    """Return what of a shell, file or page was copied along with a string. None if nothing was."""
    if text.split() != [text]:
        return "contains a space or a newline; copy it again"
    if "'" in text or '"' in text:
        return "contains a quotation mark; remove the quotes of the shell or the file"
    if not (text.isascii() and text.isprintable()):
        return "contains a character that keys, secrets and URLs never have; copy it again"
    return None
