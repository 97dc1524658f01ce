"""Validate API key, secret and signer."""

from __future__ import annotations

from binance_usdm._secrets import SecretHolder

from .signers import HmacSigner, Signer, credential_problem


class Credentials(SecretHolder):
    """An API key and what signs for it; either may be missing."""

    __slots__ = ("api_key", "signer")

    def __init__(self, api_key: str | None, signer: Signer | None) -> None:
        self.api_key = api_key
        self.signer = signer


def validate_credentials(
    api_key: str | None, api_secret: str | None, signer: Signer | None
) -> Credentials | str:
    """The credentials, or a complaint that repeats none of them: the caller raises it when no local of its own shows a secret."""
    if api_key is not None and (problem := credential_problem(api_key)):
        return f"api_key {problem}"
    if api_secret is not None and (problem := credential_problem(api_secret)):
        return f"api_secret {problem}"
    if api_key is not None and api_key == api_secret:
        return "api_key and api_secret are the same text: one of them is in the wrong place"
    if api_secret is not None and signer is not None:
        return "give api_secret or signer, not both"
    if signer is not None and (
        isinstance(signer, type) or not callable(getattr(signer, "sign", None))
    ):
        return "signer must be an object with a method sign(bytes) -> bytes"
    if api_key is None and (api_secret is not None or signer is not None):
        return "api_key is missing: a secret alone signs nothing"
    return Credentials(api_key, HmacSigner(api_secret) if api_secret is not None else signer)
