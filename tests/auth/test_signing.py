"""Signatures against published examples and other implementations.

Loading of private keys is tested in test_private_keys.py.
"""

from __future__ import annotations

import ast
import base64
import functools
import itertools
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import httpx
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa

import binance_usdm
from binance_usdm import ConfigurationError, Ed25519Signer, HmacSigner, RsaSigner, Signer
from binance_usdm._auth.private_keys import signer_from_pem
from binance_usdm._auth.signers import compute_signature
from binance_usdm.mock import Exchange, ManualClock, Switches
from tests.support.clients import BODY, KEY, NOW, BlockingFacade, error_response
from tests.support.paths import DATA
from tests.support.spec_facts import BALANCE_PATH

ClientOf = Callable[..., BlockingFacade]
VECTORS: Any = json.loads(DATA.joinpath("signature_vectors.json").read_text(encoding="utf-8"))


def sign(vector: dict[str, Any], payload: str) -> str:
    signer: Signer = HmacSigner(VECTORS["secrets"][vector["secret"]])
    return compute_signature(signer, payload.encode("ascii")).decode("ascii")


@pytest.mark.parametrize("vector", VECTORS["vectors"], ids=lambda vector: vector["name"])
def test_a_signature_is_the_printed_one(vector: dict[str, Any]) -> None:
    assert sign(vector, vector["payload"]) == vector["signature"]


@pytest.mark.parametrize("vector", VECTORS["unusable"], ids=lambda vector: vector["name"])
def test_the_example_with_a_stray_space_is_unused(
    vector: dict[str, Any],
) -> None:
    """One published example is wrong because of a space, so it is not among the examples."""
    assert sign(vector, vector["payload"]) == vector["signature"] != vector["printed"]
    assert sign(vector, vector["printed_is_over"]) == vector["printed"]
    assert vector["printed_is_over"].replace(" ", "") == vector["payload"]


def test_every_vector_names_its_source() -> None:
    every = VECTORS["vectors"] + VECTORS["unusable"]
    assert {vector["source"] for vector in every} == set(VECTORS["sources"])
    assert len({vector["signature"] for vector in every}) == len(every)


def test_the_order_of_a_query_and_the_case_of_a_secret_matter() -> None:
    first, second = b"recvWindow=1&timestamp=2", b"timestamp=2&recvWindow=1"
    assert (
        len(
            {
                HmacSigner(secret).sign(payload)
                for secret in ("aB", "ab")
                for payload in (first, second)
            }
        )
        == 4
    )
    assert HmacSigner("aB").sign(first) == HmacSigner("aB").sign(first)


@pytest.mark.parametrize("made", [b"0a", b"A%2Fb%3D", b"a-._~"])
def test_hex_and_percent_encoded_base64_can_go_on_the_wire(made: bytes) -> None:
    class Fixed:
        def sign(self, payload: bytes) -> bytes:
            return made

    assert compute_signature(Fixed(), b"x") == made


def test_base64_that_is_not_percent_encoded_is_refused_without_showing_it() -> None:
    class Raw:
        def sign(self, payload: bytes) -> bytes:
            return b"ab+/cd=="

    with pytest.raises(ConfigurationError, match="percent-encoded") as caught:
        compute_signature(Raw(), b"x")
    assert "cd" not in str(caught.value).replace("encoded", "")


# Private keys that are published as examples: the seed of Ed25519, the two primes of RSA. Paths are
# those of GitHub.
PUBLISHED = {
    # RFC 8032, section 7.1, test 1
    "rfc 8032": ["9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"],
    # binance/binance-connector-java @ 7ff5f8b,
    # clients/spot/src/test/resources/test-ed25519-prv-key.pem
    "java": ["ba579ba12d0f34b33c95874db3fdd388794776f36f442c2e34dfd6d02dd8e941"],
    # binance/binance-spot-api-docs @ a5e0bc3, fix-api.md
    "fix": ["8244616b4606b8400a66fd0efcbea9af1611fd2540e975b3808b20007d9bcf6e"],
    # binance/binance-connector-dotnet @ 89c1b63, Tests/Common.Tests/BinanceRsa_Tests.cs
    "dotnet": [
        "edd7569c84debaebf8f592040cc4f773a34e9e51465bfc952d117cfc854f80cd1b0dfdeb28ff8ee98da3eaee7"
        "ad7158138684c7b25ed88f52e7663e6ff48badc"
        "b6ecdadb954ec6fa88a43ca796f33f21ab60f56b93108b8e93b8240456a70cd8c38d90ca16e0d84847cdfac5f"
        "e51a9054fb726fb1bb5d8f591f0795998564be5",
        "df891ac2f3300348813be2e1412792bcf2de9cc2b92da9d3c7f504faf63f95a515ecb3252809f478ff372129b"
        "1324f04804af2f5b1a251d783a99af9fa2defb4"
        "0caabe115ed9d5433ab2f548cddf69596321461f46f37082e4aaf1f487bedf8407351c417feaf26b989ffda04"
        "20ed04579d4466d1e8b7bc301cafae94f98731b",
    ],
    # sammchardy/python-binance @ b697c97, tests/test_cryptography.py
    "python": ["f426cf054a2444ea55decbf44fc315b92face8a0cb5b4b2fef501749929fa755"],
    # sammchardy/python-binance @ b697c97, tests/test_cryptography.py
    "python rsa": [
        "ba7fcbeaf8864689ad2b5f93c887902195c4d890fd2ea180233d63cc0763232b05bfbbc10742e76c3937541f1"
        "51ad1542e8f12593001b6bc8610e9f897a5b84b"
        "6c5d100a12a25897aa8a812a478f1c3257a5765135b186ab488e63ed931d3893619a2122ed3a6e24ce8909d1d"
        "3dd891f0bd86b6dcd409ecb219319f15041ed07",
        "b9e1baf28d1c2c0e3788589105f4ceac4b3fb20a512158b0a03aae76ba688c7092ef65b5327c3ed3d28be4445"
        "ddac635821809abf4166201359640c1c5e3a3cc"
        "52d5c3d9f93d2cbd3467f9f7838e0b2e2d1d34c6c2cbf8c818fdc1f9f07b5f565a5b6d75d5b95d0a297c9c9b7"
        "1fb9faabe9540d59ea3a86d1f90ec8481f23e73",
    ],
}  # fmt: skip

RSA_LTC = (
    "uz2xmNkOf1EEsnZoWGraxR13F4jF9JYdC68uvWqYyjFyjwDgcoiMRm23UqsxWkmA208smu7TuGVxm1cWoZa/5fLQ2T/Rc"
    "fLW9sokNWDzf1vM/xEpSmQEsSyI"
    "zd/c0pMWGsUkXsYpIarp3e/KSFzgwI73qZfbalBRkkK7u3dLWRVRk4kmEVf6dQUWMyXC44X8LB0M1XFrhkqcFYdcP9Nca"
    "CZCvb8nzG/nyUPtCJdBxVn8MMgX"
    "aVCM8DIbSrUBT0ZUxFQ3gTSd929LR1Tp6P2y4pHiWSElW5nJZYRRn2zUFt4xH7wvVKvuuEi8HH0Dusf6KBcWq8/3viAcR"
    "Uh1Cj4fsQ=="
)
RSA_BTC = (
    "S4l9IONXGHIdt4NjwmpCIhawDTitjUQls73d+mi0HJTSbTGyn95NabX5hC9+n6HsTqLcWPvxKgTvLFMnTaf6Jxl+xwQMb"
    "u9/6mw88KF7i1pEQizerKcr91rP"
    "UPVBQ4OY10Q018QEamIAymRgo/eoRYSm7CqCdeibGyO0XfXZBaJnVGFJ9hgrPIwSKHgeUnfK8qMenULvL0qKMEJ6ziYPi"
    "qh7k9xX3xIV7lGIpokk+ekqlFd0"
    "1f/Lov45osJCFuccJO4xuUUZewZnVGF7Uw6Rim3UsKhXKZUN9WZWa5RT+dpBIJ5DTBIXBSvowwj3GZC3j+XvWw8Sn0Ls9"
    "836l89BXw=="
)
KEY_PAIR_VECTORS = [  # key, payload, signature in base64; each as printed there
    ("java", "apiKey=apiKey&timestamp=1736393892000",
     "w5VdScCUjVCBg8gmima0WOwDjnL0BaNQ0Boi0A4rSSa8oszi1Ul+MWr5JH3JJ2zEduiEV781IxQg61lz3c+9BA=="),
    ("java", "apiKey=apiKey&symbol=&timestamp=1736393892000",
     "KLDHZVZtH/VN+LaiCEaT/eXb2LRTpFf9MpZqFOCS9m3SaB4c+FKCZhNRyscXmdDBBmJ1nh1ga4BlnYUjtLF3CQ=="),
    ("java", "apiKey=apiKey&price=1&quantity=1&side=BUY&symbol=&timestamp=1736393892000",
     "yuXrkIgZJ81Q1soaHPKVtlpH1ghddXaAatf3YrEh4dZu5KRfhmQf096gU59M2qS3TV+CPeyut97SrpRLPGU6Bg=="),
    ("java", "apiKey=apiKey&side=BUY&symbol=&timestamp=1736393892000&type=LIMIT",
     "pO+rE7jfSv5PQ0Rq1PMSEoAPPv0b4uxRz6UTrsWmqjGJCZfndNMKpcDwkaQWj0q1YBaXJpWptDUYK5eVMwc9AQ=="),
    ("java", "apiKey=apiKey&side=BUY&symbol=BTCUSDT&timestamp=1736393892000&type=LIMIT",
     "NY2J8Gl6ma79oNKejRwyRmuKvymgH5ybfEZ3fqC+wGnnfrIPNKY5iDB+btYVmBZq88HDZFMNHhjbxC+J7o3DBA=="),
    ("java", "apiKey=apiKey&symbol=BTCUSDT&timestamp=1736393892000",
     "kZ0llBO2AgpBpQGRjKoAonsZxZLnIZvfnyGNG2xSF4kMIuwWGjsYdBP+mVg9fYaNqKq8o6z1CmdfRH2JeNInDg=="),
    ("java", "apiKey=apiKey&cancelReplaceMode=STOP_ON_FAILURE&side=BUY&symbol=BTCUSDT&timestamp=17"
     "36393892000&type=LIMIT",
     "bqpekl/uVBvtZQ1GFDzSE4EEJWfnGACWT/L5fgDM/CtTw4GmVWSWtF/RBzQ/aBcDFN+cfiCB3MqvpedhscujCQ=="),
    ("java", "apiKey=apiKey&quantity=0&side=BUY&symbol=BTCUSDT&timestamp=1736393892000&type=LIMIT",
     "B0jL2/g4n2IwvNqT4MyGBe1OShUFiWCnQM3HAsRR1ByWYQfmX2GoWIj30l9LW3XC178spy7hK7dLu3Mg+NA6Dg=="),
    ("java", "apiKey=apiKey&price=0&quantity=0&side=BUY&symbol=BTCUSDT&timestamp=1736393892000",
     "/8TmawWHjAA1Hh/2WM013nT6XYVZgNMHhIxhV0H0uOjx579pm3hGlv00/LgT4t8Gxw7FQrIyBjXmGIyWwcyzDw=="),
    ("java", "aboveType=STOP_LOSS&apiKey=apiKey&belowPrice=0&belowType=TAKE_PROFIT&quantity=0&side"
     "=BUY&symbol=BTCUSDT&timestam"
     "p=1736393892000", "iuJFRKcXvmoF1c0bxhSrNrCbq314Th86woSILSx0hABEx80SIZfh76HmcYPPl/s1N+W4VKgEK"
     "iofqWvN4QnrDQ=="),
    ("java", "apiKey=apiKey&pendingQuantity=0&pendingSide=BUY&pendingType=MARKET&symbol=BTCUSDT&ti"
     "mestamp=1736393892000&workin"
     "gPrice=0&workingQuantity=0&workingSide=BUY&workingType=LIMIT",
     "t2Yc2nqxS8V20xSPFuKj154D5TPclZJoLJqgS4gF5TiFftmEilIxz9B9P09RhwvAFLib/bUWxA7vcoCvEm09CQ=="),
    ("java", "apiKey=apiKey&pendingAboveType=LIMIT_MAKER&pendingQuantity=0&pendingSide=BUY&symbol="
     "BTCUSDT&timestamp=1736393892"
     "000&workingPrice=0&workingQuantity=0&workingSide=BUY&workingType=LIMIT",
     "qRYNB8Bn6BrM0DRxiqN3tKdx4uS9lEMdsZcelUqrlMJk4RyYCzgBHzXfZDz7r3e36xL4h3EzMPaNs2oI/PGdCg=="),
    ("fix", "A\x01EXAMPLE\x01SPOT\x011\x0120240627-11:17:25.223",
     "4MHXelVVcpkdwuLbl6n73HQUXUf1dse2PCgT1DYqW9w8AVZ1RACFGM+5UdlGPrQHrgtS3CvsRURC1oj73j8gCA=="),
    ("dotnet", "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow="
     "5000&timestamp=1499827319559", RSA_LTC),
    ("python", "price=50000&quantity=1&side=BUY&symbol=BTCUSDT&timestamp=1631234567890&type=LIMIT",
     "a4Pm3p02D2HXtNfo3DBaVCe9Ov7kledewgYtGjekotFmZ5wXa3mC5AtLB7CpAphyNjeyovIuDP+9fyjYmsojCw=="),
    ("python rsa", "price=50000&quantity=1&side=BUY&symbol=BTCUSDT&timestamp=1631234567890&type=LI"
     "MIT", RSA_BTC),
]  # fmt: skip


@functools.cache
def key_of(name: str) -> ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey:
    numbers, e = PUBLISHED[name], 65537
    if len(numbers) == 1:
        return ed25519.Ed25519PrivateKey.from_private_bytes(bytes.fromhex(numbers[0]))
    p, q = (int(number, 16) for number in numbers)
    d, public = pow(e, -1, (p - 1) * (q - 1)), rsa.RSAPublicNumbers(e, p * q)
    return rsa.RSAPrivateNumbers(
        p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), public
    ).private_key()


def signer_of(name: str) -> Signer:
    form = serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"pw")
    return signer_from_pem(key_of(name).private_bytes(serialization.Encoding.PEM, *form), "pw")


def raw(signer: Signer, payload: bytes) -> bytes:
    """The signature that the exchange reads from the wire."""
    return base64.b64decode(unquote_to_bytes(compute_signature(signer, payload)), validate=True)


@pytest.mark.promise("S6")
@pytest.mark.parametrize(("name", "payload", "printed"), KEY_PAIR_VECTORS)
def test_a_signature_of_a_published_key_is_the_printed_one(
    name: str, payload: str, printed: str
) -> None:
    signer = signer_of(name)
    assert type(signer) is (Ed25519Signer if len(PUBLISHED[name]) == 1 else RsaSigner)
    assert (
        raw(signer, payload.encode()) == raw(signer, payload.encode()) == base64.b64decode(printed)
    )


@pytest.mark.promise("S6")
def test_ed25519_signs_the_balance_query_as_the_rfc_8032_key_does() -> None:
    own = "YiFsjbqOf/w96yXX8/nB/ruxOifpy02SRBtHdQBVDyBOrLmBvOi+N3Xu1WR9FrjbYe9z8H253jkMV4usHjr4BQ=="
    sent = compute_signature(signer_of("rfc 8032"), b"recvWindow=5000&timestamp=%d" % NOW)
    assert sent.decode() == own.replace("/", "%2F").replace("+", "%2B").replace("=", "%3D")


OPENSSL = shutil.which("openssl")
GENERATED = {
    "ed25519": ["-algorithm", "ed25519"],
    "rsa": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
}
CHECKS = {
    "ed25519": [
        "pkeyutl",
        "-verify",
        "-pubin",
        "-inkey",
        "public",
        "-rawin",
        "-in",
        "payload",
        "-sigfile",
        "signature",
    ],
    "rsa": ["dgst", "-sha256", "-verify", "public", "-signature", "signature", "payload"],
}


@pytest.mark.promise("S6")
@pytest.mark.skipif(
    OPENSSL is None, reason="the openssl command is not installed: no other implementation to ask"
)
@pytest.mark.parametrize("kind", CHECKS)
def test_openssl_makes_an_encrypted_key_and_agrees_with_its_signature(
    kind: str, tmp_path: Path
) -> None:
    def openssl(*command: str) -> bool:
        return (
            subprocess.run(
                [str(OPENSSL), *command], cwd=tmp_path, capture_output=True, check=False
            ).returncode
            == 0
        )

    password, payload = "pass:per aspera", tmp_path / "payload"
    assert openssl(
        "genpkey", *GENERATED[kind], "-aes-256-cbc", "-pass", password, "-out", "private"
    )
    assert openssl("pkey", "-in", "private", "-passin", password, "-pubout", "-out", "public")
    (tmp_path / "private").chmod(0o600)
    signer = signer_from_pem(tmp_path / "private", "per aspera")
    payload.write_bytes(b"timestamp=%d" % NOW)
    (tmp_path / "signature").write_bytes(raw(signer, payload.read_bytes()))
    assert openssl(*CHECKS[kind])
    payload.write_bytes(b"timestamp=%d" % (NOW + 1))
    assert not openssl(*CHECKS[kind])


def verify(name: str, made: bytes, payload: bytes) -> None:
    """Raise InvalidSignature unless the signature, as it was sent, is the public key's."""
    key, signed = key_of(name), base64.b64decode(unquote_to_bytes(made), validate=True)
    if isinstance(key, rsa.RSAPrivateKey):
        key.public_key().verify(signed, payload, padding.PKCS1v15(), hashes.SHA256())
    else:
        key.public_key().verify(signed, payload)


@pytest.mark.promise("S6", "R5")
@pytest.mark.parametrize("name", ["fix", "dotnet"])
def test_every_attempt_gets_a_new_signature(make_client: ClientOf, name: str) -> None:
    """Every attempt of a call has a new signature, over the bytes that are sent."""
    seen: dict[bytes, bytes] = {}

    def exchange(request: httpx.Request) -> httpx.Response:
        payload, _, made = request.url.raw_path.partition(b"?")[2].rpartition(b"&signature=")
        verify(name, made, payload)
        assert payload not in seen
        seen[payload] = made
        return error_response(503) if len(seen) % 3 else httpx.Response(200, content=BODY)

    client = make_client(
        exchange,
        api_secret=None,
        signer=signer_of(name),
        clock=itertools.count(NOW).__next__,
        limiter=None,
        retry=lambda error, attempt: 0.0 if attempt < 3 else None,
    )
    assert len(client.balance(recv_window=5000)) == len(client.balance()) == 1
    assert list(seen) == [
        b"%btimestamp=%d" % (b"recvWindow=5000&" * (call < 3), NOW + call) for call in range(6)
    ]
    assert len(set(seen.values())) == 6


@pytest.mark.promise("S17")
def test_a_copied_request_is_of_no_use(make_client: ClientOf) -> None:
    def verified(payload: bytes, made: str) -> bool:
        verify("fix", made.encode(), payload)
        return True

    clock = ManualClock(NOW)
    exchange = Exchange(clock=clock, switches=Switches(refuse_replay=True))
    exchange.add_account(KEY, verified)
    client = make_client(
        exchange,
        api_secret=None,
        signer=signer_of("fix"),
        clock=itertools.count(NOW).__next__,
        limiter=None,
    )
    client.balance()
    target = (BALANCE_PATH.encode() + b"?") + exchange.requests[-1].raw_query

    def copied() -> int | None:
        return exchange.handle("GET", target, [(b"X-MBX-APIKEY", KEY.encode())]).code

    assert (
        copied() == -1022
    )  # as long as the window lasts, by the strict switch: the exchange itself may accept it
    client.balance()
    exchange.switches = Switches()
    clock.advance(5000)
    assert copied() is None
    clock.advance(1)
    assert copied() == -1021


def compared(source: str) -> list[int]:
    """Yield the lines on which a signature is compared by == or !=, whose time depends on it."""

    def names_signature(node: ast.expr) -> bool:
        while not isinstance(node, ast.Name):
            if isinstance(node, ast.Attribute) and telling(node.attr):
                return True
            inner = getattr(node, "func", None) or getattr(node, "value", None)
            if not isinstance(inner, ast.expr):
                return False
            node = inner
        return telling(node.id)

    def telling(name: str) -> bool:
        return any(word in name.lower() for word in ("signature", "digest", "hmac"))

    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Compare)
        and {type(operator) for operator in node.ops} & {ast.Eq, ast.NotEq}
        if any(map(names_signature, [node.left, *node.comparators]))
    ]


@pytest.mark.promise("S18")
def test_no_signature_is_compared_in_a_time_that_tells_of_it() -> None:
    bad = [
        "signature == x",
        "x != self._signature[0]",
        "a.hexdigest() == b",
        "f(x) == signatures.lower().encode()",
    ]
    bad += [
        "hmac.new(k, p, h).hexdigest() == x",
        "1 < 2 == expected_digest",
        "(await signature) != x",
    ]
    good = [
        "len(signature) == 64",
        "hmac.compare_digest(signature, x)",
        "signature is None",
        "x in signatures",
        "a == b",
    ]
    assert [compared(f"async def f(): {line}") for line in bad] == [[1]] * len(bad)
    assert [compared(line) for line in good] == [[]] * len(good)
    sources = {
        path: path.read_text(encoding="utf-8")
        for path in Path(binance_usdm.__file__).parent.rglob("*.py")
    }
    assert {path: found for path, text in sources.items() if (found := compared(text))} == {}
    assert any("compare_digest" in text for text in sources.values())
