"""What the checks of `doctor` share: base URL, credentials, clock and findings."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Final

from binance_usdm import MAINNET, Client, RetryPolicy, Signer
from binance_usdm import _config as config
from binance_usdm import _environment as env
from binance_usdm._auth.credentials import Credentials
from binance_usdm._http.addresses import is_loopback
from binance_usdm._policy.clock import local_time_ms
from binance_usdm._secrets import SecretHolder

from .advice import ENVIRONMENTS, OTHER_HOST, THIS_MACHINE
from .findings import Finding, Verdict

_KEY_TYPE_BY_SIGNER: Final = {"HmacSigner": "HMAC", "RsaSigner": "RSA", "Ed25519Signer": "Ed25519"}


class RecordingSigner(SecretHolder):
    """Signer that keeps what was signed, and the length of the signature."""

    __slots__ = ("_signer", "key_type", "query", "signature_length")

    def __init__(self, signer: Signer) -> None:
        self._signer = signer
        self.query = ""
        self.signature_length = 0
        self.key_type = _KEY_TYPE_BY_SIGNER[type(signer).__name__]

    def sign(self, payload: bytes) -> bytes:
        """Return the wrapped signer's signature."""
        signature = self._signer.sign(payload)
        self.query = payload.decode("ascii")
        self.signature_length = len(signature)
        return signature


class CheckContext:
    """What the checks of one run share.

    Args:
        base_url: Base URL. Use None for that of the environment or the default.
        recv_window: `recvWindow` in ms, or None.
        timeout: Seconds for each step over the network.
        proxy: URL of the proxy. Use None for that of the environment or no proxy.
    """

    def __init__(
        self,
        base_url: str | None,
        recv_window: int | None,
        timeout: float,
        proxy: str | None = None,
    ) -> None:
        self.proxy_source = "--proxy" if proxy else env.ENV_PROXY
        self.proxy = proxy or os.environ.get(env.ENV_PROXY) or None
        self.base_url_source, text = _find_base_url(base_url)
        self.url = config.parse_base_url(text)
        self.host = self.url.origin[1] if isinstance(self.url, config.BaseUrl) else ""
        custom = THIS_MACHINE if is_loopback(self.host) else OTHER_HOST
        self.environment = ENVIRONMENTS.get(self.host, custom)
        self.recv_window = recv_window
        self.effective_recv_window = recv_window or config.EXCHANGE_RECV_WINDOW
        self.timeout = timeout
        self.findings: dict[str, Finding] = {}
        self.credentials = Credentials(None, None)
        self.recorder: RecordingSigner | None = None
        self.unusual_lengths: dict[str, str] = {}
        self.clock: Callable[[], int] = local_time_ms

    def make_client(self, **options: Any) -> Client:
        """Return a client that sends each request once."""
        return Client(
            base_url=str(self.url),
            timeout=self.timeout,
            retry=RetryPolicy.off(),
            proxy=self.proxy,
            **options,
        )

    def verdict_of(self, check: str) -> Verdict:
        """Return the verdict of a check; "skipped" for one that has not run yet."""
        return self.findings[check].verdict if check in self.findings else "skipped"


def _find_base_url(option: str | None) -> tuple[str, str]:
    """Return where the base URL comes from, and the URL."""
    if option:
        return "--base-url", option
    variable = os.environ.get(env.ENV_BASE_URL)
    if variable:
        return env.ENV_BASE_URL, variable
    return "default", MAINNET
