"""The form of a seeded change, and edits that several seeds make."""

from __future__ import annotations

import copy
from typing import NamedTuple

from generator.document.openapi import Json, walk_objects
from tests.generator.changes.edits import (
    REAL,
    WIDE,
    Edit,
    append,
    apply,
    at,
    drop,
    put,
    remove,
    rename,
    sort_keys,
    together,
)
from tests.specs.places import PROPERTIES, ROW, SCHEMAS, TIME, UPDATED, Place


class Seed(NamedTuple):
    """One change: its name, the edit, the step, and the rules that must be among the changes."""

    name: str
    edit: Edit
    step: str
    rules: tuple[str, ...]
    wide: bool = False
    before: Edit | None = None
    """An edit of the old document too."""

    def documents(self) -> tuple[Json, Json]:
        """Return the old document and the new one."""
        base = WIDE if self.wide else REAL
        old = apply(self.before, base) if self.before else base
        return old, apply(self.edit, old)


MAJOR, MINOR, PATCH, NONE = "major", "minor", "patch", "none"
REQUIRED: Place = (*ROW, "required")
ASSET: Place = (*PROPERTIES, "asset")
CODES: Place = ("x-error-codes",)
TEXT: Json = {"type": "string", "description": "A field."}
AMOUNT: Json = {"$ref": "#/components/schemas/Amount", "description": "An amount."}
ARGUMENT: Json = {
    "name": "asset", "in": "query", "required": False, "description": "An asset.", "schema": {"type": "string"},
}  # fmt: skip
PATHS: Place = ("paths",)
ACCOUNT: Place = (*PATHS, "/fapi/v3/account", "get")
WIDE_ROW: Place = (*SCHEMAS, "Account", "properties")
PARAMETERS: Place = (*ACCOUNT, "parameters")
SIDE: Place = (*PARAMETERS, 3, "schema")
PATTERN: Place = (*PARAMETERS, 4, "schema", "pattern")
LIMIT: Place = (*PARAMETERS, 5)
KLINE: Place = (*SCHEMAS, "Kline")
CHOICES: Json = {
    "type": "integer",
    "format": "int32",
    "minimum": 1,
    "maximum": 1000,
    "enum": [5, 10, 20],
}
ERROR: Place = (*SCHEMAS, "ExchangeError")


def add_field(name: str, schema: Json, *, required: bool = False) -> Edit:
    edit = put((*PROPERTIES, name), schema)
    return together(edit, append(REQUIRED, name)) if required else edit


def remove_field(name: str) -> Edit:
    return together(drop((*PROPERTIES, name)), remove(REQUIRED, name))


def rename_field(old: str, new: str) -> Edit:
    return together(rename((*PROPERTIES, old), new), remove(REQUIRED, old), append(REQUIRED, new))


def rename_class(old: str, new: str) -> Edit:
    def edit(document: Json) -> None:
        rename((*SCHEMAS, old), new)(document)
        for _, node in walk_objects((), document):
            if node.get("$ref") == f"#/components/schemas/{old}":
                node["$ref"] = f"#/components/schemas/{new}"

    return edit


def inline_amount(document: Json) -> None:
    """Write a referenced schema where it is used."""
    balance = at(document, (*PROPERTIES, "balance"))
    amount = at(document, (*SCHEMAS, "Amount"))
    at(document, PROPERTIES)["balance"] = {
        **amount,
        **{k: v for k, v in balance.items() if k != "$ref"},
    }


def name_time(document: Json) -> None:
    """Move a schema to the components, without any other change."""
    schema = at(document, UPDATED)
    at(document, SCHEMAS)["Millisecond"] = {
        k: v for k, v in schema.items() if k not in ("description", "x-description-zh")
    }
    at(document, PROPERTIES)["updateTime"] = {
        "$ref": "#/components/schemas/Millisecond",
        "description": schema["description"],
        "x-description-zh": schema["x-description-zh"],
    }


def add_account_operation(document: Json) -> None:
    operation = copy.deepcopy(at(document, TIME))
    operation["operationId"] = "ping"
    document["paths"]["/fapi/v1/ping"] = {"get": operation}


def klines(document: Json) -> None:
    """Let the rows of an operation be arrays of different values."""
    item = {
        "type": "integer",
        "format": "int64",
        "minimum": 0,
        "maximum": 2**53,
        "x-name": "openTime",
    }
    row = {
        "type": "array",
        "description": "A row.",
        "prefixItems": [item, {**TEXT, "x-name": "open"}],
    }
    document["components"]["schemas"]["Kline"] = row
    content = document["paths"]["/fapi/v1/time"]["get"]["responses"]["200"]["content"]
    items = {"$ref": "#/components/schemas/Kline"}
    content["application/json"]["schema"] = {"type": "array", "items": items}


def sort_all_keys(document: Json) -> None:
    ordered = sort_keys(document)
    document.clear()
    document.update(ordered)
