"""TLS settings."""

from __future__ import annotations

import functools
import ssl

from binance_usdm._secrets import describe_value


class UnsafeContextError(OSError):
    """A caller's TLS settings were changed so that they do not protect a request any more."""


@functools.cache
def tls_context() -> ssl.SSLContext:
    """Return the TLS settings of the process.

    TLS 1.2 or newer is used, and the certificate and its host name are checked against the
    system's trust store. SSL_CERT_FILE and SSL_CERT_DIR replace the store, as with every program
    that uses OpenSSL. SSLKEYLOGFILE has no effect.
    """
    # This implies CERT_REQUIRED and check_hostname. ssl.create_default_context() would read
    # SSLKEYLOGFILE.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # Without renegotiation, sending never waits for reading.
    context.options |= ssl.OP_NO_RENEGOTIATION
    # This takes about 50 ms, so the settings are made on first use and kept.
    context.load_default_certs()
    return context


def ssl_context_problem(context: object) -> str | None:
    """Return why a caller's TLS settings cannot be used, None if they can.

    They must be as strict as those of the process; only the authorities, client certificates and
    ciphers are the caller's choice.
    """
    if not isinstance(context, ssl.SSLContext):
        return f"ssl_context must be an ssl.SSLContext or None, not {describe_value(context)}"
    if context.protocol == ssl.PROTOCOL_TLS_SERVER:
        return "ssl_context is for servers; use ssl.create_default_context(cafile=...)"
    if context.verify_mode != ssl.CERT_REQUIRED:
        return "ssl_context must verify certificates (verify_mode = ssl.CERT_REQUIRED)"
    if not context.check_hostname:
        return "ssl_context must check host names (check_hostname = True)"
    if context.minimum_version < ssl.TLSVersion.TLSv1_2:
        return (
            "ssl_context must require TLS 1.2 or newer (minimum_version = ssl.TLSVersion.TLSv1_2)"
        )
    if getattr(context, "keylog_filename", None):
        return "ssl_context must not write TLS keys to a file (keylog_filename, SSLKEYLOGFILE)"
    return None


def check_ssl_context(context: ssl.SSLContext) -> ssl.SSLContext:
    """Return a caller's TLS settings for a new connection.

    Raises:
        UnsafeContextError: They were changed since they were passed in.
    """
    if (problem := ssl_context_problem(context)) is not None:
        raise UnsafeContextError(problem)
    return context
