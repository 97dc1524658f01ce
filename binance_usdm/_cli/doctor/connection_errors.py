"""Why a connection could not be opened, in words."""

from __future__ import annotations

import os
from collections.abc import Sequence

from binance_usdm._http.connections.failures import is_not_tls
from binance_usdm._http.connections.proxy import TLS_PROXY, TunnelError
from binance_usdm._http.messages import DeadlinePassed

from . import advice as texts


def explain_connection_error(
    error: Exception, proxy_variables: Sequence[str], ca_variables: Sequence[str]
) -> tuple[str, str]:
    """Return summary and advice for a connection that could not be opened.

    Args:
        error: The error of opening it.
        proxy_variables: Names of the variables for proxies that are set.
        ca_variables: Names of the variables for certificates that are set.
    """
    verify_code = getattr(error, "verify_code", None)
    if isinstance(error, DeadlinePassed):
        error = TimeoutError()
    classes = type(error).__mro__
    nearest = next(cls for cls in classes if cls in texts.CONNECTION_ERROR_TEXTS)
    summary, advice = texts.CONNECTION_ERROR_TEXTS[nearest]
    if verify_code in texts.CERTIFICATE_ERROR_TEXTS:
        summary, advice = texts.CERTIFICATE_ERROR_TEXTS[verify_code]
    if is_not_tls(error):
        summary, advice = texts.NOT_TLS_TEXTS
    if isinstance(error, TunnelError):
        summary, advice = _explain_tunnel_error(str(error))
    if proxy_variables:
        advice += f" {' and '.join(proxy_variables)} is not used: {texts.ADVICE_SET_PROXY}"
    if ca_variables and verify_code is not None:
        missing = [name for name in ca_variables if not os.path.exists(os.environ[name])]
        if missing:
            advice = f"{missing[0]} names a file or directory that does not exist; correct it."
        else:
            advice += (
                f" The system's authorities are replaced: {' and '.join(ca_variables)} is set."
            )
    return summary, advice


def _explain_tunnel_error(status: str) -> tuple[str, str]:
    """Return summary and advice for a proxy that opened no tunnel.

    Args:
        status: Status of its response, or other text if the response is not valid.
    """
    if status == TLS_PROXY:
        return "the proxy's port expects TLS", texts.ADVICE_PROXY_URL
    if not status.isdecimal():
        return "the proxy's response is not valid", texts.ADVICE_PROXY_URL
    advice = texts.ADVICE_PROXY_LOGIN if status == "407" else texts.ADVICE_PROXY_REJECTS
    return f"the proxy responded with status {status}", advice
