"""Check security schemes, parameters, headers and responses."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jsonschema_rs import Draft202012Validator, ReferencingError

from .operations import signing_role
from .schemas import check_schema, resolve_or_empty
from .spec import Json, python_name

RESERVED_ARGUMENTS = {"base_url", "csv", "demo", "help", "json", "non_zero", "timeout"}
"""Options that every shell command already has."""
RESERVED_HEADERS = {
    "accept",
    "accept-encoding",
    "connection",
    "content-length",
    "host",
    "transfer-encoding",
    "upgrade",
    "user-agent",
}
"""Headers that the client sets itself, or that change how a request is parsed."""
UNRESERVED = re.compile(r"[A-Za-z0-9._~-]+")
"""Characters that need no percent-encoding (RFC 3986, 2.3)."""
TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
"""Name of a header (RFC 9110, 5.6.2)."""
LOCATION_BY_ROLE = {"key": "header", "signature": "query"}


def check_scheme(where: str, scheme: Json, document: Json) -> Iterator[str]:
    """Yield the findings of a security scheme."""
    role = signing_role(scheme) or ""
    location = LOCATION_BY_ROLE.get(role)
    name = scheme.get("name", "-")
    if location and scheme.get("in") != location:
        yield f"{where}: a {role} belongs in the {location}; set in: {location}"
    if scheme.get("in") == "query" and not UNRESERVED.fullmatch(name):
        yield f"{where}: name {name!r} would need percent-encoding"
    if scheme.get("in") == "header" and not TOKEN.fullmatch(name):
        yield f"{where}: name {name!r} is not a valid header name"
    if scheme.get("in") == "header" and name.lower() in RESERVED_HEADERS:
        yield f"{where}: header {name!r} has another purpose; it cannot carry a key"


def check_parameter(where: str, parameter: Json, document: Json) -> Iterator[str]:
    """Yield the findings of a parameter. The target of a `$ref` is checked where it is defined."""
    if "$ref" in parameter:
        return
    if "schema" in parameter:
        yield from check_schema(f"{where}.schema", parameter["schema"], document, is_parameter=True)
    schema = resolve_or_empty(document, parameter.get("schema", {}))
    name = parameter.get("name", "-")
    role = signing_role(parameter)
    if not UNRESERVED.fullmatch(name):
        yield f"{where}: name {name!r} would need percent-encoding"
    if python_name(name).rstrip("_") in RESERVED_ARGUMENTS:
        yield f"{where}: name {name!r} is an option that every shell command already has"
    if schema.get("type", "string") not in ("string", "integer", "boolean"):
        yield f"{where}: a parameter must be a string, an integer or a boolean, and not null"
    if role and schema.get("type") != "integer":
        yield f"{where}: a {role} must be an integer"
    if role == "timestamp" and parameter.get("required") is not True:
        yield f"{where}: the timestamp must be required"


def check_response(where: str, response: Json, document: Json) -> Iterator[str]:
    """Yield the findings of a response."""
    for name, header in response.get("headers", {}).items():
        yield from check_header(f"{where}.headers.{name}", header, document)
    for media_type, media in response.get("content", {}).items():
        place = f"{where}.content.{media_type}"
        if "schema" in media:
            findings = [*check_schema(f"{place}.schema", media["schema"], document)]
            yield from findings or check_examples(place, media, document)


def check_examples(where: str, media: Json, document: Json) -> Iterator[str]:
    """Yield where the examples of a response break its schema: the mock exchange sends them."""
    schema = {**media["schema"], "components": document.get("components", {})}
    examples = {
        f"examples.{name}": example.get("value")
        for name, example in media.get("examples", {}).items()
    }
    if "example" in media:
        examples["example"] = media["example"]
    try:
        validator = Draft202012Validator(schema)
        for name, value in examples.items():
            for error in validator.iter_errors(value):
                path = ".".join(map(str, [where, name, *error.instance_path]))
                yield f"{path}: {error.message}"
    except (ValueError, ReferencingError):
        # A pattern or a reference that is not valid is reported where it stands.
        return


def check_header(where: str, header: Json, document: Json) -> Iterator[str]:
    """Yield the findings of a response header."""
    if "schema" in header:
        yield from check_schema(f"{where}.schema", header["schema"], document)


def check_named_schema(where: str, schema: Json, document: Json) -> Iterator[str]:
    """Yield the findings of a schema in `components.schemas`."""
    yield from check_schema(where, schema, document, component=True)
