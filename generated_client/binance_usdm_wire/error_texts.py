# Written by `python -m generator` from spec/openapi.yaml. Do not edit.
"""What the error codes of the exchange mean, and what to check.

Only errors need these texts, so a program that meets none does not load them.
"""

from __future__ import annotations

from typing import Final

NAME_BY_CODE: Final[dict[int, str]] = {
    -1000: "UNKNOWN",
    -1001: "DISCONNECTED",
    -1002: "UNAUTHORIZED",
    -1003: "TOO_MANY_REQUESTS",
    -1006: "UNEXPECTED_RESP",
    -1007: "TIMEOUT",
    -1008: "REQUEST_THROTTLED",
    -1011: "NON_WHITE_LIST",
    -1013: "INVALID_MESSAGE",
    -1015: "TOO_MANY_ORDERS",
    -1016: "SERVICE_SHUTTING_DOWN",
    -1020: "UNSUPPORTED_OPERATION",
    -1021: "INVALID_TIMESTAMP",
    -1022: "INVALID_SIGNATURE",
    -1099: "NOT_FOUND",
    -1100: "ILLEGAL_CHARS",
    -1101: "TOO_MANY_PARAMETERS",
    -1102: "MANDATORY_PARAM_EMPTY_OR_MALFORMED",
    -1103: "UNKNOWN_PARAM",
    -1104: "UNREAD_PARAMETERS",
    -1105: "PARAM_EMPTY",
    -1106: "PARAM_NOT_REQUIRED",
    -1130: "INVALID_PARAMETER",
    -1131: "BAD_RECV_WINDOW",
    -2008: "BAD_API_ID",
    -2014: "BAD_API_KEY_FMT",
    -2015: "REJECTED_MBX_KEY",
    -2017: "API_KEYS_LOCKED",
    -4056: "INVALID_API_KEY_TYPE",
    -4057: "INVALID_RSA_PUBLIC_KEY",
    -4084: "UPCOMING_METHOD",
    -4109: "INACTIVE_ACCOUNT",
    -5000: "NO_SUCH_PATH",
}

MEANING_BY_CODE: Final[dict[int, str]] = {
    -1000: "the exchange failed and does not say why",
    -1001: "an internal error kept the exchange from processing the request",
    -1002: "this key may not make this call",
    -1003: "too many requests came from this IP address",
    -1006: (
        "the exchange got an unexpected response inside itself; whether it executed the "
        "request is unknown"
    ),
    -1007: "the exchange's backend did not answer in time",
    -1008: "the exchange is overloaded, or throttles requests to protect itself",
    -1011: "this IP address may not use this route",
    -1013: "the exchange could not read the request",
    -1015: "too many orders were sent",
    -1016: "the exchange has shut this service down",
    -1020: "the exchange does not support this operation",
    -1021: "the exchange finds the request's time too old or too far ahead",
    -1022: "the signature does not belong to this query and this key",
    -1099: "there is nothing of this kind, or this key may not see it",
    -1100: "a parameter has a character that is not allowed",
    -1101: "there are too many parameters, or one of them twice",
    -1102: "a mandatory parameter is missing, empty or malformed",
    -1103: "the exchange does not know a parameter",
    -1104: "the exchange did not read every parameter",
    -1105: "a parameter is empty",
    -1106: "a parameter was sent that is not needed",
    -1130: "a parameter has a value that is not valid",
    -1131: "recvWindow is too large",
    -2008: "the exchange does not know this key here",
    -2014: "this does not look like a key",
    -2015: "the key is unknown, or may not do this, or not from here",
    -2017: "the keys of this account are locked",
    -4056: "the type of the key is not valid",
    -4057: "the public key that was registered is not valid",
    -4084: "the exchange does not offer this method yet",
    -4109: "the futures account is not active",
    -5000: "there is no such path, or it does not take this method",
}

HINT_BY_CODE: Final[dict[int, str]] = {
    -1000: "call again later; if it stays, look at the exchange's status page",
    -1001: "call again later; a read is safe to repeat",
    -1002: (
        "tick Enable Reading and Enable Futures for the key, and check that it belongs "
        "to this environment"
    ),
    -1003: "slow down: the limit counts all programs behind this IP address",
    -1006: "call again later; a read is safe to repeat",
    -1007: "call again later; a read is safe to repeat",
    -1008: "call less often for some minutes",
    -1011: (
        "add this machine's IP address to the key's list, or call from an address that is on it"
    ),
    -1013: "something changed the request on its way, or base_url leads to another API",
    -1015: "this client sends no orders: look at the other programs of the account",
    -1016: "look for the exchange's announcement, and for a newer version of this package",
    -1020: "check base_url: it may lead to another API of the exchange",
    -1021: (
        "compare this machine's clock with the exchange's: client.server_time(); NTP keeps it right"
    ),
    -1022: (
        "the secret or private key is another key's or not complete, key and secret are "
        "swapped, or something changed the query after it was signed"
    ),
    -1099: "check base_url and the permissions of the key",
    -1100: (
        "after client.get, compare its params with the endpoint's page; for other calls, "
        "look for a gateway, a transport or a signer that changes the query"
    ),
    -1101: (
        "after client.get, compare its params with the endpoint's page; for other calls, "
        "look for a gateway, a transport or a signer that changes the query"
    ),
    -1102: (
        "after client.get, compare its params with the endpoint's page; for other calls, "
        "look for a gateway, a transport or a signer that changes the query"
    ),
    -1103: (
        "after client.get, compare its params with the endpoint's page; for other calls, "
        "look for a gateway, a transport or a signer that changes the query"
    ),
    -1104: (
        "after client.get, compare its params with the endpoint's page; for other calls, "
        "look for a gateway, a transport or a signer that changes the query"
    ),
    -1105: (
        "after client.get, compare its params with the endpoint's page; for other calls, "
        "look for a gateway, a transport or a signer that changes the query"
    ),
    -1106: (
        "after client.get, compare its params with the endpoint's page; for other calls, "
        "look for a gateway, a transport or a signer that changes the query"
    ),
    -1130: "check the arguments of the call, such as recv_window",
    -1131: "set recv_window to less than 60000; the exchange advises 5000 or less",
    -2008: (
        "the exchange does not know this key here: demo and production have different "
        "keys, check base_url"
    ),
    -2014: "the key is incomplete, contains a space or is empty: copy it again",
    -2015: (
        "check four things: the key exists on this environment (demo or production), "
        "this machine's IP address is on the key's list, Enable Futures is ticked for "
        "the key, and the account is no portfolio-margin account; after earlier success "
        "it can be a short ban"
    ),
    -2017: "unlock them on the exchange's website, or ask its support",
    -4056: "create an HMAC, Ed25519 or RSA key, and sign with a key of the same type",
    -4057: "register the whole public key again, in PEM",
    -4084: "look for the exchange's announcement, and check base_url",
    -4109: "the futures account was never opened: activate it on the website",
    -5000: (
        "after client.get, compare the path with the endpoint's page; for other calls, "
        "check base_url: there is no such path here"
    ),
}

STATUSES: Final = frozenset([400, 401, 403, 404, 408, 418, 429, 451, 503])
"""HTTP statuses of errors that the spec describes one by one."""
