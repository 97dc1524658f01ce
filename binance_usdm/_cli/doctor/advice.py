"""Texts of `doctor`: what a finding means and what to do about it."""

from __future__ import annotations

import ssl
from socket import gaierror
from typing import Final
from urllib.parse import urlsplit

from binance_usdm._config.defaults import DEMO, MAINNET
from binance_usdm._config.environment import ENV_API_KEY, ENV_API_SECRET, ENV_PRIVATE_KEY, ENV_PROXY
from binance_usdm._http.addresses import is_loopback

KEY_LENGTH: Final = 64
"""Length of each API key and each HMAC secret of the exchange."""
EXPECTED_LENGTH_TEXT: Final = f"{KEY_LENGTH} characters, as real ones have"

THIS_MACHINE: Final = "this machine"
OTHER_HOST: Final = "another host"
_ENVIRONMENTS: Final = {urlsplit(MAINNET).hostname: "production", urlsplit(DEMO).hostname: "demo"}
OLD_TESTNET: Final = "testnet.binancefuture.com"
OLD_TESTNET_TEXT: Final = "the old test network, reported as shut down for REST in 2025"

ADVICE_SUPPORTED_HOSTS: Final = f"Use {MAINNET}, or {DEMO} for demo trading."
ADVICE_COPY_KEYS: Final = (
    f"Copy {ENV_API_KEY} and {ENV_API_SECRET} again from the page of the key, complete and without "
    f"quotes. For a private key set {ENV_PRIVATE_KEY} to the PEM text or {ENV_PRIVATE_KEY}_FILE to "
    "the path of its file. Set exactly one of the variables that sign."
)
ADVICE_REFERENCES: Final = (
    "Check what the profile refers to: the variable, file or command must give the key and secret of "
    "one account, complete and without quotes."
)
ADVICE_UNKNOWN_HOST: Final = (
    f"Your key is sent there. Compare it, letter by letter, with {MAINNET}, "
    "unless it is your gateway."
)
ADVICE_CLOCK: Final = (
    "Set it by NTP. The client corrects it automatically after the first -1021; "
    "clock='exchange' avoids that rejection."
)
ADVICE_NTP: Final = (
    "Set it by NTP before it grows: requests a second ahead, or recvWindow behind, are rejected."
)
ADVICE_SLOW_NETWORK: Final = (
    "The round trip alone takes longer than recvWindow allows: set a larger recv_window."
)
ADVICE_NOT_THE_API: Final = (
    "The response is not the API's: a login page of the network, a proxy, a block page for this "
    "location, maintenance, or a base URL of another server."
)
ADVICE_FIREWALL: Final = "A firewall or gateway closes connections that it does not allow."
ADVICE_COMPARE_SIGNATURES: Final = (
    "Sign the same text with `reproduce` and with a program that works, if you have one. If the "
    "results differ, so do {what}. On a shared machine other users can read a running "
    "program's arguments."
)
ADVICE_SET_PROXY: Final = f"set {ENV_PROXY} or --proxy, and proxy= in your program."
ADVICE_PROXY_URL: Final = f"Check host and port in {ENV_PROXY} or --proxy."
NOT_TLS_TEXTS: Final = (
    "the server does not speak TLS: the port looks like one for http",
    "Check the port of the base URL; for a test host write http:// in it. Before the exchange's own "
    "port it is a proxy or a login page of the network.",
)
TLS_PORT_TEXTS: Final = (
    "the server speaks TLS: the port looks like one for https",
    "Write https:// in the base URL, or check its port.",
)
"""Summary and advice for http and https that were mistaken for each other."""
ADVICE_PROXY_LOGIN: Final = (
    f"It wants a user and a password: {ENV_PROXY}=http://user:pass@host:port, with @ in the "
    "password written as %40."
)
ADVICE_PROXY_REJECTS: Final = (
    "The proxy does not allow this host and port, or cannot reach them: ask who runs it."
)
_ADVICE_TLS_INTERCEPTION = (
    "A company gateway or similar intercepts TLS. If that is intended, set SSL_CERT_FILE to a file "
    "with its authority."
)

ADVICE_CONTRACT: Final = (
    "The exchange changed, or another server responds. Install the newest binance-usdm. If it says "
    "the same, open an issue with this report: it has no value of the account. Who maintains the "
    "spec stores the output of --json as report.json and continues in a clone:"
)
CONTRACT_COMMANDS: Final = (
    "binance-usdm contract reply report.json --proposal proposal.json; "
    "python -m generator changes spec/openapi.yaml proposal.json"
)

CONNECTION_ERROR_TEXTS: Final[dict[type, tuple[str, str]]] = {
    gaierror: (
        "the host's name is unknown",
        "Check how the base URL is written, and this machine's DNS.",
    ),
    ConnectionRefusedError: (
        "nothing listens there",
        "Check host and port; `binance-usdm mock serve` starts a mock.",
    ),
    TimeoutError: (
        "it took too long",
        f"A firewall drops packets, or this network allows only a proxy: {ADVICE_SET_PROXY}",
    ),
    ConnectionError: ("the connection was closed", ADVICE_FIREWALL),
    ssl.SSLEOFError: ("the connection was closed", ADVICE_FIREWALL),
    ssl.SSLError: (
        "no TLS 1.2 or newer there",
        "A proxy, a login page of the network, or a wrong port responds.",
    ),
    OSError: ("the host cannot be reached", "Check this machine's network."),
    Exception: ("the host's name is invalid", "Check how the base URL is written."),
}
"""Summary and advice by class; the nearest base class of an error applies."""

CERTIFICATE_ERROR_TEXTS: Final[dict[int | None, tuple[str, str]]] = {
    9: ("the certificate is not valid yet", "Check this machine's date."),
    10: (
        "the certificate has expired",
        "Check this machine's date; if it is right, another server responds.",
    ),
    18: ("the certificate is self-signed", _ADVICE_TLS_INTERCEPTION),
    19: ("the certificate's authority is not trusted here", _ADVICE_TLS_INTERCEPTION),
    20: (
        "the certificate's authority is not trusted here",
        f"{_ADVICE_TLS_INTERCEPTION} A bare container may lack ca-certificates.",
    ),
    62: (
        "the certificate is for another host",
        "Check the base URL; if it is right, DNS or a proxy leads to another server.",
    ),
    64: (
        "the certificate is for another address",
        "Use the host's name instead of its address.",
    ),
}
"""Summary and advice by OpenSSL's verify code."""

ADVICE_LOCATION: Final = (
    "Check where this machine's address is registered, and that of a VPN or cloud in between."
)
ADVICE_BLOCKED: Final = (
    "Likely causes: it does not serve this location, or that of a VPN or cloud in between; too "
    "many requests from this address; a string that it does not accept."
)
_CHALLENGE: Final = "a challenge page, which only a browser can pass, instead of the exchange"
_NO_ORIGIN: Final = "a network in front of the exchange got no valid response from it"
ADVICE_NO_ORIGIN: Final = "If it stays, this location or that of a VPN in between may be blocked."

STATUS_TEXTS: Final[dict[int, tuple[str, str]]] = {
    0: (
        "the weight budget of this minute is used up",
        "Programs behind this IP address have used it: call less often.",
    ),
    202: (_CHALLENGE, ADVICE_BLOCKED),
    403: ("a firewall in front of the exchange stopped it", ADVICE_BLOCKED),
    404: ("there is no such path here", ""),
    405: (_CHALLENGE, ADVICE_BLOCKED),
    418: ("this IP address is banned", ""),
    429: ("the weight limit of this IP address is used up", ""),
    451: (
        "the exchange does not serve this location, or that of a VPN in between",
        ADVICE_LOCATION,
    ),
    **dict.fromkeys((*range(520, 528), 530), (_NO_ORIGIN, ADVICE_NO_ORIGIN)),
}
"""Meaning, and advice instead of the client's hint, by HTTP status. 0 means not sent."""

ADVICE_PRIVATE_KEY: Final = (
    "Compare the public key that is registered with that of this private key. Otherwise something "
    "changed the query after it was signed."
)
_NOT_COPIED: Final = "most likely it was not copied whole."
_BELOW: Final = "What was signed is below."
_OTHER_PUBLIC_KEY: Final = (
    "Most likely this key was registered with another public key than this private key's."
)

CAUSES: Final[tuple[tuple[int, str, str], ...]] = (
    (
        -1021,
        "clock ok",
        "The clock is right: most likely the request took longer than "
        "recvWindow, {recv_window_ms} ms.",
    ),
    (-1022, "Ed25519", f"{_OTHER_PUBLIC_KEY} {_BELOW}"),
    (-1022, "RSA", f"{_OTHER_PUBLIC_KEY} {_BELOW}"),
    (-1022, "api_secret", f"The secret has {{api_secret}}: {_NOT_COPIED} {_BELOW}"),
    (-1022, "", f"Most likely the secret is another key's. {_BELOW}"),
    (-2008, "", "The key is not one of {environment}: most likely it belongs to {other}."),
    (-2014, "api_key", f"The key has {{api_key}}: {_NOT_COPIED}"),
    (-2015, "api_key", f"The key has {{api_key}}: {_NOT_COPIED}"),
    (
        -2015,
        "HMAC",
        "The key is well-formed: most likely the list of IP addresses or Enable Futures, "
        "or key and secret are swapped.",
    ),
    (
        -2015,
        "",
        "The key is well-formed: most likely the list of IP addresses or Enable Futures.",
    ),
)
"""Likely causes: the exchange's code, a fact that another check found or "", and the text.

The first one applies. "api_key" and "api_secret" mean that its length is unusual.
"""

KEY_TYPE_BY_SIGNER: Final = {"HmacSigner": "HMAC", "RsaSigner": "RSA", "Ed25519Signer": "Ed25519"}
"""Type of a key by the name of the class that signs with it."""
KEY_TYPE_TEXTS: Final = {
    "HMAC": "an HMAC key; the exchange recommends Ed25519",
    "Ed25519": "an Ed25519 key, as the exchange recommends",
    "RSA": "an RSA key; the exchange recommends Ed25519",
}
PARAMETER_MEANINGS: Final = {
    "recvWindow": "maximum age of the request on arrival, ms",
    "timestamp": "when it was made, ms since 1970-01-01 UTC",
    "signature": "over all before it; always last",
}
OPENSSL_COMMANDS: Final = {
    "HMAC": "printf %s '{query}' | openssl dgst -sha256 -hmac \"$BINANCE_API_SECRET\"",
    "Ed25519": (
        "printf %s '{query}' > query && "
        "openssl pkeyutl -sign -rawin -inkey {key} -in query | openssl base64 -A"
    ),
    "RSA": "printf %s '{query}' | openssl dgst -sha256 -sign {key} | openssl base64 -A",
}


def describe_environment(host: str) -> str:
    """Return where calls to a host go: "production", "demo", this machine or another host."""
    return _ENVIRONMENTS.get(host) or (THIS_MACHINE if is_loopback(host) else OTHER_HOST)
