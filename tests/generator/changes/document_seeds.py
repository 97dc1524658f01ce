"""Changes of hosts, error codes, texts and form, with the verdict that each must get."""

from __future__ import annotations

from tests.generator.changes.edits import append, drop, put, remove, reorder, together
from tests.generator.changes.seed import (
    ASSET,
    CODES,
    ERROR,
    MAJOR,
    MINOR,
    NONE,
    PATCH,
    TEXT,
    Seed,
    sort_all_keys,
)
from tests.specs.places import COMPONENTS, REFUSED, SCHEMAS

REST = [
    Seed("host added", append(("servers",), {"url": "https://x.binance.com", "description": "X.",
         "x-environment": "x"}), MINOR, ("host-added",)),
    Seed("host removed", drop(("servers", 1)), MAJOR, ("host-removed",)),
    Seed("mock exchange removed", drop(("servers", 2)), PATCH, ("texts",)),
    Seed("mock exchange at another port", put(("servers", 2, "url"), "http://127.0.0.1:9"), PATCH, ("texts",)),
    Seed("production moved", put(("servers", 0, "url"), "https://fapi2.binance.com"), MAJOR, ("host-moved",)),
    Seed("order of hosts", reorder(("servers",)), PATCH, ("places",)),
    Seed("environment renamed", put(("servers", 1, "x-environment"), "testnet"), MAJOR, ("host-removed",
         "host-added")),
    Seed("code removed", drop((*CODES, "-1131")), MAJOR, ("code-removed",)),
    Seed("kind changed", put((*CODES, "-1008", "kind"), "rate-limit"), MAJOR, ("code-kind",)),
    Seed("code permanent", put((*CODES, "-1000", "retryable"), False), MAJOR, ("code-permanent",)),
    Seed("code renamed", put((*CODES, "-1000", "name"), "UNKNOWN_ERROR"), PATCH, ("code-name",)),
    Seed("hint", put((*CODES, "-1000", "hint"), "wait"), PATCH, ("code-texts",)),
    Seed("Chinese hint", put((*CODES, "-1000", "x-hint-zh"), "等待"), PATCH, ("code-texts",)),
    Seed("errors without a code", together(drop((*ERROR, "properties", "code")), remove((*ERROR, "required"),
         "code")), MAJOR, ("error-field-lost",)),
    Seed("errors with a field more", put((*ERROR, "properties", "data"), TEXT), PATCH,
         ("error-field-changed",)),
    Seed("error described", put((*REFUSED, "description"), "No."), PATCH, ("texts",)),
    Seed("title", put(("info", "title"), "Title"), PATCH, ("texts",)),
    Seed("version", put(("info", "version"), "3.0.1"), PATCH, ("texts",)),
    Seed("source", put(("x-sources", "seen"), "Seen."), PATCH, ("texts",)),
    Seed("Chinese text", put((*ASSET, "x-description-zh"), "资产"), PATCH, ("texts",)),
    Seed("Chinese text goes", drop((*ASSET, "x-description-zh")), PATCH, ("texts",)),
    Seed("text of a shared schema", put((*SCHEMAS, "Amount", "description"), "Money."), PATCH, ("places",)),
    Seed("unknown key", put(("x-audience",), "all"), PATCH, ("unknown-quiet",)),
    Seed("order of keys", sort_all_keys, NONE, ()),
    Seed("order of schemas", reorder(SCHEMAS), NONE, ()),
    Seed("order of responses", reorder((*COMPONENTS, "responses")), NONE, ()),
    Seed("nothing", lambda document: None, NONE, ()),
]  # fmt: skip
