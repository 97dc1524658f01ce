"""Private keys: which are accepted, from where, and that no error shows a rejected one.

Signatures are tested in test_signing.py.
"""

from __future__ import annotations

import base64
import copy
import functools
import gc
import logging
import os
import pickle
import pprint
import re
import sys
from collections.abc import Callable, Iterator
from io import StringIO
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
import trustme
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa, x25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from binance_usdm import (
    AsyncClient,
    Client,
    ConfigurationError,
    Ed25519Signer,
    HmacSigner,
    RsaSigner,
)
from binance_usdm._auth.private_keys import PrivateKeySigner, signer_from_pem
from binance_usdm._auth.signers import compute_signature
from tests.support.canaries import crash_report
from tests.support.clients import KEY
from tests.support.timing import best_duration

POSIX = pytest.mark.skipif(
    not hasattr(os, "geteuid"), reason="this system keeps rights elsewhere than in a file's mode"
)
PASSWORD = "Pässword 271828"
SECRET = "HmacCanary141421"
LOCKED = BestAvailableEncryption(PASSWORD.encode())
PKCS8, TRADITIONAL = PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL


def make_pem(
    key: Any, form: PrivateFormat = PKCS8, lock: KeySerializationEncryption | None = None
) -> bytes:
    made: bytes = key.private_bytes(Encoding.PEM, form, lock or NoEncryption())
    return made


ED, RSA = ed25519.Ed25519PrivateKey.generate(), rsa.generate_private_key(65537, 2048)
EC, SMALL = ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65537, 1024)
SPKI = PublicFormat.SubjectPublicKeyInfo
GOOD: dict[str, tuple[Any, str | bytes | None]] = {
    "ed25519": (make_pem(ED), None),
    "ed25519, encrypted": (make_pem(ED, lock=LOCKED), PASSWORD),
    "ed25519, a password of bytes": (make_pem(ED, lock=LOCKED), PASSWORD.encode()),
    "ed25519, a password that is no UTF-8": (
        make_pem(ED, lock=BestAvailableEncryption(b"\xff\xfe")),
        os.fsdecode(b"\xff\xfe"),
    ),
    "ed25519, lines ended as in DOS": (
        b"\xef\xbb\xbf" + make_pem(ED).replace(b"\n", b"\r\n"),
        None,
    ),
    "ed25519, behind other text": (b"the key of the bot\n" + make_pem(ED), None),
    "rsa": (make_pem(RSA), None),
    "rsa, encrypted": (make_pem(RSA, lock=LOCKED), PASSWORD),
    "rsa, traditional": (make_pem(RSA, TRADITIONAL), None),
    "rsa, traditional, encrypted": (make_pem(RSA, TRADITIONAL, LOCKED), PASSWORD),
}
MADE = {
    kind: compute_signature(kind.from_pem(make_pem(key)), b"x")
    for kind, key in ((Ed25519Signer, ED), (RsaSigner, RSA))
}
MISSING = Path(__file__).parent / "no-such-file"
DAMAGED, WRONG = (
    "^private_key cannot be parsed; check that the PEM block",
    "^password is wrong, or private_key is incomplete",
)
BAD: dict[str, tuple[Any, Any, str]] = {  # what is given, and the words that say what is wrong
    "wrong password": (make_pem(ED, lock=LOCKED), f"{PASSWORD} wrong", WRONG),
    "wrong password of a traditional key": (
        make_pem(RSA, TRADITIONAL, LOCKED),
        f"{PASSWORD} wrong",
        WRONG,
    ),
    "a password with a lone surrogate": (make_pem(ED, lock=LOCKED), f"{PASSWORD}\ud800", WRONG),
    "no password": (
        make_pem(ED, lock=LOCKED),
        None,
        "^password is missing; private_key is encrypted$",
    ),
    "no password for a traditional key": (
        make_pem(RSA, TRADITIONAL, LOCKED),
        None,
        "^password is missing",
    ),
    "needless password": (
        make_pem(ED),
        PASSWORD,
        "^password is set, but private_key is not encrypted; omit the password$",
    ),
    "empty password": (make_pem(ED), "", "^password must be a non-empty string or bytes$"),
    "password of another type": (make_pem(ED), [PASSWORD], "^password must be a non-empty string"),
    "public key": (
        ED.public_key().public_bytes(Encoding.PEM, SPKI),
        None,
        "is a public key; use the private key",
    ),
    "public key of RSA": (
        RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.PKCS1),
        None,
        "is a public key",
    ),
    "certificate": (trustme.CA().cert_pem.bytes(), None, "is a certificate; use the private key"),
    "OpenSSH's format": (
        make_pem(ED, PrivateFormat.OpenSSH),
        None,
        "in the OpenSSH format; use PKCS#8, such as .* `openssl genpkey",
    ),
    "EC key": (make_pem(EC), None, "is an ECPrivateKey; the exchange accepts Ed25519 and RSA"),
    "EC key, traditional": (make_pem(EC, TRADITIONAL), None, "is an ECPrivateKey"),
    "Ed448 key": (make_pem(ed448.Ed448PrivateKey.generate()), None, "is an Ed448PrivateKey"),
    "X25519 key": (make_pem(x25519.X25519PrivateKey.generate()), None, "is an X25519PrivateKey"),
    "RSA key of 1024 bits": (
        make_pem(SMALL),
        None,
        "has 1024 bits; the exchange accepts RSA keys of 2048 and 4096",
    ),
    "two keys": (make_pem(ED) + make_pem(RSA), None, "contains 2 keys; use a file with one key"),
    "cut short": (make_pem(RSA)[:900], None, DAMAGED),
    "cut short before the last line": (make_pem(ED)[:-28], None, DAMAGED),
    "PEM in base64": (base64.b64encode(make_pem(ED)), None, "is PEM encoded as base64; decode it"),
    "escaped newlines, cut short": (make_pem(ED)[:-28].replace(b"\n", b"\\n"), None, DAMAGED),
    "a foreign character in the body": (make_pem(ED).replace(b"MC4C", b"MC*4C"), None, DAMAGED),
    "traditional, encrypted, its IV cut short": (  # cryptography 50 panics
        re.sub(
            rb"(DEK-Info: [^,]+,[0-9A-F]{16})[0-9A-F]+", rb"\1", make_pem(RSA, TRADITIONAL, LOCKED)
        ),
        PASSWORD,
        WRONG,
    ),
    "encrypted and cut short": (make_pem(ED, lock=LOCKED)[:120], PASSWORD, WRONG),
    "DER": (ED.private_bytes(Encoding.DER, PKCS8, NoEncryption()), None, "is not PEM"),
    "the bytes of a seed": (ED.private_bytes_raw(), None, "is not PEM"),
    "UTF-16": (make_pem(ED).decode().encode("utf-16"), None, "is not PEM"),
    "nothing": (b"", None, "is not PEM; a line -----BEGIN PRIVATE KEY----- is missing"),
    "10 MB": (make_pem(ED) + b"x" * 10_000_000, None, "is larger than 64 KiB"),
    "PEM as str": (
        make_pem(ED).decode(),
        None,
        r"is PEM as a string; pass PEM as bytes \(a str is a path\)",
    ),
    "PEM as path": (Path(make_pem(ED).decode()), None, "is PEM as a string"),
    "the body of a PEM as str": (
        make_pem(RSA).split(b"\n")[1].decode(),
        None,
        "file cannot be opened: No such file",
    ),
    "bytearray": (
        bytearray(make_pem(ED)),
        None,
        "must be the PEM as bytes or a path, not bytearray",
    ),
    "a key object": (ED, None, "must be the PEM as bytes .* not Ed25519PrivateKey"),
    "None": (None, PASSWORD, "must be the PEM as bytes .* not NoneType"),
    "a path with a NUL": ("a\0b", PASSWORD, "file cannot be opened: not a valid path"),
    "a missing file": (MISSING, PASSWORD, "file cannot be opened: No such file or directory$"),
}
KINDS: list[type[PrivateKeySigner]] = [Ed25519Signer, RsaSigner, PrivateKeySigner]
_MATERIAL = b"".join(
    source for source, *_ in [*GOOD.values(), *BAD.values()] if isinstance(source, bytes)
)


@functools.cache
def fragments() -> set[str]:
    """Each piece of sixteen characters of every key above."""
    lines = re.findall(
        rb"^[A-Za-z0-9+/=]{16,80}$",
        _MATERIAL.replace(b"\\n", b"\n").replace(b"\r", b""),
        re.MULTILINE,
    )
    texts = [
        *(line.decode() for line in lines),
        repr(ED.private_bytes_raw())[2:-1],
        ED.private_bytes_raw().hex(),
    ]
    return {text[at : at + 16] for text in texts for at in range(len(text) - 15)}


def shows_no_key(text: str) -> bool:
    shown = any(word in text for word in ("271828", SECRET, str(MISSING)))
    return not shown and fragments().isdisjoint(text[at : at + 16] for at in range(len(text)))


def error_of(make: Callable[[], object], says: str) -> str:
    """Return the message of a failing constructor, whose error must show no key anywhere."""
    with pytest.raises(ConfigurationError, match=says) as caught:
        make()
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
    report = crash_report(caught.value)
    assert shows_no_key(report), report
    return str(caught.value)


REWRITTEN: dict[str, Callable[[bytes], bytes]] = {
    "escaped newlines": lambda pem: pem.replace(b"\n", b"\\n"),
    "escaped CRLF": lambda pem: pem.replace(b"\n", b"\\r\\n"),
    "newlines escaped twice": lambda pem: pem.replace(b"\n", b"\\\\n"),
    "escaped newlines in quotes": lambda pem: b'"%b"' % pem.replace(b"\n", b"\\n"),
    "apostrophes": lambda pem: b"'%b'" % pem,
    "quotes and a newline": lambda pem: b' "%b"\n' % pem.strip(),
    "CRLF": lambda pem: pem.replace(b"\n", b"\r\n"),
    "CR": lambda pem: pem.replace(b"\n", b"\r"),
    "indents": lambda pem: b"    " + pem.replace(b"\n", b"\n\t  "),
    "spaces at line ends": lambda pem: pem.replace(b"\n", b"  \n"),
    "spaces instead of newlines": lambda pem: pem.replace(b"\n", b" "),
    "empty lines": lambda pem: pem.replace(b"\n", b"\n\n"),
    "no last newline": lambda pem: pem.rstrip(b"\n"),
    "byte order mark": lambda pem: b"\xef\xbb\xbf" + pem,
}


@pytest.mark.promise("S6")
@pytest.mark.parametrize("form", REWRITTEN)
@pytest.mark.parametrize("name", GOOD)
def test_pem_of_env_files_is_accepted(name: str, form: str) -> None:
    """Escaped, missing or doubled newlines, CRLF, indents and quotes do not matter."""
    source, password = GOOD[name]
    assert isinstance(source, bytes)
    signer = signer_from_pem(REWRITTEN[form](source), password)
    assert compute_signature(signer, b"x") == MADE[Ed25519Signer if name[:2] == "ed" else RsaSigner]


@pytest.mark.parametrize("filler", [b" ", b"\\", b"\\n", b"-----END ", b"Proc-Type: 4,ENCRYPTED "])
def test_hostile_pem_is_parsed_quickly(filler: bytes) -> None:
    """No 64 KiB of input make the search for a PEM block slow."""
    source = b"-----BEGIN PRIVATE KEY-----" + filler * (65000 // len(filler))
    assert best_duration(lambda: outcome(source, None), 0.2) < 0.2


@pytest.mark.promise("S6")
@pytest.mark.parametrize("name", GOOD)
def test_a_key_makes_the_signer_of_its_type_from_bytes_and_from_a_file(
    name: str, tmp_path: Path
) -> None:
    source, password = GOOD[name]
    file = tmp_path / "key\nof the bot.pem"
    file.touch(0o600)
    file.write_bytes(source)
    own, other = (Ed25519Signer, RsaSigner) if name.startswith("ed") else (RsaSigner, Ed25519Signer)
    signers = [
        signer_from_pem(source, password),
        *(own.from_pem(given_as, password) for given_as in (file, str(file))),
    ]
    assert {(type(signer), compute_signature(signer, b"x")) for signer in signers} == {
        (own, MADE[own])
    }
    error_of(lambda: other.from_pem(file, password), f"^private_key needs {own.__name__}.from_pem$")


@pytest.mark.promise("S6", "S4")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", BAD)
def test_what_is_no_usable_key_is_named_and_not_shown(
    name: str, kind: type[PrivateKeySigner]
) -> None:
    error_of(lambda: kind.from_pem(*BAD[name][:2]), BAD[name][2])


@pytest.mark.promise("S6", "S4")
@pytest.mark.parametrize("name", GOOD)
def test_a_key_given_elsewhere_than_to_from_pem_is_refused_and_not_shown(name: str) -> None:
    for make in (Ed25519Signer, RsaSigner):
        error_of(functools.partial(make, GOOD[name][0]), f"pass a key to {make.__name__}.from_pem")
    error_of(lambda: HmacSigner(GOOD[name][0]), "^api_secret must be a string, not bytes$")
    error_of(lambda: HmacSigner(GOOD[name][0].decode("latin-1")), "^api_secret contains a space")


@pytest.mark.promise("S6")
def test_without_cryptography_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives", None)
    error_of(
        lambda: signer_from_pem(*GOOD["ed25519, encrypted"]),
        r"extra crypto.*pip install cryptography$",
    )


def zoo(folder: Path) -> Iterator[tuple[str, str, Path]]:
    """Yield files that must not contain a key: name, message and path.

    Where possible, the file contains a valid key.
    """
    good = folder / "good"
    good.write_bytes(make_pem(ED))
    good.chmod(0o600)
    for mode in (0o644, 0o640, 0o604, 0o660, 0o602, 0o610, 0o601, 0o777):
        path = folder / f"{mode:o}"
        path.write_bytes(make_pem(ED))
        path.chmod(mode)
        yield f"{mode:o}", "is readable by other users; run `chmod 600 FILE`", path
    for name, says, make in (
        ("link", "it is a symbolic link", lambda path: path.symlink_to(good)),
        ("dangling link", "it is a symbolic link", lambda path: path.symlink_to(MISSING)),
        ("pipe", "is not a regular file", os.mkfifo),
        ("directory", "Is a directory", lambda path: path.mkdir(0o700)),
        ("empty", "is not PEM", lambda path: path.touch(0o600)),
        (
            "huge",
            "is larger than 64 KiB",
            lambda path: (path.touch(0o600), path.write_bytes(make_pem(ED) + b"\n" * 65536)),
        ),
        (
            "one byte too large",
            "than 64 KiB",
            lambda path: (path.touch(0o600), path.write_bytes(make_pem(ED).ljust(65537))),
        ),
    ):
        make(folder / name)
        yield name, says, folder / name
    yield "device", "is not a regular file", Path(os.devnull)
    yield "behind a file", "Not a directory", good / "key"
    yield "a long name", "File name too long", folder / ("x" * 300)
    if os.geteuid() == 0:
        path = folder / "foreign"
        path.write_bytes(make_pem(ED))
        path.chmod(0o600)
        os.chown(path, 12345, 12345)
        yield "another user's", "belongs to another user", path


@POSIX
@pytest.mark.promise("S7", "S4")
def test_an_unsafe_key_file_is_rejected(tmp_path: Path) -> None:
    """A file that others can read or change, or that is not a regular file, is rejected."""
    for name, says, path in zoo(tmp_path):
        for given_as in (path, str(path)):
            said = error_of(functools.partial(signer_from_pem, given_as), says)
            assert str(path) not in said, name
    for mode in (0o600, 0o400):
        (tmp_path / "good").chmod(mode)
        assert isinstance(signer_from_pem(tmp_path / "good"), Ed25519Signer)
    (tmp_path / "large").touch(0o600)
    (tmp_path / "large").write_bytes(make_pem(ED).ljust(65536))
    assert isinstance(signer_from_pem(tmp_path / "large"), Ed25519Signer)


@POSIX
@pytest.mark.promise("S7")
def test_the_opened_key_file_is_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The checks apply to the opened file, whatever its path means afterwards."""
    file = tmp_path / "key"
    file.touch(0o600)
    file.write_bytes(make_pem(ED))
    opened: list[int] = []
    real = os.open

    def exchanged(path: Any, flags: int) -> int:
        """Open the file; right afterwards its name belongs to another one."""
        opened.append(flags)
        descriptor = real(path, flags)
        file.unlink()
        file.write_bytes(make_pem(RSA))
        file.chmod(0o644)
        return descriptor

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", exchanged)
        signer = signer_from_pem(file)
    assert compute_signature(signer, b"x") == MADE[Ed25519Signer]
    assert opened[0] & os.O_NOFOLLOW
    assert opened[0] & os.O_NONBLOCK
    assert opened[0] & os.O_CLOEXEC
    file.chmod(0o600)
    with monkeypatch.context() as patched:
        patched.setattr(os, "geteuid", lambda: file.stat().st_uid + 1)
        error_of(lambda: signer_from_pem(file), "belongs to another user; run `chown` on it")


SIGNERS = [
    Ed25519Signer.from_pem(make_pem(ED)),
    RsaSigner.from_pem(make_pem(RSA)),
    HmacSigner(SECRET),
]


@pytest.mark.promise("S1")
@pytest.mark.parametrize("signer", SIGNERS)
def test_a_signer_shows_no_key(signer: object) -> None:
    log = logging.StreamHandler(StringIO())
    log.handle(logging.makeLogRecord({"msg": "%r", "args": (signer,)}))
    shown = [
        repr(signer),
        str(signer),
        f"{signer!r:>40}",
        pprint.pformat({1: [signer]}),
        log.stream.getvalue(),
    ]
    assert shows_no_key("".join([*shown, repr(dir(signer))]))
    assert shown[0] == shown[1] == f"<{type(signer).__name__}>" == shown[4].strip()
    with pytest.raises(TypeError, match="vars"):
        vars(signer)


@pytest.mark.promise("S2")
@pytest.mark.parametrize("signer", SIGNERS)
def test_a_signer_cannot_be_copied_or_pickled(
    signer: object,
) -> None:
    """A signer cannot be copied, pickled or sent to another process."""
    protocols = range(pickle.HIGHEST_PROTOCOL + 1)
    takes: list[Callable[[Any], object]] = [
        copy.copy,
        copy.deepcopy,
        lambda taken: taken.__getstate__(),
    ]
    takes += [functools.partial(pickle.dumps, protocol=protocol) for protocol in protocols]
    takes += [
        functools.partial(lambda protocol, taken: taken.__reduce_ex__(protocol), number)
        for number in protocols
    ]
    takes += [lambda taken: taken.__reduce__(), lambda taken: ForkingPickler.dumps([taken])]
    for take in takes:
        with pytest.raises(TypeError, match="holds a secret and cannot be copied or pickled"):
            take(signer)


BODY_LINE = make_pem(RSA).split(b"\n")[1]
ARMOUR = st.sampled_from(
    ["PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "PUBLIC KEY", ""]
)
WRAPPED = st.builds(
    lambda kind, body: (
        b"-----BEGIN %b-----\n%b\n-----END %b-----\n" % (kind, base64.b64encode(body), kind)
    ),
    ARMOUR.map(str.encode),
    st.binary(max_size=200),
)
SOURCES = [source for source, _ in GOOD.values() if isinstance(source, bytes)]
MUTATED = st.builds(
    lambda source, at, length, new: (
        source[: at % len(source)] + new + source[at % len(source) + length :]
    ),
    st.sampled_from(SOURCES),
    st.integers(0, 2000),
    st.integers(0, 40),
    st.binary(max_size=8) | st.sampled_from([b"", b"A", b"\n", b"\n\n", BODY_LINE]),
)


def outcome(source: bytes, password: Any) -> PrivateKeySigner | ConfigurationError:
    try:
        return signer_from_pem(source, password)
    except ConfigurationError as error:
        return error


@pytest.mark.promise("S6", "S4")
@settings(max_examples=400, deadline=None)
@given(
    st.binary() | WRAPPED | MUTATED,
    st.sampled_from([None, PASSWORD, PASSWORD.encode()]) | st.text() | st.binary(),
)
def test_whatever_bytes_are_given_a_signer_comes_or_a_configuration_error(
    source: bytes, password: Any
) -> None:
    found = outcome(source, password)
    if isinstance(found, ConfigurationError):
        assert (found.__cause__, found.__context__) == (None, None)
        assert str(found).isascii()
    else:
        assert compute_signature(found, b"timestamp=1")


UNFIT = {
    "blank": f"{SECRET} ", "blanks in front": f"  {SECRET}", "tab": f"{SECRET}\t",
    "CR LF": f"{SECRET}\r\nX-Evil: 1", "LF": f"{SECRET}\n",
    "NUL": f"{SECRET}\0", "escape": f"\x1b[31m{SECRET}", "letter of another script": f"{SECRET}é",
    "no-break space": f"{SECRET}\xa0",
    "zero-width space": f"{SECRET}\u200b", "BOM": f"\ufeff{SECRET}",
    "lone surrogate": f"{SECRET}\ud800", "full width": "１２３４",
    "quotes": f'"{SECRET}"', "apostrophes": f"'{SECRET}'", "empty": "", "bytes": SECRET.encode(),
    "10 MB": SECRET * 625_000,
    "10 MB of blanks": " " * 10_000_000,
}  # fmt: skip


def never(request: httpx.Request) -> httpx.Response:
    raise AssertionError("a request was sent")


@pytest.mark.promise("S16")
@pytest.mark.parametrize("kind", [Client, AsyncClient])
@pytest.mark.parametrize("name", UNFIT)
def test_a_key_or_secret_that_can_be_none_is_refused_at_once_and_not_shown(
    name: str, kind: Callable[..., Any]
) -> None:
    options = {"api_key": KEY, "api_secret": SECRET, "transport": httpx.MockTransport(never)}

    def make(position: str) -> None:
        error_of(lambda: kind(**{**options, position: UNFIT[name]}), f"^{position} ")

    make("api_key")
    assert best_duration(lambda: make("api_secret"), 0.2) < 0.2


@pytest.mark.promise("S20")
def test_no_object_leads_to_a_secret() -> None:
    client = Client("key-kept", "".join(["held", "-", "never"]))
    reached: dict[int, object] = {}
    ahead: list[object] = [client]
    while ahead:
        thing = ahead.pop()
        if id(thing) not in reached and not isinstance(thing, type | ModuleType | type(never)):
            reached[id(thing)] = thing
            ahead += gc.get_referents(thing)
    texts = [str(thing) for thing in reached.values() if isinstance(thing, str | bytes | bytearray)]
    assert "key-kept" in texts
    assert not [text for text in texts if "held-never" in text]
