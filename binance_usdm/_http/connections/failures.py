"""Turn exceptions of the network into failures."""

from __future__ import annotations

import errno
import os
import socket
import ssl
from typing import Final, Literal, TypeAlias, TypeGuard

from binance_usdm._http.messages import DeadlinePassed, HttpFailure

from .proxy import TLS_PROXY, TunnelError
from .tls import UnsafeContextError

Trust: TypeAlias = Literal["system", "ssl_context"]
"""Where the authorities of a connection come from: the process, or the caller's context."""
Phase: TypeAlias = tuple[str, str, str]
"""What is being done, the kind of failure when it takes too long, and the kind of any other one."""
POOL: Phase = ("waiting for a connection", "PoolTimeout", "PoolTimeout")
CONNECT: Phase = ("connecting", "ConnectTimeout", "ConnectError")
PROXY_CONNECT: Phase = ("connecting through the proxy", "ConnectTimeout", "ConnectError")
WRITE: Phase = ("sending the request", "WriteTimeout", "WriteError")
READ: Phase = ("reading the response", "ReadTimeout", "ReadError")

_PROXY_HINTS: Final = {
    "403": "the proxy rejects connections to this host; allow the host in the proxy",
    "407": "the proxy rejects its user; check user and password in proxy=",
    TLS_PROXY: "its port expects TLS; use its port for http in proxy=",
}
_NOT_TLS_REASONS: Final = {
    "HTTP_REQUEST",
    "PACKET_LENGTH_TOO_LONG",
    "RECORD_LAYER_FAILURE",
    "WRONG_VERSION_NUMBER",
}
"""OpenSSL's reasons when the first bytes of the server are not TLS; versions differ in them."""
_NOT_TLS: Final = (
    "the response is not valid TLS ({reason}); the port looks like one for http: "
    "change scheme or port of base_url"
)
_TRUST_VARIABLES: Final = ("SSL_CERT_FILE", "SSL_CERT_DIR")
_CLOCK_HINT: Final = "check the date of this machine and of the certificate"
_NAME_HINT: Final = (
    "another server responds there, or the host is not spelled as in the certificate"
)
_HINT_BY_VERIFY_CODE: Final = {9: _CLOCK_HINT, 10: _CLOCK_HINT, 62: _NAME_HINT, 64: _NAME_HINT}
"""By OpenSSL's X509_V_ERR code. Any other code is about the authority."""
_UNTRUSTED: Final = (
    "the server's certificate is not trusted; "
    "set SSL_CERT_FILE to the certificate authorities to trust, or pass ssl_context="
)
_UNTRUSTED_BY_CONTEXT: Final = (
    "the server's certificate is not trusted by ssl_context; "
    "load the certificate authority into the context"
)


def is_disconnect(error: BaseException) -> bool:
    """Return whether an error means that the peer or the path closed the connection."""
    # The peer acknowledged nothing of what was sent.
    if isinstance(error, OSError) and error.errno == errno.ETIMEDOUT:
        return True
    # A reset, a broken pipe, or an end without close_notify.
    return isinstance(error, ConnectionError | ssl.SSLEOFError)


def is_not_tls(error: BaseException) -> TypeGuard[ssl.SSLError]:
    """Return whether a TLS handshake failed because the server speaks something else."""
    return isinstance(error, ssl.SSLError) and error.reason in _NOT_TLS_REASONS


def failure_from_exception(error: Exception, phase: Phase, trust: Trust = "system") -> HttpFailure:
    """Return the failure of a phase that an exception ended.

    Args:
        error: The exception.
        phase: What was being done.
        trust: Where the certificate authorities came from.
    """
    activity, timeout_kind, error_kind = phase
    if isinstance(error, DeadlinePassed):
        return HttpFailure(timeout_kind, f"timed out while {activity}")
    if isinstance(error, TunnelError):
        return _failure_from_proxy(error)
    if isinstance(error, ssl.SSLCertVerificationError):
        hint = _HINT_BY_VERIFY_CODE.get(error.verify_code) or _trust_hint(trust)
        reason = f"{error.verify_message.rstrip('.')}; {hint}"
        return HttpFailure(error_kind, f"{activity} failed: {reason}", is_retryable=False)
    if is_not_tls(error):
        return HttpFailure(error_kind, f"{activity} failed: {_NOT_TLS.format(reason=error.reason)}")
    if isinstance(error, UnsafeContextError):
        return HttpFailure(error_kind, f"{activity} failed: {error}", is_retryable=False)
    if isinstance(error, socket.gaierror):
        return HttpFailure(error_kind, f"{activity} failed: the name cannot be resolved")
    return HttpFailure(error_kind, f"{activity} failed: {_reason_of(error)}")


def _failure_from_proxy(error: TunnelError) -> HttpFailure:
    """Return a failure that cannot be retried when the proxy's status asks for a change."""
    hint = _PROXY_HINTS.get(str(error))
    if hint is None:
        return HttpFailure("ProxyError", str(error))
    return HttpFailure("ProxyError", f"{error}: {hint}", is_retryable=False)


def _reason_of(error: Exception) -> str:
    """Return OpenSSL's reason, the name of the system's error number, or the exception's name.

    An OSError without a number is raised by this package, and its message is shown.
    """
    if reason := getattr(error, "reason", None):
        return str(reason)
    # The number of a TLS error is OpenSSL's, and not the system's.
    if isinstance(error, ssl.SSLError):
        return type(error).__name__
    if name := errno.errorcode.get(getattr(error, "errno", None) or 0):
        return name
    if type(error) is OSError:
        return str(error)
    return type(error).__name__


def _trust_hint(trust: Trust) -> str:
    if trust == "ssl_context":
        return _UNTRUSTED_BY_CONTEXT
    for variable in _TRUST_VARIABLES:
        path = os.environ.get(variable)
        if path and not os.path.exists(path):
            return f"{variable} names a file or directory that does not exist; correct or unset it"
    return _UNTRUSTED
