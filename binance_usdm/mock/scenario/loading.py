"""Set the state of an exchange to that of a scenario."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from binance_usdm.mock.core.clock import SkewedClock
from binance_usdm.mock.core.switches import Switches
from binance_usdm.mock.engine import Engine
from binance_usdm.mock.state.accounts import Account, Secret, account_alias, normalize_ip

from .bodies import parse_reply_body, parse_stub_body
from .document import Document, Source, read_document
from .fault_entries import parse_fault_entry
from .secrets import resolve_secret

KeySecret = tuple[Secret, Mapping[str, Any] | None]
"""Secret of a key, and what a saved scenario has instead of it."""


# Without a repr, which would show secrets.
@dataclass(frozen=True, slots=True, repr=False)
class Scenario:
    """Scenario that was read, with its secrets.

    Attributes:
        document: The scenario, valid against the schema.
        secrets: Secrets by the key's string.
        path: Path of its file, or `None`.
    """

    document: Document = field(default_factory=dict)
    secrets: Mapping[str, KeySecret] = field(default_factory=dict)
    path: Path | None = None

    @property
    def has_accounts(self) -> bool:
        """Whether the scenario has accounts instead of the default one."""
        return bool(self.document.get("accounts"))


def read_scenario(source: Source, held: Mapping[str, Secret]) -> Scenario:
    """Read a scenario and the secrets that it refers to.

    Args:
        source: JSON value, or path of a file.
        held: Secrets by key that the exchange holds. They are used for the references of a JSON
            value, and of a file for those that lead nowhere.

    Raises:
        ValueError: The scenario is not valid, or a secret cannot be read. The message has the
            place, and no secret.
    """
    if isinstance(source, Mapping):
        return make_scenario(read_document(source), Path(), held)
    path = Path(source)
    with _in_file(path):
        scenario = make_scenario(read_document(path), path.parent, held, is_file=True)
    return replace(scenario, path=path)


def make_scenario(
    document: Document, folder: Path | None, held: Mapping[str, Secret], *, is_file: bool = False
) -> Scenario:
    """Return a scenario with its secrets. The arguments are those of `resolve_secret`.

    Raises:
        ValueError: A secret cannot be read, or a key occurs twice.
    """
    secrets: dict[str, KeySecret] = {}
    for place, key in _iter_keys(document):
        with _at(place):
            if key["api_key"] in secrets:
                raise ValueError("another key has the same api_key")
            secrets[key["api_key"]] = resolve_secret(key, folder, held, is_file=is_file)
    return Scenario(document, secrets)


def _iter_keys(document: Document) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for account_number, account in enumerate(document.get("accounts", ())):
        for number, key in enumerate(account["keys"]):
            yield f"accounts[{account_number}].keys[{number}]", key


@contextmanager
def _in_file(path: Path | None) -> Iterator[None]:
    """Put the path of a file before the message of a ValueError."""
    try:
        yield
    except ValueError as error:
        raise ValueError(str(error) if path is None else f"{path}: {error}") from None


@contextmanager
def _at(place: str) -> Iterator[None]:
    """Put a place before the message of a ValueError."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"scenario.{place}: {error}") from None


def load_scenario(engine: Engine, scenario: Scenario) -> None:
    """Replace the state of an exchange by that of a scenario.

    The log and the counts start again. If the scenario is not valid, the exchange stays as it is.

    Args:
        engine: Exchange.
        scenario: Scenario.

    Raises:
        ValueError: The exchange rejects a part of the scenario. The message has the place.
    """
    with _in_file(scenario.path), engine.replacing_state():
        _apply(engine, scenario)


def _apply(engine: Engine, scenario: Scenario) -> None:
    document = scenario.document
    with _at("switches"):
        engine.state.switches = Switches().with_changes(document.get("switches", {}))
    with _at("clock"):
        _set_clock(engine.clock, document.get("clock", {}))
    if scenario.has_accounts:
        _add_accounts(engine, scenario)
    else:
        engine.add_first_key()
    for number, stub in enumerate(document.get("stubs", ())):
        with _at(f"stubs[{number}]"):
            engine.stub(stub["request"], parse_stub_body(stub), **_schedule_options(stub))
    for number, fault in enumerate(document.get("faults", ())):
        with _at(f"faults[{number}]"):
            engine.fail(parse_fault_entry(fault))
    for number, entry in enumerate(document.get("addresses", ())):
        with _at(f"addresses[{number}]"):
            _set_weight(engine, entry)


def _set_clock(clock: SkewedClock, entry: Mapping[str, Any]) -> None:
    if "now_ms" in entry and "offset_ms" in entry:
        raise ValueError("set at most one of now_ms, offset_ms")
    clock.advance(entry.get("offset_ms", 0))
    if "now_ms" in entry:
        clock.advance(entry["now_ms"] - clock())
    clock.drift(entry.get("drift_ppm", 0))
    if entry.get("frozen", False):
        clock.freeze()


def _add_accounts(engine: Engine, scenario: Scenario) -> None:
    for number, entry in enumerate(scenario.document["accounts"]):
        alias = account_alias(number) if number else None
        account = Account({}, entry.get("opened", True), alias)
        if not number:
            engine.state.account = account
        if not entry["keys"]:
            raise ValueError(f"scenario.accounts[{number}].keys: the account needs a key")
        for key_number, key in enumerate(entry["keys"]):
            with _at(f"accounts[{number}].keys[{key_number}]"):
                _add_key(engine, account, key, scenario)
        for reply_number, reply in enumerate(entry.get("replies", ())):
            with _at(f"accounts[{number}].replies[{reply_number}]"):
                _set_reply(engine, account, entry["keys"][0]["api_key"], reply)


def _add_key(
    engine: Engine, account: Account, entry: Mapping[str, Any], scenario: Scenario
) -> None:
    secret, source = scenario.secrets[entry["api_key"]]
    options = {name: entry[name] for name in ("addresses", "permissions") if name in entry}
    engine.add_key(account, entry["api_key"], secret, source=source, **options)


def _set_reply(engine: Engine, account: Account, api_key: str, entry: Mapping[str, Any]) -> None:
    body = parse_reply_body(engine.spec, entry, account)
    operation = engine.spec.require_operation(entry["operation"])
    needs_key = operation.key_header is not None
    if not needs_key and account is not engine.state.account:
        raise ValueError(
            f"{operation.id} needs no key, so only the first account has a body for it"
        )
    key = api_key if needs_key else None
    engine.seed(operation.id, body, key, **_schedule_options(entry))


def _schedule_options(entry: Mapping[str, Any]) -> dict[str, int]:
    return {name: entry[name] for name in ("nth", "after_ms") if name in entry}


def _set_weight(engine: Engine, entry: Mapping[str, Any]) -> None:
    now = engine.clock()
    counter = engine.state.counter_for(normalize_ip(entry["address"]))
    counter.add_scripted(entry.get("used", 0), now)
    counter.rejected_calls = entry.get("rejected_calls", 0)
    if "banned_ms" in entry:
        counter.ban(entry["banned_ms"], now, is_scripted=True)
    counter.ban_count = entry.get("ban_count", counter.ban_count)
