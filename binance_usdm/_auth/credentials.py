"""Validate API key, secret and signer."""

from __future__ import annotations

from binance_usdm._secrets import Problem, SecretHolder, describe_value

from .signers import HmacSigner, Signer, credential_problem


class Credentials(SecretHolder):
    """An API key and the signer that belongs to it. Either may be None."""

    __slots__ = ("api_key", "signer")

    def __init__(self, api_key: str | None, signer: Signer | None) -> None:
        self.api_key = api_key
        self.signer = signer


def validate_credentials(
    api_key: str | None, api_secret: str | None, signer: Signer | None
) -> Credentials | Problem:
    """Check that key, secret and signer are valid and fit together.

    Args:
        api_key: API key, or None for unsigned calls only.
        api_secret: HMAC secret, or None.
        signer: Signer, or None. At most one of `api_secret` and `signer` may be set.

    Returns:
        The credentials, or a `Problem` that repeats none of the values.
    """
    # Keep secrets out of tracebacks; see _secrets.py.
    for option, value in (("api_key", api_key), ("api_secret", api_secret)):
        problem = None if value is None else credential_problem(value)
        if problem is not None:
            return Problem(f"{option} {problem}")
    if api_key is not None and api_key == api_secret:
        return Problem("api_key and api_secret are equal; one of them is in the wrong place")
    if api_secret is not None and signer is not None:
        return Problem("api_secret and signer are both set; pass only one")
    if signer is not None and not _is_signer(signer):
        return Problem(
            f"signer must be an object with a method sign(bytes) -> bytes, not {describe_value(signer)}"
        )
    if api_secret is not None:
        signer = HmacSigner(api_secret)
    if api_key is None and signer is not None:
        return Problem("api_key is missing; api_secret and signer need one")
    return Credentials(api_key, signer)


def _is_signer(signer: object) -> bool:
    """Return whether an object, not a class, has a method `sign`."""
    return not isinstance(signer, type) and callable(getattr(signer, "sign", None))
